//! AZURE links through the real binary, against real Azurites and broken servers: exact verdict, code
//! and guilty key of each, nothing left behind, and no secret in any text.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod lab;

use lab::{Case, evidence, fail, note, path, report, script, verify};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{
    Azurite, Certificates, DnsAnswer, DnsServer, LinkStatement, ScriptedHttp, SharedAccess,
    StorageAccount,
};

const HOUR: i64 = 3600;
const ENDPOINT: &str = "/endpoint_url";

/// Every link to a server of ours warns of the key that says where it is.
fn good(link: LinkStatement, target: &str) -> Case {
    fail(link, target, "define.extension-key", "", ENDPOINT).verdict("warn")
}

/// What is found while dialling, at the link's only endpoint.
fn bad(link: LinkStatement, target: &str, code: &'static str, key: &'static str) -> Case {
    fail(link, target, code, "endpoint", key)
}

fn keyed(azurite: &Azurite, name: &str) -> LinkStatement {
    azurite.create_link(name, &azurite.account())
}

#[test]
fn links_and_an_azurite() {
    let plain = Azurite::shared();
    let tls = Azurite::shared_tls();
    let account = plain.account();
    let wrong = account.with_wrong_key();
    let stranger = StorageAccount::new("stranger", account.key.as_str());
    let at = |link: LinkStatement, url: String| link.config("endpoint_url", url);
    let certificates = Certificates::shared();
    let foreign =
        ScriptedHttp::script().start_tls(certificates.server_tls(certificates.unknown_issuer()));
    let silent = Broken::start(Fault::Silent);
    let sas = |permissions: &str, seconds| {
        let access = SharedAccess::container("private").permissions(permissions);
        access.expires_in(seconds).sign(&account).unwrap()
    };
    let forged = SharedAccess::container("private").sign(&wrong).unwrap();
    let cases = [
        good(keyed(plain, "right"), "private/team/a/"),
        good(keyed(tls, "right_tls"), "private"),
        fail(
            plain.shared_access_link("right_sas", &sas("rl", HOUR)),
            "private/*.txt",
            "define.extension-key",
            "",
            "/sas_token",
        )
        .verdict("warn"),
        bad(
            plain.create_link("wrong_key", &wrong),
            "private",
            "authenticate.bad-secret",
            "/account_key",
        ),
        bad(
            tls.create_link("wrong_key_tls", &wrong),
            "private",
            "authenticate.bad-secret",
            "/account_key",
        ),
        fail(
            keyed(plain, "malformed_key").credential("account_key", "m4rk3d no base64"),
            "private",
            "define.invalid-value",
            "",
            "/account_key",
        ),
        bad(
            at(
                plain.create_link("wrong_account", &stranger),
                plain
                    .endpoint_url()
                    .replace(plain.account_name(), "stranger"),
            ),
            "private",
            "authenticate.unknown-key",
            "/account_name",
        ),
        bad(
            keyed(plain, "missing_container"),
            "no-such-container",
            "access.not-found",
            "",
        ),
        fail(
            plain.shared_access_link("expired_sas", &sas("rl", -HOUR)),
            "private",
            "authenticate.token-expired",
            "",
            "/sas_token",
        ),
        fail(
            plain.shared_access_link("no_list_sas", &sas("r", HOUR)),
            "private",
            "access.denied",
            "",
            "/sas_token",
        ),
        bad(
            plain.shared_access_link("forged_sas", &forged),
            "private",
            "authenticate.token-invalid",
            "/sas_token",
        ),
        bad(
            at(
                keyed(plain, "https_to_plain"),
                plain.endpoint_url().replace("http:", "https:"),
            ),
            "private",
            "tls.not-tls",
            ENDPOINT,
        ),
        bad(
            at(keyed(plain, "wrong_ca"), foreign.url()),
            "private",
            "tls.unknown-issuer",
            ENDPOINT,
        ),
        bad(
            at(keyed(plain, "silent"), silent.url()),
            "private",
            "access.timed-out",
            ENDPOINT,
        ),
    ];
    let ca = certificates.ca_file();
    let checks = verify(&["--ca-file", path(ca), "--timeout", "1s"], &cases);
    assert_eq!(note(&checks[0], "object"), "private/team/a/one.txt");
    assert_eq!(note(&checks[2], "sas_hours_left"), "0");
    assert_eq!(evidence(&checks[3], "remote_code"), "AuthorizationFailure");
}

