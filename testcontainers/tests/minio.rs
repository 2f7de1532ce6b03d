//! MinIO starts, its world is there, and nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};

use linkdial_testcontainers::{
    Certificates, LinkStatement, Login, Minio, MinioOptions, Runtime, SSE_C_KEY, User,
};

/// The remote code of a refused call.
fn refused<T: std::fmt::Debug>(result: Result<T, linkdial_testcontainers::Error>) -> String {
    result.unwrap_err().remote_code().unwrap().to_owned()
}

#[test]
fn users_may_do_what_their_names_say() {
    let minio = Minio::shared();
    let all = ["other/two.txt", "team/a/one.txt", "top.txt"];
    let store = |user: User| minio.store_as(user.login());

    for user in [
        User::Root,
        User::ReadOnly,
        User::Writer,
        User::NoDelete,
        User::ListOnly,
    ] {
        assert_eq!(store(user).list("private", "").unwrap(), all, "{user:?}");
    }
    assert_eq!(
        store(User::ReadOnly).get("private", "top.txt").unwrap(),
        b"hello\n"
    );
    assert_eq!(
        refused(store(User::ReadOnly).put("private", "w", b"x")),
        "AccessDenied"
    );
    assert_eq!(
        refused(store(User::ReadOnly).list("locked", "")),
        "AccessDenied"
    );
    assert_eq!(
        refused(store(User::NoList).list("private", "")),
        "AccessDenied"
    );
    assert_eq!(
        store(User::NoList).get("private", "top.txt").unwrap(),
        b"hello\n"
    );
    assert_eq!(
        store(User::Prefix).list("private", "team/a/").unwrap(),
        ["team/a/one.txt"]
    );
    assert_eq!(
        refused(store(User::Prefix).list("private", "")),
        "AccessDenied"
    );
    assert_eq!(
        refused(store(User::ListOnly).get("private", "top.txt")),
        "AccessDenied"
    );
    assert_eq!(
        refused(store(User::NoPolicy).list("private", "")),
        "AccessDenied"
    );
    assert_eq!(
        refused(store(User::Disabled).list("private", "")),
        "InvalidAccessKeyId"
    );
    assert_eq!(
        refused(store(User::Root).list("nowhere", "")),
        "NoSuchBucket"
    );

    store(User::NoDelete)
        .put("empty", "a b/+ü", b"left")
        .unwrap();
    assert_eq!(
        refused(store(User::NoDelete).delete("empty", "a b/+ü")),
        "AccessDenied"
    );
    store(User::Writer).delete("empty", "a b/+ü").unwrap();
    assert_eq!(store(User::Root).list("empty", "").unwrap(), [""; 0]);
}

#[test]
fn logins_are_checked() {
    let minio = Minio::shared();
    let wrong = Login::new(User::ReadOnly.login().access_key_id, "wrong-secret");
    assert_eq!(
        refused(minio.store_as(wrong).list("private", "")),
        "SignatureDoesNotMatch"
    );
    let unknown = Login::new("nobody", "wrong-secret");
    assert_eq!(
        refused(minio.store_as(unknown).list("private", "")),
        "InvalidAccessKeyId"
    );

    let temporary = minio.assume_role(User::ReadOnly).unwrap();
    assert!(temporary.session_token.is_some());
    assert_eq!(
        minio.store_as(temporary.clone()).list("empty", "").unwrap(),
        [""; 0]
    );
    let garbage = Login {
        session_token: Some("garbage".to_owned()),
        ..temporary
    };
    assert_eq!(
        refused(minio.store_as(garbage).list("private", "")),
        "InvalidTokenId"
    );
}

#[test]
fn hmac_keys_have_googles_form_and_the_rights_of_their_users() {
    for minio in [Minio::shared_gcs(), Minio::shared_gcs_tls()] {
        assert_eq!(minio.region(), "auto");
        let store = |user: User| minio.store_as(user.hmac_login());
        for user in [User::Root, User::ReadOnly, User::Writer, User::Disabled] {
            let login = user.hmac_login();
            assert!(login.access_key_id.starts_with("GOOG1"), "{user:?}");
            assert_eq!(login.access_key_id.len(), 24, "{user:?}");
            assert_eq!(login.secret_access_key.len(), 40, "{user:?}");
        }
        let all = ["other/two.txt", "team/a/one.txt", "top.txt"];
        for user in [User::Root, User::ReadOnly, User::ListOnly] {
            assert_eq!(store(user).list("private", "").unwrap(), all, "{user:?}");
        }
        store(User::Root).put("locked", "mine", b"x").unwrap();
        store(User::Root).delete("locked", "mine").unwrap();
        for user in [User::NoList, User::NoPolicy, User::Prefix] {
            let list = store(user).list("private", "");
            assert_eq!(refused(list), "AccessDenied", "{user:?}");
        }
        let locked = store(User::ReadOnly).list("locked", "");
        assert_eq!(refused(locked), "AccessDenied");
        assert_eq!(
            refused(store(User::Disabled).list("private", "")),
            "InvalidAccessKeyId"
        );
        let wrong = Login::new(User::ReadOnly.hmac_login().access_key_id, "wrong-secret");
        assert_eq!(
            refused(minio.store_as(wrong).list("private", "")),
            "SignatureDoesNotMatch"
        );
    }
}

