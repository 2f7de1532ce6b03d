//! Every `define.*` finding of an S3 link, from the text of its clauses.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::Outcome;
use linkdial_core::testing::record;

/// The findings as `outcome code CLAUSE/pointer`.
fn findings(credentials: &str, config: &str) -> Vec<String> {
    record::findings(&common::open(credentials, config).findings)
}

const PAIR: &str = r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"abc/def+ghi"}"#;

#[test]
fn the_good_examples_have_no_finding() {
    for (credentials, config) in [
        (PAIR, r#"{"region":"us-east-1"}"#),
        (PAIR, r#"{"endpoint_url":"http://minio:9000"}"#),
        ("{}", r#"{ "region": "us-east-1" }"#),
        ("", ""),
        (
            r#"{"aws_access_key_id":"ASIA1","aws_secret_access_key":"s","aws_session_token":"t"}"#,
            r#"{"region":"eu-west-1"}"#,
        ),
        (
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s","role_arn":"arn:aws:iam::123456789012:role/reader"}"#,
            r#"{"region":"us-east-1","disable_gunzip":"true","suffixes":["csv"],"request_payer":"requester"}"#,
        ),
        (
            PAIR,
            r#"{"region":"us-east-1","x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"alias/k1","multipart_chunk_size_mb":5,"file_time_threshold":1700000000,"s3_force_path_style":"false","compatibility_mode":true}"#,
        ),
    ] {
        assert_eq!(
            findings(credentials, config),
            [""; 0],
            "{credentials} {config}"
        );
    }
}

#[test]
fn identity_rules() {
    for (credentials, config, expected) in [
        (
            r#"{"aws_access_key_id":"AKIA1"}"#,
            "",
            "fail define.missing-key CREDENTIALS/aws_secret_access_key",
        ),
        (
            r#"{"aws_secret_access_key":"s3cr3t"}"#,
            "",
            "fail define.missing-key CREDENTIALS/aws_access_key_id",
        ),
        (
            r#"{"aws_access_key":"AKIA1","aws_secret_access_key":"s3cr3t"}"#,
            "",
            "fail define.missing-key CREDENTIALS/aws_access_key",
        ),
        (
            r#"{"aws_access_key_id":"AK\r\nIA1","aws_secret_access_key":"s3cr3t"}"#,
            "",
            "fail define.invalid-value CREDENTIALS/aws_access_key_id",
        ),
        (
            r#"{"aws_access_key_id":"ASIA1","aws_secret_access_key":"s","aws_session_token":"tä"}"#,
            "",
            "fail define.invalid-value CREDENTIALS/aws_session_token",
        ),
        (
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":""}"#,
            "",
            "fail define.invalid-value CREDENTIALS/aws_secret_access_key",
        ),
        (
            r#"{"aws_session_token":"t0ken"}"#,
            "",
            "fail define.missing-key CREDENTIALS/aws_access_key_id",
        ),
        (
            r#"{"aws_access_key_id":"ASIA1","aws_secret_access_key":"s"}"#,
            "",
            "fail define.temporary-key-without-token CREDENTIALS/aws_session_token",
        ),
        (
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s","aws_session_token":"t"}"#,
            "",
            "warn define.temporary-key-without-token CREDENTIALS/aws_session_token",
        ),
        (
            r#"{"role_arn":"arn:aws:iam::123456789012:role/reader"}"#,
            "",
            "unverified define.identity-not-here CREDENTIALS/role_arn",
        ),
        (
            "{}",
            r#"{"creds_mode":"eks_irsa"}"#,
            "unverified define.identity-not-here CONFIG/creds_mode",
        ),
        (
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s","role_arn":"arn:aws:iam::123456789012:user/x"}"#,
            "",
            "fail define.invalid-value CREDENTIALS/role_arn",
        ),
        (
            r#"{"aws_access_key_id":"abcdefghij/abcdefghij+abcdefghijabcdefgh","aws_secret_access_key":"AKIAABCDEFGHIJKLMNOP"}"#,
            "",
            "fail define.invalid-value CREDENTIALS/aws_access_key_id",
        ),
        (
            r#"{"aws_access_key_id":"your_access_key_id","aws_secret_access_key":"s"}"#,
            "",
            "fail define.placeholder-value CREDENTIALS/aws_access_key_id",
        ),
        (
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s3cr3t\n"}"#,
            "",
            "fail define.stray-whitespace CREDENTIALS/aws_secret_access_key",
        ),
        (
            "{}",
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s"}"#,
            "warn define.secret-in-config CONFIG/aws_secret_access_key",
        ),
    ] {
        let found = findings(credentials, config);
        assert_eq!(found, [expected], "{credentials} {config}");
    }
    let both = findings(PAIR, r#"{"creds_mode":"eks_irsa"}"#);
    assert!(
        both.contains(&"fail define.conflicting-keys CREDENTIALS/aws_access_key_id".to_owned())
    );
}

#[test]
fn endpoint_and_region_rules() {
    for (config, expected) in [
        (
            r#"{"endpoint_url":"minio:9000"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"minio"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"http://h/bucket"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"http://u:p@h"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":"http://h?x=1"}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":5}"#,
            "fail define.invalid-value CONFIG/endpoint_url",
        ),
        (
            r#"{"endpoint_url":["http://h"]}"#,
            "fail define.wrong-type CONFIG/endpoint_url",
        ),
        (
            r#"{"sts_endpoint_url":"http://h"}"#,
            "warn define.extension-key CONFIG/sts_endpoint_url",
        ),
        (
            r#"{"region":"US East"}"#,
            "fail define.invalid-value CONFIG/region",
        ),
        (
            r#"{"region":"xn--a"}"#,
            "fail define.invalid-value CONFIG/region",
        ),
        (
            r#"{"regoin":"us-east-1"}"#,
            "warn define.unknown-key CONFIG/regoin",
        ),
        (
            r#"{"s3_force_path_style":"yes"}"#,
            "fail define.wrong-type CONFIG/s3_force_path_style",
        ),
        (
            r#"{"multipart_chunk_size_mb":1}"#,
            "fail define.invalid-value CONFIG/multipart_chunk_size_mb",
        ),
        (
            r#"{"request_payer":"me"}"#,
            "fail define.invalid-value CONFIG/request_payer",
        ),
        (
            r#"{"region":"a","region":"b"}"#,
            "fail define.duplicate-key CONFIG/region",
        ),
    ] {
        assert_eq!(findings(PAIR, config), [expected], "{config}");
    }
}

#[test]
fn encryption_rules() {
    let key = STANDARD.encode([7_u8; 32]);
    let md5 = "lw9ZM7vVWCRFk5zRPEQZzg==";
    let customer = |key: &str, md5: &str, more: &str| {
        format!(
            r#"{{"x-amz-server-side-encryption-customer-algorithm":"AES256","x-amz-server-side-encryption-customer-key":"{key}","x-amz-server-side-encryption-customer-key-MD5":"{md5}"{more}}}"#
        )
    };
    let found = findings(PAIR, &customer(&key, md5, ""));
    assert_eq!(
        found,
        ["fail define.sse-customer-key CONFIG/x-amz-server-side-encryption-customer-key-MD5"],
        "that MD5 is of another key"
    );
    for (config, expected) in [
        (
            customer(&STANDARD.encode([7_u8; 16]), md5, ""),
            "fail define.sse-customer-key CONFIG/x-amz-server-side-encryption-customer-key",
        ),
        (
            customer("no base64!", md5, ""),
            "fail define.sse-customer-key CONFIG/x-amz-server-side-encryption-customer-key",
        ),
        (
            r#"{"x-amz-server-side-encryption":"AES256","x-amz-server-side-encryption-customer-algorithm":"AES256"}"#.to_owned(),
            "fail define.conflicting-keys CONFIG/x-amz-server-side-encryption",
        ),
        (
            r#"{"x-amz-server-side-encryption-aws-kms-key-id":"k"}"#.to_owned(),
            "fail define.conflicting-keys CONFIG/x-amz-server-side-encryption",
        ),
        (
            r#"{"x-amz-server-side-encryption":"ROT13"}"#.to_owned(),
            "fail define.invalid-value CONFIG/x-amz-server-side-encryption",
        ),
    ] {
        assert_eq!(findings(PAIR, &config), [expected], "{config}");
    }
    let incomplete = findings(
        PAIR,
        r#"{"x-amz-server-side-encryption-customer-algorithm":"AES128"}"#,
    );
    assert_eq!(incomplete.len(), 3, "{incomplete:?}");
    let plain = findings(
        PAIR,
        &customer(&key, md5, r#","endpoint_url":"http://127.0.0.1:9""#),
    );
    assert!(plain.contains(&"fail define.sse-customer-key CONFIG/endpoint_url".to_owned()));
}

#[test]
fn a_failing_definition_is_not_dialled() {
    let opened = common::open(r#"{"aws_access_key_id":"AKIA1"}"#, "");
    assert!(opened.provider.is_none());
    assert!(opened.findings.iter().any(|it| it.outcome == Outcome::Fail));
}

#[test]
fn no_text_holds_the_secret() {
    for config in [
        r#"{"endpoint_url":"http://u:m4rk3d-other@h"}"#,
        r#"{"endpoint_url":"http://:m4rk3d-other@h"}"#,
        r#"{"endpoint_url":"http://u:m4rk3d-other@h o"}"#,
        r#"{"endpoint_url":"u:m4rk3d-other@h"}"#,
        r#"{"endpoint_url":"http://h/?sig=m4rk3d-other"}"#,
        r#"{"x-amz-server-side-encryption-customer-key":"m4rk3d-secret"}"#,
        r#"{"region":"m4rk3d-secret!"}"#,
    ] {
        let credentials =
            r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"m4rk3d-secret"}"#;
        let opened = common::open(credentials, config);
        let shown = format!("{:?}", opened.findings);
        assert!(!shown.contains("m4rk3d"), "{config}: {shown}");
    }
}

#[test]
fn names_of_other_tools_are_known() {
    let credentials = r#"{"aws_access_key_id":"AKIA1","aws_secret_key":"s3cr3t"}"#;
    for (config, known) in [
        ("{}", "aws_secret_access_key"),
        (r#"{"aws_region":"eu-west-1"}"#, "region"),
        (r#"{"awsRegion":"eu-west-1"}"#, "region"),
    ] {
        let opened = common::open(credentials, config);
        let mut hints = opened.findings.iter().filter_map(|it| it.hint.as_deref());
        let named = format!("`{known}`");
        assert!(hints.any(|it| it.contains(&named)), "{config}");
    }
}
