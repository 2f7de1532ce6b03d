//! Requests on a connection that a server keeps alive, or does not.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can not set itself up has failed"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use linkdial_core::net::HttpClient;
use linkdial_core::{Code, Endpoint, Intent, Probe, Redactor, Role, Settings};
use tokio_util::sync::CancellationToken;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

async fn client(port: u16) -> HttpClient<String> {
    let mut probe = Probe::new(
        Arc::new(Settings::default()),
        CancellationToken::new(),
        Redactor::default(),
        None,
        Intent::READ,
    );
    let endpoint = Endpoint::new(Role::Endpoint, "127.0.0.1", port);
    let reached = probe.reach(&endpoint, None).await.unwrap();
    HttpClient::new(reached.dialled, reached.dialler)
}

fn get() -> http::Request<String> {
    request("GET")
}

fn request(method: &str) -> http::Request<String> {
    let request = http::Request::builder().method(method).uri("/");
    let request = request.header("host", "127.0.0.1");
    request.body(String::new()).unwrap()
}

/// Answers the first request of each connection as if it stayed open, and then closes it.
fn hangs_up(connections: usize) -> (u16, Receiver<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (closed, closes): (Sender<()>, _) = channel();
    let server = thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(ANSWER).unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    (port, closes, server)
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_dialled_again() {
    let (port, closes, server) = hangs_up(5);
    let client = client(port).await;
    for _ in 0..5 {
        let answer = client.send(get()).await.unwrap();
        let body = answer.into_body().read().await.unwrap();
        assert_eq!(&body[..], b"ok");
        // Blocks the runtime: the client can not have seen the end before it asks again.
        closes.recv().unwrap();
    }
    server.join().unwrap();
}

#[tokio::test]
async fn what_was_received_is_that_of_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for second in [&b""[..], &ANSWER[..20]] {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in [ANSWER, second] {
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                stream.write_all(answer).unwrap();
            }
        }
    });
    for wanted in ["nothing", "a part"] {
        let client = client(port).await;
        let answer = client.send(get()).await.unwrap();
        answer.into_body().read().await.unwrap();
        let cut = client.send(request("PUT")).await.unwrap_err();
        assert_eq!(cut.code, Code::ConnectReset, "{cut:#?}");
        let received = cut.evidence.iter().find(|(name, _)| *name == "received");
        assert_eq!(received.unwrap().1, wanted, "{cut:#?}");
    }
    server.join().unwrap();
}

/// A server may close an idle connection at the moment at which the next request is on its way.
#[tokio::test]
async fn request_without_an_answer_is_sent_once_more_where_that_is_safe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        // Each connection: the answers to its requests. An empty one is a close.
        for answers in [&[ANSWER, b""][..], &[ANSWER, b""], &[b""]] {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                stream.write_all(answer).unwrap();
            }
        }
    });
    let client = client(port).await;
    for _ in 0..2 {
        let answer = client.send(get()).await.unwrap();
        answer.into_body().read().await.unwrap();
    }
    // The third is closed on the idle connection, and on a new one too.
    let cut = client.send(get()).await.unwrap_err();
    assert_eq!(cut.code, Code::ConnectReset, "{cut:#?}");
    server.join().unwrap();
}
