//! nginx answers as the endpoint inside the process does, and nothing of it stays behind.

mod support;

use std::net::TcpStream;
use std::path::PathBuf;

use linkdial_testcontainers::{
    Certificates, HttpEndpoint, Nginx, NginxOptions, Runtime, Whereabouts,
};
use support::client;

#[tokio::test]
async fn each_path_has_its_answer() {
    let nginx = Nginx::shared();
    let client = client(&Certificates::shared().client_tls());
    support::each_path_has_its_answer(&client, |path| nginx.url(path)).await;
    let redirect = client.get(nginx.url("/redirect")).send().await.unwrap();
    let there = redirect.headers()["location"].to_str().unwrap();
    let there = client.get(there).send().await.unwrap();
    assert_eq!(there.status(), 200);
    assert!(
        there.headers()["server"]
            .to_str()
            .unwrap()
            .starts_with("nginx")
    );
}

#[tokio::test]
async fn tls_server_answers_the_same() {
    let nginx = Nginx::shared_tls();
    assert!(nginx.ca_file().unwrap().is_file());
    let trusting = client(&Certificates::shared().client_tls());
    support::each_path_has_its_answer(&trusting, |path| nginx.url(path)).await;
    let stranger = client(&Certificates::generate().client_tls());
    assert!(stranger.get(nginx.url("/")).send().await.is_err());
}

#[tokio::test]
async fn mutual_server_wants_a_certificate() {
    let certificates = Certificates::shared();
    let nginx = Nginx::shared_mutual_tls();
    let with = client(&certificates.client_tls_with(certificates.client()));
    support::each_path_has_its_answer(&with, |path| nginx.url(path)).await;
    for (tls, words) in [
        (
            certificates.client_tls(),
            "No required SSL certificate was sent",
        ),
        (
            certificates.client_tls_with(certificates.foreign_client()),
            "The SSL certificate error",
        ),
    ] {
        let answer = client(&tls).get(nginx.url("/")).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let text = answer.text().await.unwrap();
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn server_with_a_faulty_certificate_starts_all_the_same() {
    let certificates = Certificates::generate();
    let expired = certificates.expired();
    for options in [
        NginxOptions::default().tls(&certificates, expired),
        NginxOptions::default().mutual_tls(&certificates, expired),
    ] {
        options.start().unwrap();
    }
}

#[test]
fn handle_takes_everything_along() {
    let nginx = Nginx::start().unwrap();
    let address = nginx.addr();
    let folder = nginx.folder().map(PathBuf::from);
    match nginx.runtime() {
        Runtime::Local => assert!(folder.as_ref().unwrap().join("nginx.conf").is_file()),
        _ => assert!(
            matches!(nginx.whereabouts(), Whereabouts::Container { .. }),
            "{nginx:?}"
        ),
    }
    drop(nginx);
    assert!(TcpStream::connect(address).is_err());
    assert!(!folder.is_some_and(|folder| folder.exists()));
}

#[test]
fn panic_takes_the_process_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let nginx = Nginx::start().unwrap();
        sender.send(nginx.addr()).unwrap();
        panic!("on purpose");
    });
    let address = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn statements_are_ready_to_use() {
    let nginx = Nginx::shared_tls();
    let link = HttpEndpoint::create_link("web", [HttpEndpoint::bearer()]);
    let text = nginx.create_function("f", "/bearer", &link);
    let service = format!("SERVICE \"https://{}/bearer\"", nginx.addr());
    assert!(text.contains(&service), "{text}");
}
