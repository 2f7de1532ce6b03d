//! TLS and client certificates, inline and from files of the cluster.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::net::Net;
use linkdial_core::testing::Link;
use linkdial_core::{Code, Intent, Outcome, Settings, Stage, Step, verdict};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{Certificates, Identity, Scratch, ServerTls};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::Parameters;
use support::peer::{Peer, Script};
use support::{ask_with, clause, evidence, expect, link, pointers, settings, walked};

const FAIL: Outcome = Outcome::Fail;

fn tls_peer(tls: ServerTls) -> Peer {
    Peer::start(Script {
        tls: Some(tls),
        ..Script::default()
    })
}

fn good_peer() -> Peer {
    let certificates = Certificates::shared();
    tls_peer(certificates.server_tls(certificates.good()))
}

fn mutual_peer() -> Peer {
    let certificates = Certificates::shared();
    tls_peer(certificates.mutual_tls(certificates.good()))
}

/// A link with `ssl`, and more in CONFIG.
fn ssl(more: &[(&str, &str)], credentials: &str, target: &str) -> Link {
    let mut members = vec![("security.protocol", "SSL")];
    members.extend(more);
    link(&clause(&members), credentials, Some(target))
}

async fn ask(link: &Link) -> Vec<Step> {
    ask_with(link, settings(), Intent::READ).await
}

fn inline(identity: &Identity) -> (String, String) {
    (
        identity.certificate_pem().to_owned(),
        clause(&[("ssl.key.pem", identity.key_pem())]),
    )
}

#[tokio::test]
async fn the_links_own_ca_is_trusted_and_no_other() {
    let certificates = Certificates::shared();
    let peer = good_peer();
    let steps = ask(&ssl(
        &[("ssl.ca.pem", certificates.ca_pem())],
        "{}",
        &peer.target(),
    ))
    .await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let stages: Vec<Stage> = walked(&steps).iter().map(|it| it.0).collect();
    assert!(stages.contains(&Stage::Tls));

    let foreign = ssl(
        &[("ssl.ca.pem", certificates.foreign_ca_pem())],
        "{}",
        &peer.target(),
    );
    // Even where the tool trusts it: the cluster does not.
    let trusting = Settings {
        net: Net::builder()
            .ca_pem(certificates.ca_pem().as_bytes())
            .unwrap()
            .build(),
        ..settings()
    };
    let steps = ask_with(&foreign, trusting.clone(), Intent::READ).await;
    let found = expect(&steps, FAIL, Code::TlsUnknownIssuer, "bootstrap");
    assert_eq!(pointers(&found), ["/ssl.ca.pem"]);

    let steps = ask(&ssl(&[], "{}", &peer.target())).await;
    let found = expect(&steps, FAIL, Code::TlsUnknownIssuer, "bootstrap");
    assert_eq!(pointers(&found), ["/ssl.ca.location"]);
    let steps = ask_with(&ssl(&[], "{}", &peer.target()), trusting, Intent::READ).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
}

#[tokio::test]
async fn client_certificates_are_shown_missed_and_refused() {
    let certificates = Certificates::shared();
    let ca = ("ssl.ca.pem", certificates.ca_pem());
    let peer = mutual_peer();
    let (certificate, key) = inline(certificates.client());
    let certificate = ("ssl.certificate.pem", certificate.as_str());
    let steps = ask(&ssl(&[ca, certificate], &key, &peer.target())).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");

    let steps = ask(&ssl(&[ca], "{}", &peer.target())).await;
    let code = Code::TlsClientCertificateRequired;
    let found = expect(&steps, FAIL, code, "bootstrap");
    assert_eq!(pointers(&found), ["/ssl.certificate.location"]);

    let (certificate, key) = inline(certificates.foreign_client());
    let certificate = ("ssl.certificate.pem", certificate.as_str());
    let steps = ask(&ssl(&[ca, certificate], &key, &peer.target())).await;
    let code = Code::TlsClientCertificateRefused;
    let found = expect(&steps, FAIL, code, "bootstrap");
    assert_eq!(pointers(&found), ["/ssl.certificate.pem"]);
}

