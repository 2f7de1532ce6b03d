//! AZURE links against a real Azurite: keys, signatures, rights, plain and TLS.

mod common;

use common::{dial, dial_with, settings};
use linkdial_core::net::Net;
use linkdial_core::testing::record::{evidence, note, passed, summary};
use linkdial_core::{Intent, Settings, Stage};
use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{
    Azurite, Certificates, Error, ScriptedHttp, SharedAccess, StorageAccount,
};

const HOUR: i64 = 3600;

fn key(account: &StorageAccount) -> String {
    format!(
        r#"{{"account_name":"{}","account_key":"{}"}}"#,
        account.name, account.key
    )
}

fn sas(azurite: &Azurite, token: &str) -> String {
    let name = azurite.account_name();
    format!(r#"{{"account_name":"{name}","sas_token":"{token}"}}"#)
}

fn config(azurite: &Azurite) -> String {
    format!(r#"{{"endpoint_url":"{}"}}"#, azurite.endpoint_url())
}

/// A SAS of the account for blobs.
fn account_sas(
    account: &StorageAccount,
    permissions: &str,
    types: &str,
    seconds: i64,
) -> Result<String, Error> {
    let access = SharedAccess::account("b", types).permissions(permissions);
    access.expires_in(seconds).sign(account)
}

#[test]
fn keys_and_signatures() {
    let azurite = Azurite::shared();
    let account = azurite.account();
    let everything = account_sas(&account, "rcwdl", "sco", HOUR).unwrap();
    let one = SharedAccess::container("private").sign(&account).unwrap();
    let wrong = account.with_wrong_key();
    let changed = SharedAccess::container("private").sign(&wrong).unwrap();
    for (credentials, target, expected) in [
        (key(&account), Some("private/team/a/"), "pass"),
        (key(&account), Some("private/*.txt"), "pass"),
        (key(&account), Some("private"), "pass"),
        (key(&account), Some("public"), "pass"),
        (key(&account), Some("empty/nothing/"), "pass"),
        (key(&account), None, "pass"),
        (sas(azurite, &everything), Some("private"), "pass"),
        (sas(azurite, &everything), None, "pass"),
        (sas(azurite, &one), Some("private/team/"), "pass"),
        (
            sas(azurite, &account_sas(&account, "l", "s", HOUR).unwrap()),
            None,
            "pass",
        ),
        (
            key(&wrong),
            Some("private"),
            "fail authenticate.bad-secret CREDENTIALS/account_key",
        ),
        (
            key(&wrong),
            None,
            "fail authenticate.bad-secret CREDENTIALS/account_key",
        ),
        (
            key(&account),
            Some("no-such-container"),
            "fail access.not-found",
        ),
        (
            sas(azurite, &everything),
            Some("no-such-container"),
            "fail access.not-found",
        ),
        (
            sas(azurite, &changed),
            Some("private"),
            "fail authenticate.token-invalid CREDENTIALS/sas_token",
        ),
        (
            sas(azurite, &one),
            Some("empty"),
            "fail authenticate.token-invalid CREDENTIALS/sas_token",
        ),
        (
            sas(azurite, &account_sas(&account, "rl", "sco", -HOUR).unwrap()),
            Some("private"),
            "fail authenticate.token-expired CREDENTIALS/sas_token",
        ),
        (
            sas(azurite, &account_sas(&account, "r", "sco", HOUR).unwrap()),
            Some("private"),
            "fail access.denied CREDENTIALS/sas_token",
        ),
        (
            sas(azurite, &account_sas(&account, "l", "sco", HOUR).unwrap()),
            Some("private"),
            "fail read.denied CREDENTIALS/sas_token",
        ),
    ] {
        let steps = dial(&credentials, &config(azurite), target);
        assert_eq!(summary(&steps), expected, "{target:?} {steps:#?}");
    }
}

#[test]
fn what_was_read_is_noted() {
    let azurite = Azurite::shared();
    let steps = dial(
        &key(&azurite.account()),
        &config(azurite),
        Some("private/team/"),
    );
    assert_eq!(note(&steps, "objects"), Some("1"));
    assert_eq!(note(&steps, "object"), Some("private/team/a/one.txt"));
    assert_eq!(note(&steps, "account"), Some(azurite.account_name()));
    assert_eq!(
        passed(&steps),
        [
            Stage::Resolve,
            Stage::Connect,
            Stage::Authenticate,
            Stage::Access,
            Stage::Read
        ]
    );
    let steps = dial(&key(&azurite.account()), &config(azurite), Some("empty"));
    assert_eq!(note(&steps, "objects"), Some("0"));
    assert!(note(&steps, "unproven").is_some());
}

#[test]
fn names_with_every_letter_are_read() {
    let azurite = Azurite::shared();
    let blobs = azurite.blobs();
    blobs.make_container("odd-names").unwrap();
    for name in [
        "a b+c/d&e=f#g.csv",
        "ü/ß%20.csv",
        "trailing.dot./x'y(z).csv",
    ] {
        blobs.put("odd-names", name, b"hello\n").unwrap();
        let target = format!("odd-names/{name}");
        let steps = dial(&key(&azurite.account()), &config(azurite), Some(&target));
        assert_eq!(summary(&steps), "pass", "{name} {steps:#?}");
        assert_eq!(note(&steps, "object"), Some(target.as_str()));
    }
}

#[test]
fn an_empty_blob_is_read_whole() {
    let azurite = Azurite::shared();
    let blobs = azurite.blobs();
    blobs.make_container("hollow").unwrap();
    blobs.put("hollow", "nothing.csv", b"").unwrap();
    let steps = dial(&key(&azurite.account()), &config(azurite), Some("hollow"));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert_eq!(note(&steps, "object"), Some("hollow/nothing.csv"));
}

#[test]
fn what_is_archived_is_known_by_its_tier_and_by_the_answer() {
    let azurite = Azurite::shared();
    let blobs = azurite.blobs();
    blobs.make_container("frozen").unwrap();
    for name in ["a.csv", "b.csv"] {
        blobs.put("frozen", name, b"hello\n").unwrap();
    }
    blobs.set_tier("frozen", "a.csv", "Archive").unwrap();
    let account = key(&azurite.account());
    // The listing says which one is online.
    let steps = dial(&account, &config(azurite), Some("frozen"));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert_eq!(note(&steps, "object"), Some("frozen/b.csv"));
    let steps = dial(&account, &config(azurite), Some("frozen/a"));
    assert_eq!(summary(&steps), "fail read.archived", "{steps:#?}");
    assert_eq!(evidence(&steps, "remote_code"), Some("BlobArchived"));
}

#[test]
fn suffixes_choose_what_is_read() {
    let azurite = Azurite::shared();
    let with = |suffix: &str| {
        format!(
            r#"{{"endpoint_url":"{}","suffixes":["{suffix}"]}}"#,
            azurite.endpoint_url()
        )
    };
    let account = key(&azurite.account());
    let steps = dial(&account, &with("one.txt"), Some("private"));
    assert_eq!(note(&steps, "object"), Some("private/team/a/one.txt"));
    let steps = dial(&account, &with("csv"), Some("private"));
    assert_eq!(summary(&steps), "pass");
    assert_eq!(note(&steps, "object"), None);
}

#[test]
fn a_sentinel_is_written_and_does_not_stay() {
    let azurite = Azurite::shared();
    let account = azurite.account();
    let blobs = azurite.blobs();
    blobs.make_container("exports").unwrap();
    let settings = || Settings {
        write: true,
        ..settings()
    };
    let write = |credentials: &str| {
        let config = config(azurite);
        dial_with(
            credentials,
            &config,
            Some("exports/out/"),
            Intent::WRITE,
            settings(),
        )
    };
    let writer = SharedAccess::container("exports").permissions("rcdl");
    let token = writer.sign(&account).unwrap();
    for credentials in [key(&account), sas(azurite, &token)] {
        let steps = write(&credentials);
        assert_eq!(summary(&steps), "pass", "{steps:#?}");
        assert!(passed(&steps).contains(&Stage::Write));
        let sentinel = note(&steps, "sentinel").unwrap();
        assert!(sentinel.starts_with("exports/out/.linkdial-"), "{sentinel}");
        assert!(blobs.list("exports", "").unwrap().is_empty());
    }
    let reader = SharedAccess::container("exports").sign(&account).unwrap();
    let steps = write(&sas(azurite, &reader));
    assert_eq!(summary(&steps), "fail write.denied CREDENTIALS/sas_token");
}

#[test]
fn an_account_that_is_not_there() {
    let azurite = Azurite::shared();
    let other = StorageAccount::new("stranger", azurite.account_key());
    let url = azurite.endpoint_url();
    let elsewhere = url.replace(azurite.account_name(), "stranger");
    let elsewhere = format!(r#"{{"endpoint_url":"{elsewhere}"}}"#);
    for target in [Some("private"), None] {
        let steps = dial(&key(&other), &elsewhere, target);
        assert_eq!(
            summary(&steps),
            "fail authenticate.unknown-key CREDENTIALS/account_name"
        );
        assert_eq!(evidence(&steps, "remote_code"), Some("ResourceNotFound"));
    }
}

#[test]
fn tls_and_its_faults() {
    let plain = Azurite::shared();
    let tls = Azurite::shared_tls();
    let account = key(&tls.account());
    let steps = dial(&account, &config(tls), Some("private"));
    assert_eq!(summary(&steps), "pass", "{steps:#?}");
    assert!(passed(&steps).contains(&Stage::Tls));
    let steps = dial(
        &key(&tls.account().with_wrong_key()),
        &config(tls),
        Some("private"),
    );
    assert_eq!(
        summary(&steps),
        "fail authenticate.bad-secret CREDENTIALS/account_key"
    );
    let https_to_plain = config(plain).replace("http:", "https:");
    let steps = dial(&account, &https_to_plain, Some("private"));
    assert_eq!(summary(&steps), "fail tls.not-tls CONFIG/endpoint_url");
    let plain_to_https = config(tls).replace("https:", "http:");
    // It hangs up on a request that is no handshake.
    let steps = dial(&account, &plain_to_https, Some("private"));
    assert_eq!(summary(&steps), "fail connect.reset CONFIG/endpoint_url");
    let untrusting = Settings {
        net: Net::default(),
        ..settings()
    };
    let steps = dial_with(
        &account,
        &config(tls),
        Some("private"),
        Intent::READ,
        untrusting,
    );
    assert_eq!(
        summary(&steps),
        "fail tls.unknown-issuer CONFIG/endpoint_url"
    );
    let certificates = Certificates::shared();
    let stranger =
        ScriptedHttp::script().start_tls(certificates.server_tls(certificates.unknown_issuer()));
    let wrong_ca = format!(r#"{{"endpoint_url":"{}"}}"#, stranger.url());
    let steps = dial(&account, &wrong_ca, Some("private"));
    assert_eq!(
        summary(&steps),
        "fail tls.unknown-issuer CONFIG/endpoint_url"
    );
    assert!(stranger.requests().is_empty());
}

#[test]
fn a_silent_server_costs_a_stage() {
    let silent = Broken::start(Fault::Silent);
    let config = format!(r#"{{"endpoint_url":"{}"}}"#, silent.url());
    let quick = Settings {
        stage_timeout: std::time::Duration::from_millis(300),
        ..settings()
    };
    let account = key(&Azurite::shared().account());
    let steps = dial_with(&account, &config, None, Intent::READ, quick);
    assert_eq!(
        summary(&steps),
        "fail authenticate.timed-out CONFIG/endpoint_url"
    );
}
