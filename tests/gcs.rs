//! GCS links through the real binary, against real servers: exact verdict, code and guilty key of
//! each, nothing left behind, and no secret in any text.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod lab;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lab::{
    Case, every_text, fail, linkdial_in, note, path, read, report, script, verify, with_json,
};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{
    Answer, Certificates, FakeGcs, LinkStatement, Login, Minio, Recorded, ScriptedHttp,
    ServiceAccount, User,
};

const ACCESS_ID: &str = "/access_id";
const SECRET: &str = "/secret_key";
const KEY_FILE: &str = "/service_account_key";
const ENDPOINT: &str = "/endpoint_url";

/// Every link to a server of ours warns of the keys that linkdial alone knows, this one first.
fn good(link: LinkStatement, target: &str, key: &'static str) -> Case {
    fail(link, target, "define.extension-key", "", key).verdict("warn")
}

/// What is found while dialling, at the link's only endpoint.
fn bad(link: LinkStatement, target: &str, code: &'static str, key: &'static str) -> Case {
    fail(link, target, code, "endpoint", key)
}

/// Holds each case against its check, and looks for secrets in every format.
fn verify_all(cases: &[Case], secrets: &[String]) {
    let ca = path(Certificates::shared().ca_file());
    let arguments = ["--timeout", "3s", "--ca-file", ca];
    verify(&arguments, cases);
    for (name, text) in every_text(&arguments, &script(cases)) {
        assert!(!text.is_empty(), "{name} is empty");
        for secret in secrets {
            assert!(!text.contains(secret), "{name} shows {secret}:\n{text}");
        }
    }
}

/// What nobody may see of a key file, and the beginning of every token that it signs.
fn secrets(account: &ServiceAccount) -> Vec<String> {
    let pem = account.private_key_pem();
    let lines = pem.lines().filter(|line| !line.starts_with("--"));
    lines.chain(["eyJ0eXAi"]).map(str::to_owned).collect()
}

#[test]
fn hmac_keys_and_a_store_that_checks_them() {
    let (plain, tls) = (Minio::shared_gcs(), Minio::shared_gcs_tls());
    let reader = User::ReadOnly.hmac_login();
    let wrong = Login::new(reader.access_key_id.as_str(), "m4rked-wrong-secret");
    let unknown = Login::new("GOOG1NOBODYHASTHISKEYID0", "m4rked-unknown-secret");
    let malformed = Login::new("GOOG1/LAB", "m4rked-malformed-secret");
    let certificates = Certificates::shared();
    let foreign =
        ScriptedHttp::script().start_tls(certificates.server_tls(certificates.unknown_issuer()));
    let silent = Broken::start(Fault::Silent);
    let https = plain.endpoint_url().replace("http:", "https:");
    let keyed = |name: &str, login: &Login| plain.create_gcs_link(name, login);
    let at = |name: &str, url: String| keyed(name, &reader).config("endpoint_url", url);
    let (bad_secret, unknown_key) = ("authenticate.bad-secret", "authenticate.unknown-key");
    let cases = [
        good(keyed("right", &reader), "private/team/a/", ENDPOINT),
        good(
            tls.create_gcs_link("right_tls", &reader),
            "private",
            ENDPOINT,
        ),
        good(plain.anonymous_gcs_link("open"), "public/*.txt", ENDPOINT),
        bad(keyed("wrong", &wrong), "private", bad_secret, SECRET),
        bad(
            tls.create_gcs_link("wrong_tls", &wrong),
            "private",
            bad_secret,
            SECRET,
        ),
        bad(
            keyed("unknown", &unknown),
            "private",
            unknown_key,
            ACCESS_ID,
        ),
        bad(
            tls.create_gcs_link("malformed", &malformed),
            "private",
            unknown_key,
            ACCESS_ID,
        ),
        bad(
            keyed("inactive", &User::Disabled.hmac_login()),
            "private",
            "authenticate.method-disabled",
            ACCESS_ID,
        ),
        bad(
            keyed("missing", &User::Root.hmac_login()),
            "no-such-bucket",
            "access.not-found",
            "",
        ),
        bad(
            keyed("denied", &User::Prefix.hmac_login()),
            "private/other/",
            "access.denied",
            ACCESS_ID,
        ),
        bad(
            plain.anonymous_gcs_link("not_public"),
            "private",
            "authenticate.required",
            ACCESS_ID,
        ),
        bad(
            at("https_to_plain", https),
            "private",
            "tls.not-tls",
            ENDPOINT,
        ),
        bad(
            at("wrong_ca", foreign.url()),
            "private",
            "tls.unknown-issuer",
            ENDPOINT,
        ),
        bad(
            at("silent", silent.url()),
            "private",
            "access.timed-out",
            ENDPOINT,
        ),
    ];
    verify_all(
        &cases,
        &["m4rked".to_owned(), reader.secret_access_key.clone()],
    );
}

