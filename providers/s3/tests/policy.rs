//! What is printed when a right is missing, for names of strangers and keys of KMS.

mod common;

use std::net::Ipv4Addr;

use common::{ONE, PAIR, config, dial, dial_with, error, settings, xml};
use linkdial_core::net::Net;
use linkdial_core::{Intent, Language, Policy, Settings, Step};
use linkdial_testcontainers::{Answer, Certificates, Match, Script, ScriptedHttp};
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

/// Dials AWS, which is played on loopback under its names with certificates for them; `plain` goes
/// without.
fn at_aws(script: Script, credentials: &str, plain: bool) -> Vec<Step> {
    const S3: &str = "s3.eu-west-1.amazonaws.com";
    const BUCKET: &str = "bucket.s3.eu-west-1.amazonaws.com";
    const STS: &str = "sts.eu-west-1.amazonaws.com";
    let authority = Certificates::shared();
    let (scheme, server) = if plain {
        ("http", script.start())
    } else {
        let identity = authority.issue(&[S3, BUCKET, STS]);
        ("https", script.start_tls(authority.server_tls(&identity)))
    };
    let net = Net::builder().ca_pem(authority.ca_pem().as_bytes());
    let net = net.expect("the authority is one");
    let net = [S3, BUCKET, STS].into_iter().fold(net, |net, name| {
        net.resolve(name, Ipv4Addr::LOCALHOST.into())
    });
    let port = server.addr().port();
    let config = format!(
        r#"{{"endpoint_url": "{scheme}://{S3}:{port}", "sts_endpoint_url": "{scheme}://{STS}:{port}",
            "region": "eu-west-1"}}"#
    );
    let settings = Settings {
        net: net.build(),
        ..settings()
    };
    dial_with(credentials, &config, Some("bucket"), Intent::READ, settings)
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

/// Answers to a read of an object whose key of KMS may not be used; `named` stands where AWS names the
/// key.
fn without_key(named: &str) -> Script {
    let message = format!(
        "User: x is not authorized to perform: kms:Decrypt on resource: {named} because no \
         identity-based policy allows the kms:Decrypt action"
    );
    ScriptedHttp::script()
        .on(Match::any().query("list-type=2"), [xml(ONE)])
        .on(Match::any(), [error(403, "AccessDenied", &message)])
}

const KMS_KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab";

#[test]
fn a_key_of_kms_that_aws_names_stands_in_the_policy() {
    let steps = at_aws(without_key(KMS_KEY), PAIR, false);
    assert_eq!(
        statements(&steps),
        json!([{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": KMS_KEY}])
    );
}

#[test]
fn a_key_of_kms_that_a_stranger_names_is_not_passed_on() {
    // Another store than AWS may name any key: none of its words gets into a policy.
    for named in [KMS_KEY, "*", "arn:aws:s3:::bucket", "arn:aws:kms:x:y:key/*"] {
        let server = without_key(named).start();
        let steps = dial(PAIR, &config(&server), Some("bucket"));
        assert_eq!(policies(&steps), [], "{named}");
    }
    // Without TLS anyone may be AWS.
    assert_eq!(policies(&at_aws(without_key(KMS_KEY), PAIR, true)), []);
    // Nor is what AWS says copied where it is no name of a key.
    for named in ["*", "arn:aws:s3:::bucket", "arn:aws:kms:x:y:key/*"] {
        assert_eq!(policies(&at_aws(without_key(named), PAIR, false)), []);
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

const CALLER: &str = "arn:aws:iam::123456789012:user/loader";
const ROLE: &str = "arn:aws:iam::210987654321:role/reader";

/// The CREDENTIALS of a link with a role.
fn with_role() -> String {
    format!(
        r#"{{"aws_access_key_id": "AKIAMARKED", "aws_secret_access_key": "m4rk3d/secret+",
            "role_arn": "{ROLE}", "external_id": "shop-7"}}"#
    )
}

fn role_refused() -> Answer {
    let message = format!("User: {CALLER} is not authorized to perform: sts:AssumeRole");
    Answer::status(403).body(format!(
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error>\
         </ErrorResponse>"
    ))
}

/// Checks the policies of both sides.
#[track_caller]
fn assert_trusted(steps: &[Step], principal: &str) {
    let policies = policies(steps);
    let texts: Vec<Value> = policies
        .iter()
        .map(|policy| serde_json::from_str(&policy.text).expect("a document"))
        .collect();
    assert_eq!(
        texts[0]["Statement"],
        json!([{
            "Effect": "Allow",
            "Principal": {"AWS": principal},
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

#[test]
fn a_refused_role_has_a_trust_policy() {
    let refuses = || ScriptedHttp::script().on(Match::any(), [role_refused()]);
    assert_trusted(&at_aws(refuses(), &with_role(), false), CALLER);
    // It is not AWS that names the caller, or nobody knows whether it is.
    let server = refuses().start();
    let steps = dial(&with_role(), &config(&server), Some("bucket"));
    assert_trusted(&steps, "CALLER_ARN");
    assert_trusted(&at_aws(refuses(), &with_role(), true), "CALLER_ARN");
}
