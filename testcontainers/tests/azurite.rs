//! Azurite starts, its world is there, and nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;

use linkdial_testcontainers::{Azurite, AzuriteOptions, Certificates, Runtime, StorageAccount};

const ALL: [&str; 3] = ["other/two.txt", "team/a/one.txt", "top.txt"];

/// The remote code of a refused call.
fn refused<T: std::fmt::Debug>(result: Result<T, linkdial_testcontainers::Error>) -> String {
    result.unwrap_err().remote_code().unwrap().to_owned()
}

#[test]
fn world_is_there() {
    let blobs = Azurite::shared().blobs();
    for container in ["private", "public"] {
        assert_eq!(blobs.list(container, "").unwrap(), ALL);
        for blob in ALL {
            assert_eq!(blobs.get(container, blob).unwrap(), b"hello\n", "{blob}");
        }
    }
    assert_eq!(blobs.list("private", "team/a").unwrap(), ["team/a/one.txt"]);
    assert_eq!(blobs.list("empty", "").unwrap(), [""; 0]);
    assert_eq!(refused(blobs.list("nowhere", "")), "ContainerNotFound");
    assert_eq!(refused(blobs.get("empty", "nothing")), "BlobNotFound");
}

#[test]
fn blobs_come_and_go() {
    let azurite = Azurite::shared();
    let blobs = azurite.blobs();
    let name = "a b/+ü=%&?";
    blobs.make_container("visitors").unwrap();
    assert_eq!(
        refused(blobs.make_container("visitors")),
        "ContainerAlreadyExists"
    );
    blobs.put("visitors", name, b"left").unwrap();
    blobs.put("visitors", "nothing-in-it", b"").unwrap();
    assert_eq!(blobs.get("visitors", name).unwrap(), b"left");
    assert_eq!(blobs.get("visitors", "nothing-in-it").unwrap(), b"");
    blobs.delete("visitors", name).unwrap();
    assert_eq!(blobs.list("visitors", "").unwrap(), ["nothing-in-it"]);
    assert_eq!(refused(blobs.delete("visitors", name)), "BlobNotFound");
}

#[test]
fn account_and_key_are_checked() {
    let azurite = Azurite::shared();
    let wrong = azurite.blobs_as(azurite.account().with_wrong_key());
    assert_eq!(refused(wrong.list("private", "")), "AuthorizationFailure");
    assert_eq!(
        refused(wrong.put("private", "w", b"x")),
        "AuthorizationFailure"
    );
    let stranger = azurite.blobs_as(StorageAccount::new("stranger", azurite.account_key()));
    assert_eq!(
        refused(stranger.list("private", "")),
        "AuthorizationFailure"
    );
    let no_key = azurite.blobs_as(StorageAccount::new(azurite.account_name(), "not Base64"));
    let error = no_key.list("private", "").unwrap_err().to_string();
    assert!(error.contains("read the account's key"), "{error}");
}

#[test]
fn public_container_is_open_for_reading_alone() {
    let anybody = Azurite::shared().anonymous_blobs();
    assert_eq!(anybody.list("public", "").unwrap(), ALL);
    assert_eq!(anybody.get("public", "top.txt").unwrap(), b"hello\n");
    assert_eq!(
        refused(anybody.put("public", "w", b"x")),
        "AuthorizationFailure"
    );
    assert_eq!(refused(anybody.list("private", "")), "AuthorizationFailure");
    assert_eq!(
        refused(anybody.get("private", "top.txt")),
        "AuthorizationFailure"
    );
}

#[test]
fn tls_server_has_the_same_world() {
    let azurite = Azurite::shared_tls();
    assert!(azurite.endpoint_url().starts_with("https://127.0.0.1:"));
    assert!(azurite.ca_file().unwrap().is_file());
    let blobs = azurite.blobs();
    assert_eq!(blobs.list("private", "").unwrap(), ALL);
    assert_eq!(blobs.get("public", "top.txt").unwrap(), b"hello\n");
    let wrong = azurite.blobs_as(azurite.account().with_wrong_key());
    assert_eq!(refused(wrong.list("private", "")), "AuthorizationFailure");
}

#[test]
fn server_with_a_faulty_certificate_starts_all_the_same() {
    let certificates = Certificates::generate();
    let options = AzuriteOptions::default().tls(&certificates, certificates.expired());
    let azurite = options.start().unwrap();
    assert_eq!(azurite.ca_file(), Some(certificates.ca_file()));
    assert_eq!(azurite.blobs().list("private", "").unwrap(), ALL);
}

#[test]
fn servers_share_nothing() {
    let (one, other) = (Azurite::start().unwrap(), Azurite::shared());
    one.blobs().put("empty", "mine", b"x").unwrap();
    assert_ne!(one.addr(), other.addr());
    assert_eq!(one.blobs().list("empty", "").unwrap(), ["mine"]);
    assert_eq!(other.blobs().list("empty", "").unwrap(), [""; 0]);
}

#[test]
fn handle_takes_the_server_along() {
    let azurite = Azurite::start().unwrap();
    let blobs = azurite.blobs();
    let process = azurite.pid().map(process);
    let folder = azurite.folder().map(ToOwned::to_owned);
    assert_eq!(process.is_some(), azurite.runtime() == Runtime::Local);
    assert!(folder.iter().all(|folder| folder.is_dir()));
    if PathBuf::from("/proc/self").exists() {
        assert!(process.iter().all(|process| process.exists()));
    }
    drop(azurite);
    assert!(!process.is_some_and(|process| process.exists()));
    assert!(!folder.is_some_and(|folder| folder.exists()));
    assert!(blobs.list("private", "").is_err());
}

#[test]
fn panic_takes_the_server_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let azurite = Azurite::start().unwrap();
        sender.send((azurite.pid(), azurite.blobs())).unwrap();
        panic!("on purpose");
    });
    let (pid, blobs) = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    assert!(!pid.is_some_and(|pid| process(pid).exists()));
    assert!(blobs.list("private", "").is_err());
}

fn process(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

#[test]
fn statement_and_connection_string_are_ready_to_use() {
    let azurite = Azurite::shared();
    let (url, key) = (azurite.endpoint_url(), azurite.account_key());
    assert_eq!(url, format!("http://{}/linkdialtest", azurite.addr()));
    assert_eq!(key.len(), 88);
    assert_eq!(
        azurite.create_link("store", &azurite.account()).to_string(),
        format!(
            "CREATE LINK store AS AZURE\n\
             CREDENTIALS '{{\"account_name\":\"linkdialtest\",\"account_key\":\"{key}\"}}'\n\
             CONFIG '{{\"endpoint_url\":\"{url}\"}}';\n"
        )
    );
    let wrong = azurite.account().with_wrong_key();
    assert_ne!(wrong.key, key);
    assert!(!format!("{wrong:?}").contains(&wrong.key));
    let link = azurite.create_link("store", &wrong).to_string();
    assert!(link.contains(&wrong.key), "{link}");
    assert_eq!(
        azurite.connection_string(),
        format!(
            "DefaultEndpointsProtocol=http;AccountName=linkdialtest;AccountKey={key};\
             BlobEndpoint={url};"
        )
    );
}