#[test]
fn gcs_link_is_ready_to_use() {
    let minio = Minio::shared_gcs();
    let (login, url) = (User::ReadOnly.hmac_login(), minio.endpoint_url());
    assert_eq!(
        minio.create_gcs_link("g", &login).to_string(),
        format!(
            "CREATE LINK g AS GCS\n\
             CREDENTIALS '{{\"access_id\":\"{}\",\"secret_key\":\"{}\"}}'\n\
             CONFIG '{{\"endpoint_url\":\"{url}\"}}';\n",
            login.access_key_id, login.secret_access_key
        )
    );
    assert_eq!(
        minio.anonymous_gcs_link("g").to_string(),
        format!(
            "CREATE LINK g AS GCS\nCREDENTIALS '{{}}'\nCONFIG '{{\"endpoint_url\":\"{url}\"}}';\n"
        )
    );
}

#[tokio::test]
async fn public_bucket_is_open_and_the_region_counts() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let minio = Minio::shared();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(Certificates::shared().client_tls().as_ref().clone())
        .build()
        .unwrap();
    let get = |path: &str| {
        client
            .get(format!("{}/{path}", minio.endpoint_url()))
            .send()
    };
    assert_eq!(get("public?list-type=2").await.unwrap().status(), 200);
    assert_eq!(
        get("public/top.txt").await.unwrap().text().await.unwrap(),
        "hello\n"
    );
    assert_eq!(get("private/top.txt").await.unwrap().status(), 403);
    assert_eq!(get("private/top.txt").await.unwrap().status(), 403);
    let kms = minio.store().get("sse-kms", "top.txt").unwrap();
    assert_eq!(kms, b"hello\n");
}

#[test]
fn tls_server_keeps_objects_under_a_customer_key() {
    let minio = Minio::shared_tls();
    let store = minio.store();
    assert!(minio.endpoint_url().starts_with("https://"));
    assert!(minio.ca_file().unwrap().is_file());
    assert_eq!(store.list("sse-c", "").unwrap(), ["secret.txt"]);
    assert_eq!(refused(store.get("sse-c", "secret.txt")), "InvalidRequest");
    let error = Minio::shared()
        .store()
        .put_encrypted("sse-c", "x", b"x", SSE_C_KEY);
    assert_eq!(
        refused(error),
        "InvalidRequest",
        "plain text must not carry a key"
    );
}

#[test]
fn server_with_a_faulty_certificate_is_filled_all_the_same() {
    let certificates = Certificates::generate();
    let minio = MinioOptions::default()
        .tls(&certificates, certificates.expired())
        .start()
        .unwrap();
    assert_eq!(minio.store().list("sse-c", "").unwrap(), ["secret.txt"]);
}

/// Whatever a server is, nobody answers at its address once it has gone.
fn assert_gone(address: std::net::SocketAddr) {
    let error = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn handle_takes_the_server_along() {
    let minio = Minio::start().unwrap();
    let process = minio.pid().map(|pid| PathBuf::from(format!("/proc/{pid}")));
    let folder = minio.folder().map(Path::to_owned);
    assert_eq!(folder.is_some(), minio.runtime() == Runtime::Local);
    assert!(
        folder
            .as_ref()
            .is_none_or(|path| path.join("data").is_dir())
    );
    if Path::new("/proc/self").exists() {
        assert!(process.as_ref().is_none_or(|path| path.exists()));
    }
    let address = minio.addr();
    drop(minio);
    assert_gone(address);
    assert!(!process.is_some_and(|path| path.exists()));
    assert!(!folder.is_some_and(|path| path.exists()));
}

#[test]
fn panic_takes_the_server_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let minio = Minio::start().unwrap();
        sender.send((minio.addr(), minio.pid())).unwrap();
        panic!("on purpose");
    });
    let (address, pid) = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    assert_gone(address);
    assert!(!pid.is_some_and(|pid| PathBuf::from(format!("/proc/{pid}")).exists()));
}

#[test]
fn statement_is_ready_to_use() {
    let minio = Minio::shared();
    let link = minio.create_link("db.my-store", &Login::new("id", r"a'b\c"));
    let text = link.to_string();
    assert!(
        text.starts_with("CREATE LINK db.`my-store` AS S3\nCREDENTIALS '{"),
        "{text}"
    );
    assert!(
        text.contains(r#""aws_secret_access_key":"a''b\\\\c""#),
        "{text}"
    );
    assert!(
        text.contains(&format!(r#""endpoint_url":"{}""#, minio.endpoint_url())),
        "{text}"
    );
    assert_eq!(
        LinkStatement::new("x", "S3")
            .config("a", 1)
            .without("a")
            .to_string(),
        "CREATE LINK x AS S3;\n"
    );
}