#[tokio::test]
async fn the_wrong_kind_of_port_is_named() {
    let certificates = Certificates::shared();
    let ca = ("ssl.ca.pem", certificates.ca_pem());
    let plain = Peer::start(Script::default());
    let steps = ask(&ssl(&[ca], "{}", &plain.target())).await;
    let found = expect(&steps, FAIL, Code::TlsNotTls, "bootstrap");
    assert_eq!(evidence(&found, "protocol"), "Kafka");
    assert_eq!(pointers(&found), ["/security.protocol"]);

    let http = Broken::start(Fault::Answers(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    let steps = ask(&ssl(&[ca], "{}", &http.addr().to_string())).await;
    let found = expect(&steps, FAIL, Code::TlsNotTls, "bootstrap");
    assert_eq!(evidence(&found, "protocol"), "HTTP");

    let tls = good_peer();
    let steps = ask(&link("{}", "{}", Some(&tls.target()))).await;
    let found = expect(&steps, FAIL, Code::TlsRequired, "bootstrap");
    assert_eq!(pointers(&found), ["/security.protocol"]);

    let closing = Broken::start(Fault::CloseAfterRequest);
    let steps = ask(&ssl(&[ca], "{}", &closing.addr().to_string())).await;
    expect(&steps, FAIL, Code::TlsHandshakeFailed, "bootstrap");
}

#[tokio::test]
async fn a_spoofed_broker_shows_the_certificate_of_its_own_name() {
    let certificates = Certificates::shared();
    let second = good_peer();
    let dial = async |advertised: &str| {
        let peer = Peer::start(Script {
            tls: Some(certificates.server_tls(certificates.good())),
            brokers: vec![(1, advertised.to_owned(), 9092)],
            ..Script::default()
        });
        let config = format!(
            r#"{{"security.protocol": "ssl", "ssl.ca.pem": {:?},
                "spoof.dns": {{"{advertised}:9092": "{}"}}}}"#,
            certificates.ca_pem(),
            second.target()
        );
        ask(&link(&config, "{}", Some(&peer.target()))).await
    };
    let steps = dial("linkdial.test").await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let steps = dial("other.test").await;
    let found = expect(&steps, FAIL, Code::TlsNameMismatch, "advertised");
    assert_eq!(evidence(&found, "asked_for"), "other.test");
}

/// A folder of files, and settings that map names of the cluster to it.
struct Files {
    folder: PathBuf,
    settings: Settings,
    _scratch: Scratch,
}

#[expect(clippy::unwrap_used, reason = "a helper of tests is a test")]
impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new("kafka-files").unwrap();
        let folder = scratch.path().to_owned();
        let mut settings = settings();
        for (name, text) in files {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            settings
                .files
                .insert(Path::new("/on/the/cluster").join(name), path);
        }
        Self {
            folder,
            settings,
            _scratch: scratch,
        }
    }
}

const CA: (&str, &str) = ("ssl.ca.location", "/on/the/cluster/ca.pem");
const CERTIFICATE: (&str, &str) = ("ssl.certificate.location", "/on/the/cluster/c.pem");
const KEY: (&str, &str) = ("ssl.key.location", "/on/the/cluster/c.key");

#[tokio::test]
async fn files_of_the_cluster_are_read_where_they_are_mapped() {
    let certificates = Certificates::shared();
    let client = certificates.client();
    let peer = mutual_peer();
    let files = Files::new(&[
        ("ca.pem", certificates.ca_pem()),
        ("c.pem", client.certificate_pem()),
        ("c.key", client.key_pem()),
    ]);
    let mapped = ssl(&[CA, CERTIFICATE, KEY], "{}", &peer.target());
    let steps = ask_with(&mapped, files.settings.clone(), Intent::READ).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    // At the same path as on the cluster.
    let path = |name: &str| files.folder.join(name).display().to_string();
    let (ca, certificate, key) = (path("ca.pem"), path("c.pem"), path("c.key"));
    let local = [
        (CA.0, ca.as_str()),
        (CERTIFICATE.0, &certificate),
        (KEY.0, &key),
    ];
    let steps = ask(&ssl(&local, "{}", &peer.target())).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    // A folder of certificates, as the client library takes one.
    fs::remove_file(files.folder.join("c.key")).unwrap();
    let folder = files.folder.display().to_string();
    let peer = good_peer();
    let steps = ask(&ssl(&[(CA.0, &folder)], "{}", &peer.target())).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
}

