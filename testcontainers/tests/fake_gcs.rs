//! fake-gcs-server starts, its world is there, and nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use linkdial_testcontainers::{Certificates, FakeGcs, FakeGcsOptions, Runtime, ServiceAccount};

use client::client;

#[path = "support/client.rs"]
mod client;

const ALL: [&str; 3] = ["other/two.txt", "team/a/one.txt", "top.txt"];

/// The remote code of a refused call.
fn refused<T: std::fmt::Debug>(result: Result<T, linkdial_testcontainers::Error>) -> String {
    result.unwrap_err().remote_code().unwrap().to_owned()
}

#[test]
fn world_is_there() {
    let store = FakeGcs::shared().store();
    assert_eq!(store.list("public", "").unwrap(), ALL);
    assert_eq!(store.list("public", "team/a").unwrap(), ["team/a/one.txt"]);
    for object in ALL {
        assert_eq!(store.get("public", object).unwrap(), b"hello\n", "{object}");
    }
    assert_eq!(refused(store.list("nowhere", "")), "notFound");
    assert_eq!(refused(store.put("nowhere", "x", b"x")), "notFound");
}

#[test]
fn objects_come_and_go() {
    let store = FakeGcs::shared().store();
    let name = "a b/+ü=%&?";
    store.make_bucket("visitors").unwrap();
    assert!(store.make_bucket("visitors").is_err());
    assert_eq!(store.list("visitors", "").unwrap(), [""; 0]);
    store.put("visitors", name, b"left").unwrap();
    store.put("visitors", "nothing-in-it", b"").unwrap();
    assert_eq!(store.get("visitors", name).unwrap(), b"left");
    assert_eq!(store.get("visitors", "nothing-in-it").unwrap(), b"");
    store.delete("visitors", name).unwrap();
    assert_eq!(store.list("visitors", "").unwrap(), ["nothing-in-it"]);
    assert!(store.delete("visitors", name).is_err());
}

