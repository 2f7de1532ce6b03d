//! Each certificate has the fault that its name says, judged by rustls.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use linkdial_testcontainers::{Answer, Certificates, Identity, ScriptedHttp, ServerTls};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, StreamOwned};

fn get(tls: ServerTls, client: Arc<ClientConfig>, name: &'static str) -> Result<String, Error> {
    let server = ScriptedHttp::script()
        .on(linkdial_testcontainers::Match::any(), [Answer::status(204)])
        .start_tls(tls);
    let tcp = TcpStream::connect(server.addr()).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let connection = ClientConnection::new(client, name.try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, tcp);
    let mut talk = || {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    talk().map_err(|error| {
        let inner = error.into_inner().expect("an error of rustls");
        *inner.downcast::<Error>().expect("an error of rustls")
    })
}

fn fault(identity: &Identity) -> CertificateError {
    let certificates = Certificates::shared();
    let tls = certificates.server_tls(identity);
    match get(tls, certificates.client_tls(), "localhost") {
        Err(Error::InvalidCertificate(fault)) => fault,
        other => panic!("expected a fault of the certificate, got {other:?}"),
    }
}

#[test]
fn good_certificates_are_good_for_every_local_name() {
    let certificates = Certificates::shared();
    for identity in [certificates.good(), certificates.expires_soon()] {
        for name in [
            "localhost",
            "127.0.0.1",
            "::1",
            "b.s3.localhost",
            "b.linkdial.test",
        ] {
            let tls = certificates.server_tls(identity);
            let answer = get(tls, certificates.client_tls(), name).unwrap();
            assert!(answer.starts_with("HTTP/1.1 204 "), "{name}: {answer}");
        }
    }
}

#[test]
fn faulty_certificates_have_exactly_their_fault() {
    let certificates = Certificates::shared();
    let expired = fault(certificates.expired());
    assert!(
        matches!(expired, CertificateError::ExpiredContext { .. }),
        "{expired:?}"
    );
    let early = fault(certificates.not_yet_valid());
    assert!(
        matches!(early, CertificateError::NotValidYetContext { .. }),
        "{early:?}"
    );
    let name = fault(certificates.wrong_name());
    assert!(
        matches!(name, CertificateError::NotValidForNameContext { .. }),
        "{name:?}"
    );
    assert_eq!(
        fault(certificates.unknown_issuer()),
        CertificateError::UnknownIssuer
    );
}

#[test]
fn client_certificates_are_required_and_checked() {
    let certificates = Certificates::shared();
    let tls = certificates.mutual_tls(certificates.good());
    let client = certificates.client_tls_with(certificates.client());
    let answer = get(Arc::clone(&tls), client, "localhost").unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");

    let none = get(Arc::clone(&tls), certificates.client_tls(), "localhost").unwrap_err();
    assert!(matches!(none, Error::AlertReceived(_)), "{none:?}");
    let foreign = certificates.client_tls_with(certificates.foreign_client());
    let foreign = get(tls, foreign, "localhost").unwrap_err();
    assert!(matches!(foreign, Error::AlertReceived(_)), "{foreign:?}");
}

#[test]
fn files_hold_the_authorities_and_go_away() {
    let certificates = Certificates::generate();
    let folder = certificates.folder().to_owned();
    assert_eq!(
        std::fs::read_to_string(certificates.ca_file()).unwrap(),
        certificates.ca_pem()
    );
    assert_eq!(
        std::fs::read_to_string(certificates.foreign_ca_file()).unwrap(),
        certificates.foreign_ca_pem()
    );
    drop(certificates);
    assert!(!folder.exists());
}