#[test]
fn a_link_alone_proves_its_key() {
    let azurite = Azurite::shared();
    let script = keyed(azurite, "alone").to_string();
    let report = report(&[], &script);
    let check = &report["checks"][0];
    assert_eq!(check["code"], "define.extension-key", "{check:#}");
    assert_eq!(note(check, "account"), azurite.account_name());
    assert_eq!(
        note(check, "unproven"),
        "no container was tried: nothing says which one"
    );
}

#[test]
fn an_account_of_the_public_cloud_is_its_name() {
    let server = DnsServer::always(DnsAnswer::NotFound);
    let link = keyed(Azurite::shared(), "cloud").without("endpoint_url");
    let address = server.addr().to_string();
    let checks = verify(
        &["--dns-server", &address],
        &[bad(link, "box", "resolve.not-found", "/account_name")],
    );
    let mut steps = checks[0]["steps"].as_array().unwrap().iter();
    let endpoint = "linkdialtest.blob.core.windows.net:443";
    assert!(steps.any(|step| step["endpoint"] == endpoint));
    assert_eq!(checks[0]["diagnosis"]["keys"][0]["clause"], "CREDENTIALS");
}

#[test]
fn nothing_stays_of_what_is_written() {
    let azurite = Azurite::shared();
    let blobs = azurite.blobs();
    blobs.make_container("exported").unwrap();
    let access = SharedAccess::container("exported").permissions("rcdl");
    let sas = access.sign(&azurite.account()).unwrap();
    for link in [
        keyed(azurite, "exports"),
        azurite.shared_access_link("exports", &sas),
    ] {
        let script = format!("{link}SELECT * FROM t INTO LINK exports 'exported/out/';");
        let unasked = report(&[], &script);
        assert_eq!(
            note(&unasked["checks"][0], "unproven"),
            "the right to write was not tried; --write tries it"
        );
        let report = report(&["--write"], &script);
        let check = &report["checks"][0];
        assert_eq!(check["verdict"], "warn", "{check:#}");
        assert!(note(check, "sentinel").starts_with("exported/out/.linkdial-"));
        assert!(blobs.list("exported", "").unwrap().is_empty());
    }
}

#[test]
fn no_text_holds_a_key_or_a_signature() {
    let plain = Azurite::shared();
    let account = plain.account();
    let wrong = account.with_wrong_key();
    let sas = SharedAccess::container("private").sign(&account).unwrap();
    let forged = SharedAccess::container("private").sign(&wrong).unwrap();
    let links = [
        keyed(plain, "right"),
        plain.create_link("wrong", &wrong),
        keyed(plain, "short").credential("account_key", "m4rk3dm4rk3dm4rk3d"),
        plain.shared_access_link("right_sas", &sas),
        plain.shared_access_link("forged_sas", &forged),
        plain.shared_access_link("cut_sas", &sas[..sas.len() - 8]),
        keyed(plain, "both").credential("sas_token", sas.as_str()),
    ];
    let cases: Vec<Case> = links.map(|link| good(link, "private")).into();
    let script = script(&cases);
    let signature = |token: &str| token.split_once("sig=").unwrap().1[..20].to_owned();
    let secrets = [
        account.key[..20].to_owned(),
        wrong.key[..20].to_owned(),
        "m4rk3d".to_owned(),
        signature(&sas),
        signature(&forged),
    ];
    for (name, text) in lab::every_text(&[], &script) {
        assert!(!text.is_empty(), "{name} is empty");
        for secret in &secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{name} shows {secret}:\n{text}"
            );
        }
    }
}

/// Variables that other programs read: none of them may decide a dial.
#[test]
fn identity_comes_from_no_variable() {
    let azurite = Azurite::shared();
    let account = azurite.account();
    let link = azurite.create_link("wrong", &account.with_wrong_key());
    let script = format!("{link}CREATE PIPELINE p AS LOAD DATA LINK wrong 'private' INTO TABLE t;");
    let connection = azurite.connection_string();
    let output = lab::linkdial_in(
        &["verify", "--format", "json"],
        &script,
        &[
            ("AZURE_STORAGE_ACCOUNT", account.name.as_str()),
            ("AZURE_STORAGE_ACCOUNT_KEY", account.key.as_str()),
            ("AZURE_STORAGE_ACCOUNT_NAME", account.name.as_str()),
            ("AZURE_STORAGE_CONNECTION_STRING", connection.as_str()),
            ("AZURE_STORAGE_KEY", account.key.as_str()),
            ("AZURE_STORAGE_USE_EMULATOR", "true"),
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("ALL_PROXY", "http://127.0.0.1:9"),
        ],
    );
    let report = lab::read(&output);
    assert_eq!(report["checks"][0]["code"], "authenticate.bad-secret");
}
