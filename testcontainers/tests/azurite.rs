//! Azurite starts, its world is there, and nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;

use linkdial_testcontainers::{
    Azurite, AzuriteOptions, Certificates, Runtime, SharedAccess, StorageAccount,
};

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
fn several_accounts_are_apart_and_each_has_its_keys() {
    let second_key = StorageAccount::new("first", StorageAccount::named("first again").key);
    let accounts = [
        StorageAccount::named("first"),
        StorageAccount::named("second"),
        second_key.clone(),
    ];
    assert_ne!(accounts[0].key, accounts[1].key);
    assert_eq!(accounts[0].key.len(), 88);
    let azurite = AzuriteOptions::default().accounts(&accounts).start();
    let azurite = azurite.unwrap();
    let [first, second] = [&accounts[0], &accounts[1]].map(|it| azurite.blobs_as(it.clone()));
    first.make_container("private").unwrap();
    first.put("private", "mine", b"x").unwrap();
    assert_eq!(first.list("private", "").unwrap(), ["mine"]);
    let again = azurite.blobs_as(second_key);
    assert_eq!(again.list("private", "").unwrap(), ["mine"]);
    assert_eq!(refused(second.list("private", "")), "ContainerNotFound");
    assert_eq!(azurite.blobs().list("private", "").unwrap(), ALL);
    let wrong = azurite.blobs_as(accounts[1].with_wrong_key());
    assert_eq!(refused(wrong.list("private", "")), "AuthorizationFailure");

    let link = azurite.create_link("other", &accounts[0]).to_string();
    let url = azurite.endpoint_url_of("first");
    assert_eq!(url, format!("http://{}/first", azurite.addr()));
    assert!(link.contains(&format!("{url}\"")), "{link}");
}

/// What a client with this access may do: list, read and write in `private`.
fn may(access: &SharedAccess) -> [Result<(), String>; 3] {
    let azurite = Azurite::shared();
    let blobs = azurite.blobs_with(&access.sign(&azurite.account()).unwrap());
    let code = |error: linkdial_testcontainers::Error| error.remote_code().unwrap().to_owned();
    [
        blobs.list("private", "").map(drop).map_err(code),
        blobs.get("private", "top.txt").map(drop).map_err(code),
        blobs.put("private", "top.txt", b"hello\n").map_err(code),
    ]
}

#[test]
fn shared_access_allows_what_it_says_and_no_more() {
    let account = || SharedAccess::account("b", "sco");
    let container = || SharedAccess::container("private");
    let mismatch = || Err("AuthorizationPermissionMismatch".to_owned());
    let failure = || Err("AuthorizationFailure".to_owned());
    let nothing = [failure(), failure(), failure()];
    for access in [account, container] {
        assert_eq!(may(&access()), [Ok(()), Ok(()), mismatch()]);
        assert_eq!(
            may(&access().permissions("r")),
            [mismatch(), Ok(()), mismatch()]
        );
        assert_eq!(
            may(&access().permissions("l")),
            [Ok(()), mismatch(), mismatch()]
        );
        assert_eq!(may(&access().permissions("rwl")), [Ok(()), Ok(()), Ok(())]);
        assert_eq!(may(&access().starts_in(-60)), [Ok(()), Ok(()), mismatch()]);
        assert_eq!(may(&access().expires_in(-60)), nothing);
        assert_eq!(may(&access().starts_in(600)), nothing);
        assert_eq!(
            may(&access().protocol("https,http")),
            [Ok(()), Ok(()), mismatch()]
        );
    }
    let blob = SharedAccess::blob("private", "top.txt");
    let [list, read, write] = may(&blob);
    assert!(list.is_err() && read.is_ok() && write.is_err(), "{list:?}");
    let elsewhere = may(&SharedAccess::container("public"));
    assert_eq!(elsewhere, nothing);
    let [list, read, _] = may(&SharedAccess::account("b", "o"));
    assert!(list.is_err() && read.is_ok(), "{list:?}");
    let queues = may(&SharedAccess::account("q", "sco"));
    assert!(queues.iter().all(Result::is_err), "{queues:?}");
    let https = may(&account().protocol("https"));
    assert!(https.iter().all(Result::is_err), "{https:?}");
}

#[test]
fn shared_access_of_another_key_is_refused_and_none_is_shown() {
    let azurite = Azurite::shared_tls();
    let access = SharedAccess::container("private").protocol("https");
    let token = access.sign(&azurite.account()).unwrap();
    let blobs = azurite.blobs_with(&token);
    assert_eq!(blobs.list("private", "").unwrap(), ALL);
    let (_, signature) = token.split_once("sig=").unwrap();
    assert!(!format!("{blobs:?}").contains(signature));
    let wrong = access.sign(&azurite.account().with_wrong_key()).unwrap();
    let wrong = azurite.blobs_with(&wrong);
    assert_eq!(refused(wrong.list("private", "")), "AuthorizationFailure");
    let link = azurite.shared_access_link("store", &token).to_string();
    assert!(
        link.contains(&format!("\"sas_token\":\"{token}\"")),
        "{link}"
    );
    assert!(!link.contains("account_key"), "{link}");
}

#[test]
fn archived_blob_cannot_be_read() {
    let blobs = Azurite::shared().blobs();
    blobs.make_container("cellar").unwrap();
    blobs.put("cellar", "old", b"x").unwrap();
    blobs.set_tier("cellar", "old", "Cool").unwrap();
    assert_eq!(blobs.get("cellar", "old").unwrap(), b"x");
    blobs.set_tier("cellar", "old", "Archive").unwrap();
    assert_eq!(refused(blobs.get("cellar", "old")), "BlobArchived");
    assert_eq!(blobs.list("cellar", "").unwrap(), ["old"]);
    blobs.set_tier("cellar", "old", "Hot").unwrap();
    assert_eq!(blobs.get("cellar", "old").unwrap(), b"x");
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