#[tokio::test]
async fn a_file_that_is_not_here_leaves_unverified_what_hangs_on_it() {
    let certificates = Certificates::shared();
    let unverified = Outcome::Unverified;
    let here = Code::DefineFileNotHere;
    let peer = good_peer();
    let steps = ask(&ssl(&[CA], "{}", &peer.target())).await;
    let found = expect(&steps, unverified, here, "");
    assert_eq!(pointers(&found), ["/ssl.ca.location"]);
    assert!(
        found
            .hint
            .unwrap()
            .contains("--file /on/the/cluster/ca.pem=")
    );
    let last = steps.last().unwrap().diagnosis.as_ref().unwrap();
    assert_eq!(
        (last.code, last.outcome),
        (Code::TlsUnknownIssuer, unverified)
    );

    let peer = mutual_peer();
    let ca = ("ssl.ca.pem", certificates.ca_pem());
    let steps = ask(&ssl(&[ca, CERTIFICATE, KEY], "{}", &peer.target())).await;
    expect(&steps, unverified, here, "");
    let last = steps.last().unwrap().diagnosis.as_ref().unwrap();
    let required = Code::TlsClientCertificateRequired;
    assert_eq!((last.code, last.outcome), (required, unverified));
}

#[tokio::test]
async fn a_file_that_is_here_and_wrong_sends_no_packet() {
    let certificates = Certificates::shared();
    let client = certificates.client();
    let other = certificates.foreign_client();
    let expired = certificates.expired();
    let soon = certificates.expires_soon();
    let peer = mutual_peer();
    let dial = async |ca: &str, certificate: &str, key: &str| {
        let files = Files::new(&[("ca.pem", ca), ("c.pem", certificate), ("c.key", key)]);
        let link = ssl(&[CA, CERTIFICATE, KEY], "{}", &peer.target());
        ask_with(&link, files.settings.clone(), Intent::READ).await
    };
    let ca = certificates.ca_pem();
    for (ca, certificate, key, code, pointer) in [
        (
            "no certificate",
            client.certificate_pem(),
            client.key_pem(),
            Code::DefineFileUnreadable,
            "/ssl.ca.location",
        ),
        (
            ca,
            client.certificate_pem(),
            other.key_pem(),
            Code::DefineCertificateKeyMismatch,
            "/ssl.certificate.location",
        ),
        (
            ca,
            client.certificate_pem(),
            "",
            Code::DefineFileUnreadable,
            "/ssl.key.location",
        ),
        (
            ca,
            expired.certificate_pem(),
            expired.key_pem(),
            Code::TlsExpired,
            "/ssl.certificate.location",
        ),
    ] {
        let steps = dial(ca, certificate, key).await;
        let found = expect(&steps, FAIL, code, "");
        assert_eq!(pointers(&found)[0], pointer);
        assert!(steps.iter().all(|step| step.stage != Stage::Resolve));
    }
    assert_eq!(peer.seen().len(), 0);
    let steps = dial(ca, soon.certificate_pem(), soon.key_pem()).await;
    let warned = steps.iter().find(|step| step.outcome == Outcome::Warn);
    let warned = warned.unwrap().diagnosis.as_ref().unwrap();
    assert_eq!(warned.code, Code::TlsExpiresSoon);
}

