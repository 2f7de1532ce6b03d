//! What is printed when a right is missing, for names of strangers and keys of KMS.

mod common;

use common::{ONE, PAIR, config, dial, dial_with, error, settings, xml};
use linkdial_core::{Intent, Language, Policy, Settings, Step};
use linkdial_testcontainers::{Answer, Match, ScriptedHttp};
use serde_json::{Value, json};

fn policies(steps: &[Step]) -> Vec<Policy> {
    let findings = steps.iter().filter_map(|step| step.diagnosis.as_ref());
    findings.flat_map(|it| it.policy.clone()).collect()
}

/// The statements of the only policy.
fn statements(steps: &[Step]) -> Value {
    let policies = policies(steps);
    assert_eq!(policies.len(), 1, "{steps:#?}");
    assert_eq!(policies[0].language, Language::Json);
    let document: Value = serde_json::from_str(&policies[0].text).expect("a document");
    assert_eq!(document["Version"], "2012-10-17");
    document["Statement"].clone()
}

fn denied() -> Answer {
    error(403, "AccessDenied", "Access Denied")
}

#[test]
fn names_are_those_of_the_target_whatever_they_hold() {
    let server = ScriptedHttp::always([denied()]);
    let target = r#"bucket/a"b${x}\c'/"#;
    let steps = dial(PAIR, &config(&server), Some(target));
    let statements = statements(&steps);
    let prefix = &statements[0]["Condition"]["StringLike"]["s3:prefix"];
    // A `$` would begin a variable.
    assert_eq!(prefix, r#"a"b${$}{x}\c'/*"#);
    let objects = &statements[1]["Resource"];
    assert_eq!(objects, r#"arn:aws:s3:::bucket/a"b${$}{x}\c'/*"#);
}

#[test]
fn the_region_decides_about_the_partition() {
    let server = ScriptedHttp::always([denied()]);
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ] {
        let url = server.url();
        let config = format!(r#"{{"endpoint_url": "{url}", "region": "{region}"}}"#);
        let statements = statements(&dial(PAIR, &config, Some("bucket")));
        assert_eq!(
            statements[0]["Resource"],
            format!("arn:{partition}:s3:::bucket")
        );
    }
}

#[test]
fn what_is_no_missing_right_has_no_policy() {
    for code in ["AllAccessDisabled", "AccountProblem", "NoSuchBucket"] {
        let server = ScriptedHttp::always([error(403, code, "no")]);
        let steps = dial(PAIR, &config(&server), Some("bucket"));
        assert_eq!(policies(&steps), [], "{code}");
    }
}

#[test]
fn a_key_of_kms_that_a_stranger_names_is_not_passed_on() {
    const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab";
    let read = |message: &str| {
        let server = ScriptedHttp::script()
            .on(Match::any().query("list-type=2"), [xml(ONE)])
            .on(Match::any(), [error(403, "AccessDenied", message)])
            .start();
        dial(PAIR, &config(&server), Some("bucket"))
    };
    let words = "User: x is not authorized to perform: kms:Decrypt on resource:";
    // Another store than AWS may name any key: none of its words gets into a policy.
    for named in [ARN, "*", "arn:aws:s3:::bucket", "arn:aws:kms:x:y:key/*"] {
        let steps = read(&format!("{words} {named} because no policy allows it"));
        assert_eq!(policies(&steps), [], "{named}");
    }
}

#[test]
fn who_writes_with_a_key_of_kms_may_use_it_for_that() {
    let server = ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(common::EMPTY)])
        .on(
            Match::any(),
            [error(403, "AccessDenied", "kms:GenerateDataKey")],
        )
        .start();
    let config = format!(
        r#"{{"endpoint_url": "{}", "region": "eu-west-1", "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "1234abcd-12ab"}}"#,
        server.url()
    );
    let settings = Settings {
        write: true,
        ..settings()
    };
    let steps = dial_with(PAIR, &config, Some("bucket"), Intent::WRITE, settings);
    let statements = statements(&steps);
    // The sentinel is read back.
    assert_eq!(
        statements[0]["Action"],
        json!(["kms:GenerateDataKey", "kms:Decrypt"])
    );
    assert_eq!(
        statements[0]["Resource"],
        "arn:aws:kms:eu-west-1:*:key/1234abcd-12ab"
    );
}

#[test]
fn a_refused_role_has_a_trust_policy() {
    const CALLER: &str = "arn:aws:iam::123456789012:user/loader";
    const ROLE: &str = "arn:aws:iam::210987654321:role/reader";
    let message = format!("User: {CALLER} is not authorized to perform: sts:AssumeRole");
    let body = format!(
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error>\
         </ErrorResponse>"
    );
    let server = ScriptedHttp::always([Answer::status(403).body(body)]);
    let credentials = format!(
        r#"{{"aws_access_key_id": "AKIAMARKED", "aws_secret_access_key": "m4rk3d/secret+",
            "role_arn": "{ROLE}", "external_id": "shop-7"}}"#
    );
    let steps = dial(&credentials, &config(&server), Some("bucket"));
    let policies = policies(&steps);
    let texts: Vec<Value> = policies
        .iter()
        .map(|policy| serde_json::from_str(&policy.text).unwrap())
        .collect();
    assert_eq!(
        texts[0]["Statement"],
        json!([{
            "Effect": "Allow",
            // It is not AWS that names the caller.
            "Principal": {"AWS": "CALLER_ARN"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "shop-7"}},
        }])
    );
    assert_eq!(
        texts[1]["Statement"],
        json!([{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ROLE}])
    );
    assert!(policies[0].title.contains(ROLE));
}