/// What its documentation says of the XML API, which the clients of links use.
#[tokio::test]
async fn xml_api_lists_and_reads_without_a_look_at_credentials() {
    let client = client(&Certificates::shared().client_tls());
    for fake in [FakeGcs::shared(), FakeGcs::shared_tls()] {
        let url = |path: &str| format!("{}/{path}", fake.endpoint_url());
        for authorization in ["", "Bearer garbage", "AWS4-HMAC-SHA256 garbage"] {
            let list = client.get(url("public?list-type=2&prefix=team"));
            let list = list.header("authorization", authorization).send().await;
            let list = list.unwrap();
            assert_eq!(list.status(), 200, "{authorization}");
            let list = list.text().await.unwrap();
            assert!(list.contains("<Key>team/a/one.txt</Key>"), "{list}");
            assert!(!list.contains("top.txt"), "{list}");
            let object = client
                .get(url("public/top.txt"))
                .header("range", "bytes=0-0");
            let object = object.header("authorization", authorization).send().await;
            let object = object.unwrap();
            assert_eq!(object.status(), 206, "{authorization}");
            assert_eq!(object.text().await.unwrap(), "h");
        }
        let missing = client.get(url("nowhere?list-type=2")).send().await.unwrap();
        assert_eq!(missing.status(), 500);
        let put = client.put(url("empty/x")).body("x").send().await.unwrap();
        assert_eq!(put.status(), 400);
        assert!(put.text().await.unwrap().contains("invalid uploadType"));
        fake.store().put("empty", "y", b"y").unwrap();
        let delete = client.delete(url("empty/y")).send().await.unwrap();
        assert_eq!(delete.status(), 200);
        assert_eq!(fake.store().list("empty", "").unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn tls_server_proves_itself() {
    let fake = FakeGcs::shared_tls();
    assert!(fake.endpoint_url().starts_with("https://127.0.0.1:"));
    assert!(fake.ca_file().unwrap().is_file());
    assert_eq!(fake.store().list("public", "").unwrap(), ALL);
    let stranger = client(&Certificates::generate().client_tls());
    assert!(stranger.get(fake.endpoint_url()).send().await.is_err());
}

#[test]
fn server_with_a_faulty_certificate_starts_all_the_same() {
    let certificates = Certificates::generate();
    let options = FakeGcsOptions::default().tls(&certificates, certificates.expired());
    let fake = options.start().unwrap();
    assert_eq!(fake.ca_file(), Some(certificates.ca_file()));
    assert_eq!(fake.store().list("public", "").unwrap(), ALL);
}

#[test]
fn servers_share_nothing() {
    let (one, other) = (FakeGcs::start().unwrap(), FakeGcs::shared());
    one.store().put("empty", "mine", b"x").unwrap();
    assert_ne!(one.addr(), other.addr());
    assert_eq!(one.store().list("empty", "").unwrap(), ["mine"]);
    let theirs = other.store().list("empty", "").unwrap();
    assert!(!theirs.contains(&"mine".to_owned()), "{theirs:?}");
}

/// Whatever a server is, nobody answers at its address once it has gone.
fn assert_gone(address: SocketAddr) {
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

fn process(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

#[test]
fn handle_takes_the_server_along() {
    let fake = FakeGcs::start().unwrap();
    let process = fake.pid().map(process);
    let folder = fake.folder().map(ToOwned::to_owned);
    assert_eq!(process.is_some(), fake.runtime() == Runtime::Local);
    assert!(folder.iter().all(|folder| folder.is_dir()));
    if PathBuf::from("/proc/self").exists() {
        assert!(process.iter().all(|process| process.exists()));
    }
    let address = fake.addr();
    drop(fake);
    assert_gone(address);
    assert!(!process.is_some_and(|process| process.exists()));
    assert!(!folder.is_some_and(|folder| folder.exists()));
}

#[test]
fn panic_takes_the_server_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let fake = FakeGcs::start().unwrap();
        sender.send((fake.addr(), fake.pid())).unwrap();
        panic!("on purpose");
    });
    let (address, pid) = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    assert_gone(address);
    assert!(!pid.is_some_and(|pid| process(pid).exists()));
}

#[test]
fn statements_are_ready_to_use() {
    let fake = FakeGcs::shared();
    let url = fake.endpoint_url();
    assert_eq!(url, format!("http://{}", fake.addr()));
    assert_eq!(
        fake.anonymous_link("open").to_string(),
        format!(
            "CREATE LINK open AS GCS\nCREDENTIALS '{{}}'\nCONFIG '{{\"endpoint_url\":\"{url}\"}}';\n"
        )
    );
    let account = ServiceAccount::shared();
    let link = fake.service_account_link("robot", account).to_string();
    let inside = format!(
        "CREDENTIALS '{{\"{}\":{{\"type\":\"service_account\",",
        ServiceAccount::LINK_KEY
    );
    assert!(link.contains(&inside), "{link}");
    // A newline of the key, in JSON in SQL.
    assert!(link.contains(r"-----BEGIN PRIVATE KEY-----\\n"), "{link}");
}

#[test]
fn service_account_is_a_key_file_of_its_own() {
    let account = ServiceAccount::generate("robot");
    let json = account.json();
    let email = "robot@linkdial-test.iam.gserviceaccount.com";
    assert_eq!(json["client_email"], email);
    let key = account.private_key_pem();
    assert_eq!(json["private_key"], key);
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    // An RSA key of 2048 bits.
    assert!((1600..1800).contains(&key.len()), "{}", key.len());
    let other = ServiceAccount::shared();
    assert_ne!(account.public_key_pem(), other.public_key_pem());
    let address = json["token_uri"].as_str().unwrap();
    assert!(address.starts_with("https://oauth2.invalid/"), "{address}");
    let shown = format!("{account:?}");
    assert_eq!(shown, "ServiceAccount { name: \"robot\", .. }");
}
