//! Every `define.*` finding of an AZURE link, from the text of its clauses.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{KEY, SHARED_KEY, SIGNATURE, good_sas, sas};
use linkdial_core::testing::record;

/// The findings as `outcome code CLAUSE/pointer`, without those about keys of our own.
fn findings(credentials: &str, config: &str) -> Vec<String> {
    let mut findings = record::findings(&common::open(credentials, config).findings);
    findings.retain(|finding| !finding.contains("define.extension-key"));
    findings
}

fn account(name: &str) -> String {
    format!(r#"{{"account_name":"{name}","account_key":"{KEY}"}}"#)
}

fn key(key: &str) -> String {
    format!(r#"{{"account_name":"orders","account_key":"{key}"}}"#)
}

#[test]
fn the_good_examples_have_no_finding() {
    for (credentials, config) in [
        (SHARED_KEY.to_owned(), ""),
        (
            SHARED_KEY.to_owned(),
            r#"{"disable_gunzip":"true","suffixes":["csv"]}"#,
        ),
        (
            SHARED_KEY.to_owned(),
            r#"{"endpoint_url":"http://127.0.0.1:10000/orders/"}"#,
        ),
        (
            SHARED_KEY.to_owned(),
            r#"{"endpoint_url":"https://orders.blob.core.chinacloudapi.cn"}"#,
        ),
        (
            SHARED_KEY.to_owned(),
            r#"{"endpoint_url":"https://orders-secondary.blob.core.windows.net"}"#,
        ),
        (
            SHARED_KEY.to_owned(),
            r#"{"endpoint_url":"https://orders.z13.blob.storage.azure.net"}"#,
        ),
        (good_sas(), ""),
        (
            sas("ss=b&srt=sco&sp=rl&spr=https&st=2024-01-01&se=2099-01-01"),
            "",
        ),
        (sas("sr=c&si=policy"), ""),
        (good_sas().replace("sv=", "?sv="), ""),
    ] {
        assert_eq!(
            findings(&credentials, config),
            [""; 0],
            "{credentials} {config}"
        );
    }
}

#[test]
fn what_is_there_and_empty_is_a_finding() {
    let expected = "fail define.invalid-value CREDENTIALS/account_key";
    assert_eq!(findings(&key(""), ""), [expected]);
    let expected = "fail define.invalid-value CONFIG/endpoint_url";
    assert_eq!(findings(SHARED_KEY, r#"{"endpoint_url":""}"#), [expected]);
}

#[test]
fn a_key_in_quotes_or_two_lines_is_one_finding() {
    for (value, code) in [
        (format!("'{KEY}'"), "define.stray-whitespace"),
        (KEY.replace("d/k", "d/k\\n"), "define.invalid-value"),
        (KEY.replace("d/k", "d/k\n"), "define.raw-line-break"),
    ] {
        let expected = format!("fail {code} CREDENTIALS/account_key");
        assert_eq!(findings(&key(&value), ""), [expected]);
    }
}

#[test]
fn a_parameter_of_a_signature_stands_once() {
    let other = "sig=b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyMDA%3D";
    for twice in [other, "sp=r"] {
        let credentials = good_sas().replace("sv=", &format!("{twice}&sv="));
        let opened = common::open(&credentials, "");
        let finding = opened.findings.last().unwrap();
        assert_eq!(finding.message, "`sas_token` has a parameter twice");
        assert_eq!(finding.code.as_str(), "define.invalid-value");
    }
}

#[test]
fn keys_of_our_own_are_named() {
    let opened = common::open(
        &good_sas(),
        r#"{"endpoint_url":"https://orders.blob.test"}"#,
    );
    assert_eq!(
        record::findings(&opened.findings),
        ["warn define.extension-key CREDENTIALS/sas_token"]
    );
    let second = &opened.findings[0].keys[1];
    assert_eq!(second.pointer, "/endpoint_url");
    assert!(opened.provider.is_some());
}

#[test]
fn identity_rules() {
    let short = STANDARD.encode([7_u8; 32]);
    let both = good_sas().replace('}', &format!(r#","account_key":"{KEY}"}}"#));
    for (credentials, config, expected) in [
        (
            r#"{"account_name":"orders"}"#.to_owned(),
            "",
            "fail define.missing-key CREDENTIALS/account_key",
        ),
        (
            format!(r#"{{"account_key":"{KEY}"}}"#),
            "",
            "fail define.missing-key CREDENTIALS/account_name",
        ),
        (
            format!(r#"{{"acount_name":"orders","account_key":"{KEY}"}}"#),
            "",
            "fail define.missing-key CREDENTIALS/acount_name",
        ),
        (
            account("Orders"),
            "",
            "fail define.invalid-value CREDENTIALS/account_name",
        ),
        (
            account("orders.blob.core.windows.net"),
            "",
            "fail define.invalid-value CREDENTIALS/account_name",
        ),
        (
            key("m4rk3d no base64"),
            "",
            "fail define.invalid-value CREDENTIALS/account_key",
        ),
        (
            key(&short),
            "",
            "fail define.invalid-value CREDENTIALS/account_key",
        ),
        (
            key(&short),
            r#"{"endpoint_url":"http://127.0.0.1:10000/orders"}"#,
            "warn define.invalid-value CREDENTIALS/account_key",
        ),
        (
            key("DefaultEndpointsProtocol=https;AccountName=orders;AccountKey=m4rk3d=="),
            "",
            "fail define.invalid-value CREDENTIALS/account_key",
        ),
        (
            key("your_account_key"),
            "",
            "fail define.placeholder-value CREDENTIALS/account_key",
        ),
        (
            both,
            "",
            "fail define.conflicting-keys CREDENTIALS/account_key",
        ),
    ] {
        let found = findings(&credentials, config);
        assert_eq!(
            found.first().map(String::as_str),
            Some(expected),
            "{credentials} {config}"
        );
    }
    let neither = findings("{}", "");
    assert_eq!(neither.len(), 2, "{neither:?}");
    let config = format!(r#"{{"account_key":"{KEY}"}}"#);
    assert_eq!(
        findings(r#"{"account_name":"orders"}"#, &config),
        ["warn define.secret-in-config CONFIG/account_key"]
    );
}

#[test]
fn a_signature_is_read_before_it_is_sent() {
    for (credentials, config, expected) in [
        (
            sas("sr=c&sp=rl"),
            "",
            "fail define.invalid-value CREDENTIALS/sas_token",
        ),
        (
            sas("sp=rl&se=2099-01-01"),
            "",
            "fail define.invalid-value CREDENTIALS/sas_token",
        ),
        (
            sas("sr=c&sp=rl&se=soon"),
            "",
            "fail define.invalid-value CREDENTIALS/sas_token",
        ),
        (
            good_sas().replace("sig=", "sg="),
            "",
            "fail define.invalid-value CREDENTIALS/sas_token",
        ),
        (
            good_sas().replace("%2B", "+"),
            "",
            "fail define.invalid-value CREDENTIALS/sas_token",
        ),
        (
            good_sas().replace("sv=", "https://orders.blob.core.windows.net/box?sv="),
            "",
            "fail define.invalid-value CREDENTIALS/sas_token",
        ),
        (
            sas("sr=c&sp=rl&spr=https&se=2099-01-01"),
            r#"{"endpoint_url":"http://127.0.0.1:10000/orders"}"#,
            "fail define.conflicting-keys CONFIG/endpoint_url",
        ),
    ] {
        assert_eq!(
            findings(&credentials, config),
            [expected],
            "{credentials} {config}"
        );
    }
}

#[test]
fn endpoint_rules() {
    for (config, expected) in [
        (
            r#"{"endpoint_url":"orders.blob.core.windows.net"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"https://u:p@h"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"https://h/?sv=1"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"http://127.0.0.1:10000/orders/box"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"https://orders.dfs.core.windows.net"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"https://other.blob.core.windows.net"}"#,
            "fail define.conflicting-keys CREDENTIALS/account_name",
        ),
        (
            r#"{"endpoint_url":"http://127.0.0.1:10000/other"}"#,
            "fail define.conflicting-keys CREDENTIALS/account_name",
        ),
        (
            r#"{"sufixes":["csv"]}"#,
            "warn define.unknown-key CONFIG/sufixes",
        ),
    ] {
        assert_eq!(findings(SHARED_KEY, config), [expected], "{config}");
    }
}

#[test]
fn the_hint_for_an_address_holds_for_an_emulator() {
    let opened = common::open(
        SHARED_KEY,
        r#"{"endpoint_url":"http://127.0.0.1:10000/orders/box"}"#,
    );
    let finding = opened.findings.last().unwrap();
    let hint = finding.hint.as_deref().unwrap();
    assert!(hint.contains("ends with the account"), "{hint}");
    let (_, allowed) = &finding.evidence[1];
    assert!(allowed.ends_with("host[:port]/ACCOUNT"), "{allowed}");
}

#[test]
fn no_text_holds_a_secret() {
    for (credentials, config) in [
        (key("m4rk3dm4rk3d"), ""),
        (key("AccountKey=m4rk3dm4rk3d"), ""),
        (
            format!(r#"{{"account_name":"{KEY}","account_key":"x"}}"#),
            "",
        ),
        (good_sas(), r#"{"endpoint_url":"http://u:m4rk3dm4rk3d@h"}"#),
        (good_sas().replace("sr=c", "sr="), ""),
        (good_sas().replace("sv=", "https://h/?sv="), ""),
        (good_sas().replace("sig=", "sig=x"), ""),
        (
            good_sas(),
            r#"{"endpoint_url":"http://h/?sig=m4rk3dm4rk3d"}"#,
        ),
    ] {
        let opened = common::open(&credentials, config);
        let shown = format!("{opened:?}");
        assert!(!shown.contains("m4rk3d"), "{credentials} {config}: {shown}");
        assert!(
            !shown.contains(SIGNATURE),
            "{credentials} {config}: {shown}"
        );
    }
}

#[test]
fn names_and_logins_of_others_say_what_is_meant() {
    for (credentials, expected, hint) in [
        (
            format!(r#"{{"connection_string":"AccountName=orders;AccountKey={KEY}"}}"#),
            "fail define.unknown-key CREDENTIALS/connection_string",
            "take AccountName and AccountKey out of it",
        ),
        (
            r#"{"tenant_id":"tenant-1","client_id":"client-1","client_secret":"s3cr3t"}"#
                .to_owned(),
            "fail define.unknown-key CREDENTIALS/tenant_id",
            "SingleStore logs in with the account's key only",
        ),
        (
            format!(r#"{{"storage_account_name":"orders","account_key":"{KEY}"}}"#),
            "fail define.missing-key CREDENTIALS/storage_account_name",
            "rename it to `account_name`",
        ),
        (
            format!(r#"{{"account_name":"orders","key":"{KEY}"}}"#),
            "fail define.missing-key CREDENTIALS/key",
            "rename it to `account_key`",
        ),
    ] {
        let opened = common::open(&credentials, "");
        assert_eq!(findings(&credentials, ""), [expected]);
        let found = opened.findings[0].hint.as_deref().unwrap();
        assert!(found.contains(hint), "{found}");
    }
}

#[test]
fn a_host_of_the_cloud_is_the_blob_service_of_an_account() {
    let expected = "fail define.invalid-value CONFIG/endpoint_url";
    for (host, hint) in [
        ("orders.file.core.windows.net", "write .blob. for .file."),
        ("orders.queue.core.windows.net", "write .blob. for .queue."),
        (
            "blob.core.windows.net",
            "https://orders.blob.core.windows.net",
        ),
        ("core.windows.net", "https://orders.blob.core.windows.net"),
    ] {
        let config = format!(r#"{{"endpoint_url":"https://{host}"}}"#);
        assert_eq!(findings(SHARED_KEY, &config), [expected], "{host}");
        let opened = common::open(SHARED_KEY, &config);
        let found = opened.findings.last().unwrap().hint.as_deref().unwrap();
        assert!(found.contains(hint), "{found}");
    }
}

#[test]
fn a_swapped_name_and_key_are_one_finding() {
    let credentials = format!(r#"{{"account_name":"{KEY}","account_key":"orders"}}"#);
    let opened = common::open(&credentials, "");
    let [finding] = opened.findings.as_slice() else {
        panic!("{:#?}", opened.findings);
    };
    assert_eq!(
        finding.message,
        "`account_name` and `account_key` are swapped"
    );
}

#[test]
fn what_is_no_account_is_not_shown() {
    let opened = common::open(&account("Tr0ub4dor-and-3"), "");
    let text = format!("{:?}", opened.findings);
    assert!(
        text.contains("is not the name of a storage account"),
        "{text}"
    );
    assert!(!text.contains("Tr0ub4dor"), "{text}");
}

#[test]
fn both_near_misses_are_named_at_once() {
    let credentials = format!(r#"{{"acount_name":"orders","acount_key":"{KEY}"}}"#);
    let opened = common::open(&credentials, "");
    let hint = opened.findings[0].hint.as_deref().unwrap();
    assert_eq!(
        hint,
        "`acount_name` stands there; rename it to `account_name`, and `acount_key` to `account_key`"
    );
}
