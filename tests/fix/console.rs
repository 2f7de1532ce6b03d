//! A store with a console on the port behind its own.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use linkdial_testcontainers::{Minio, User};

use crate::bench::{Case, pipeline};

const PAGE: &str = "<!DOCTYPE html><html><body>console</body></html>";

/// Binds two ports that follow one another.
fn neighbours() -> (TcpListener, TcpListener) {
    for _ in 0..200 {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if let Some(next) = port.checked_add(1)
            && let Ok(second) = TcpListener::bind(("127.0.0.1", next))
        {
            return (first, second);
        }
    }
    panic!("no two ports that follow one another");
}

fn forward(listener: TcpListener, to: SocketAddr) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = TcpStream::connect(to).unwrap();
            for (mut from, mut to) in [
                (stream.try_clone().unwrap(), server.try_clone().unwrap()),
                (server, stream),
            ] {
                thread::spawn(move || {
                    io::copy(&mut from, &mut to).ok();
                    to.shutdown(std::net::Shutdown::Write).ok();
                });
            }
        }
    });
}

fn show_pages(listener: TcpListener) {
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut head = [0; 4096];
                // A request without a body fits, and one answer ends the stream.
                if stream.read(&mut head).is_ok_and(|read| read > 0) {
                    let length = PAGE.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\
                         content-length: {length}\r\nconnection: close\r\n\r\n{PAGE}"
                    );
                    stream.write_all(answer.as_bytes()).ok();
                }
            });
        }
    });
}

#[test]
fn the_port_of_a_console() {
    let minio = Minio::shared();
    let (service, console) = neighbours();
    let service_port = service.local_addr().unwrap().port();
    let console_port = console.local_addr().unwrap().port();
    forward(service, minio.addr());
    show_pages(console);
    let login = User::ReadOnly.login();
    let link = minio
        .create_link("orders", &login)
        .config("endpoint_url", format!("http://127.0.0.1:{console_port}"));
    Case {
        link: link.to_string(),
        uses: pipeline("orders", "private"),
        edits: &[(&format!(":{console_port}\""), &format!(":{service_port}\""))],
        changes: &["`endpoint_url` becomes"],
        secrets: &[("secret_access_key", &login.secret_access_key)],
        arguments: &[],
    }
    .holds();
}