/// A key as `openssl pkcs8 -topk8` writes it.
#[expect(clippy::unwrap_used, reason = "a helper of tests is a test")]
fn encrypted(identity: &Identity, password: &str) -> String {
    let key = identity.key();
    let key = PrivateKeyInfoRef::try_from(key.secret_der()).unwrap();
    let way = Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"of eight", [7; 16]);
    let document = key.encrypt_with_params(way.unwrap(), password).unwrap();
    let body = STANDARD.encode(document.as_bytes());
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{}\n-----END ENCRYPTED PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn a_private_key_is_opened_with_its_password() {
    let certificates = Certificates::shared();
    let client = certificates.client();
    let peer = mutual_peer();
    let key = encrypted(client, "op3n-sesame");
    let good = clause(&[("ssl.key.password", "op3n-sesame")]);
    let wrong = clause(&[("ssl.key.password", "QZXJ-wr0ng")]);
    let ca = ("ssl.ca.pem", certificates.ca_pem());
    let files = |key: &str| Files::new(&[("c.pem", client.certificate_pem()), ("c.key", key)]);
    let dial = async |key: &str, credentials: &str| {
        let files = files(key);
        let link = ssl(&[ca, CERTIFICATE, KEY], credentials, &peer.target());
        ask_with(&link, files.settings.clone(), Intent::READ).await
    };
    let steps = dial(&key, &good).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let inline = |password: &str| {
        let certificate = ("ssl.certificate.pem", client.certificate_pem());
        let members = [
            ("ssl.key.pem", key.as_str()),
            ("ssl.key.password", password),
        ];
        ssl(&[ca, certificate], &clause(&members), &peer.target())
    };
    let steps = ask(&inline("op3n-sesame")).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    // A password that nothing needs does no harm.
    let steps = dial(client.key_pem(), &good).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");

    let before = peer.seen().len();
    for steps in [dial(&key, &wrong).await, ask(&inline("QZXJ-wr0ng")).await] {
        let found = expect(&steps, FAIL, Code::DefineInvalidValue, "");
        assert_eq!(pointers(&found), ["/ssl.key.password"]);
        assert!(!format!("{steps:?}").contains("QZXJ"));
    }
    for steps in [dial(&key, "{}").await, ask(&inline("")).await] {
        let found = expect(&steps, FAIL, Code::DefineMissingKey, "");
        assert_eq!(pointers(&found), ["/ssl.key.password"]);
    }
    let other = encrypted(certificates.foreign_client(), "op3n-sesame");
    let steps = dial(&other, &good).await;
    expect(&steps, FAIL, Code::DefineCertificateKeyMismatch, "");
    let cut = key.replace("\n-----END", "!\n-----END");
    let steps = dial(&cut, &good).await;
    let found = expect(&steps, FAIL, Code::DefineFileUnreadable, "");
    assert_eq!(pointers(&found), ["/ssl.key.location"]);
    assert_eq!(peer.seen().len(), before, "no packet was sent");
}

#[tokio::test]
async fn a_key_in_the_old_form_of_openssl_stays_unproven() {
    let certificates = Certificates::shared();
    let peer = mutual_peer();
    let legacy = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
         DEK-Info: AES-256-CBC,1B81B5B281250D8B025DEFAE20C43E20\n\nUHV6tgWCfGggIXAY1yErgg==\n\
         -----END EC PRIVATE KEY-----\n";
    let certificate = certificates.client().certificate_pem();
    let files = Files::new(&[("c.pem", certificate), ("c.key", legacy)]);
    let ca = ("ssl.ca.pem", certificates.ca_pem());
    let password = clause(&[("ssl.key.password", "op3n-sesame")]);
    let link = ssl(&[ca, CERTIFICATE, KEY], &password, &peer.target());
    let steps = ask_with(&link, files.settings.clone(), Intent::READ).await;
    let unverified = Outcome::Unverified;
    let found = expect(&steps, unverified, Code::DefineNotCompiledIn, "");
    assert_eq!(pointers(&found), ["/ssl.key.location"]);
    assert!(found.hint.unwrap().contains("openssl pkcs8 -topk8"));
    // The dial goes on without it.
    let last = steps.last().unwrap().diagnosis.as_ref().unwrap();
    let required = Code::TlsClientCertificateRequired;
    assert_eq!((last.code, last.outcome), (required, unverified));
}