/// What Google says to a token that it does not take.
fn refusal() -> Answer {
    Answer::status(401)
        .header("content-type", "application/xml")
        .header(
            "www-authenticate",
            "Bearer realm=\"https://accounts.google.com/\"",
        )
        .body(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>AuthenticationRequired</Code>\
             <Message>Authentication required.</Message></Error>",
        )
}

#[test]
fn service_accounts_and_what_google_answers() {
    let account = ServiceAccount::shared();
    let (plain, tls) = (FakeGcs::shared(), FakeGcs::shared_tls());
    let refusing = ScriptedHttp::always([refusal()]);
    let with = |name: &str, file: serde_json::Value| {
        let link = plain.anonymous_link(name);
        link.credential(ServiceAccount::LINK_KEY, file)
    };
    let refused = plain.service_account_link("refused", account);
    let refused = refused.config("endpoint_url", refusing.url());
    let mut cut = account.json();
    cut["private_key"] = account.private_key_pem()[..800].into();
    let cases = [
        good(
            plain.service_account_link("right", account),
            "public/team/",
            KEY_FILE,
        ),
        good(
            tls.service_account_link("right_tls", account),
            "public",
            KEY_FILE,
        ),
        good(
            with("as_text", account.json().to_string().into()),
            "public",
            KEY_FILE,
        ),
        good(plain.anonymous_link("open"), "public", ENDPOINT),
        bad(refused, "public", "authenticate.bad-credentials", KEY_FILE),
        fail(
            with("cut", cut),
            "public",
            "define.invalid-value",
            "",
            "/service_account_key/private_key",
        ),
    ];
    verify_all(&cases, &secrets(account));
}

#[test]
fn a_sentinel_is_written_only_when_asked_for() {
    let minio = Minio::shared_gcs();
    let link = minio.create_gcs_link("exports", &User::Writer.hmac_login());
    let script = format!("{link}SELECT 1 INTO LINK exports 'empty/binary/';\n");
    let left = || minio.store().list("empty", "binary/").unwrap();
    let unasked = report(&[], &script);
    let untried = "the right to write was not tried; --write tries it";
    assert_eq!(note(&unasked["checks"][0], "unproven"), untried);
    let asked = report(&["--write"], &script);
    let check = &asked["checks"][0];
    assert_eq!(check["verdict"], "warn", "{check:#}");
    assert!(note(check, "sentinel").starts_with("empty/binary/.linkdial-"));
    assert!(left().is_empty(), "{:?}", left());
}

/// Variables and files that Google's own clients read: none of them may decide a dial.
#[test]
fn identity_comes_from_no_variable_and_no_file() {
    let minio = Minio::shared_gcs();
    let key_file = ServiceAccount::generate("stranger").json().to_string();
    let home = tempfile::tempdir().unwrap();
    let gcloud = home.path().join(".config/gcloud");
    fs::create_dir_all(&gcloud).unwrap();
    let defaults = gcloud.join("application_default_credentials.json");
    fs::write(&defaults, &key_file).unwrap();
    let reader = User::ReadOnly.hmac_login();
    let verify = |link: LinkStatement| {
        let name = link.quoted_name();
        let pipeline =
            format!("CREATE PIPELINE p AS LOAD DATA LINK {name} 'private' INTO TABLE t;");
        let output = linkdial_in(
            &with_json(&[]),
            &format!("{link}{pipeline}\n"),
            &[
                ("HOME", path(home.path())),
                ("GOOGLE_APPLICATION_CREDENTIALS", path(&defaults)),
                ("GOOGLE_SERVICE_ACCOUNT", path(&defaults)),
                ("GOOGLE_SERVICE_ACCOUNT_KEY", &key_file),
                ("GCE_METADATA_HOST", "127.0.0.1:9"),
                ("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9"),
                ("AWS_ACCESS_KEY_ID", &reader.access_key_id),
                ("AWS_SECRET_ACCESS_KEY", &reader.secret_access_key),
                ("HTTP_PROXY", "http://127.0.0.1:9"),
            ],
        );
        read(&output)["checks"][0]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let nobody = minio.anonymous_gcs_link("nobody");
    assert_eq!(verify(nobody), "authenticate.required");

    let account = ServiceAccount::shared();
    let server = ScriptedHttp::always([refusal()]);
    let own = FakeGcs::shared().service_account_link("own", account);
    let own = own.config("endpoint_url", server.url());
    assert_eq!(verify(own), "authenticate.bad-credentials");
    assert_eq!(issuer(&server.requests()[0]), account.client_email());
}

/// Returns who signed the token of a request (RFC 7519, section 4.1.1).
fn issuer(request: &Recorded) -> String {
    let claims = request.header("authorization").unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims.split('.').nth(1).unwrap());
    let claims: serde_json::Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    claims["iss"].as_str().unwrap().to_owned()
}
