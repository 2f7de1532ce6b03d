//! Statements of IAM, as MinIO takes them.

use linkdial_testcontainers::{LinkStatement, Login, Minio, Moto};
use serde_json::{Value, json};

use crate::{checks, policies, policy};

/// A user that may do nothing with a bucket, and one more of these policies.
fn give(login: &Login, policies: &[&Value]) {
    let harmless = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": "arn:aws:s3:::*"},
    ]});
    let all = [&harmless].into_iter().chain(policies.iter().copied());
    let all: Vec<Value> = all.cloned().collect();
    Minio::shared().set_policies(login, &all).unwrap();
}

fn actions(policy: &Value) -> Vec<&str> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|it| it["Action"].as_array().unwrap());
    actions.map(|it| it.as_str().unwrap()).collect()
}

/// The same policy without one of its actions.
fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in statements.iter_mut() {
        let actions = statement["Action"].as_array_mut().unwrap();
        actions.retain(|it| it != action);
    }
    statements.retain(|it| !it["Action"].as_array().unwrap().is_empty());
    policy
}

/// Gives a user what the report prints until the link is let in, and then each time one action less.
fn is_minimal(login: &Login, arguments: &[&str], script: &str, wanted: &[&str]) -> Value {
    give(login, &[]);
    let refused = checks(arguments, script).remove(0);
    assert_eq!(refused["code"], "access.denied", "{refused:#}");
    let printed: Value = serde_json::from_str(policy(&refused)).unwrap();
    assert_eq!(actions(&printed), wanted, "{printed:#}");
    give(login, &[&printed]);
    let passed = checks(arguments, script).remove(0);
    assert_eq!(passed["verdict"], "pass", "{printed:#} {passed:#}");
    for action in wanted {
        let less = without(&printed, action);
        give(login, &[&less]);
        let check = checks(arguments, script).remove(0);
        assert_ne!(check["verdict"], "pass", "without {action}: {check:#}");
    }
    give(login, &[&printed]);
    printed
}

fn link(login: &Login) -> LinkStatement {
    Minio::shared().create_link("l", login)
}

fn reading(link: &LinkStatement, target: &str) -> String {
    format!("{link}CREATE PIPELINE p AS LOAD DATA LINK l '{target}' INTO TABLE t;\n")
}

#[test]
fn who_reads_is_given_what_reading_takes() {
    let login = Login::new("rights-reader", "rights-reader-secret");
    let link = link(&login);
    let script = reading(&link, "private/team/a/*.txt");
    let printed = is_minimal(&login, &[], &script, &["s3:ListBucket", "s3:GetObject"]);
    let list = &printed["Statement"][0];
    assert_eq!(list["Resource"], "arn:aws:s3:::private");
    assert_eq!(list["Condition"]["StringLike"]["s3:prefix"], "team/a/*");
    let get = &printed["Statement"][1];
    assert_eq!(get["Resource"], "arn:aws:s3:::private/team/a/*.txt");
    // It opens nothing beside the target.
    for other in ["private/other/", "locked", "private/team/b/"] {
        let check = checks(&[], &reading(&link, other)).remove(0);
        assert_eq!(check["code"], "access.denied", "{other}: {check:#}");
    }
}

#[test]
fn who_writes_is_given_what_the_sentinel_takes() {
    let login = Login::new("rights-writer", "rights-writer-secret");
    let script = format!("{}SELECT 1 INTO LINK l 'empty/rights/';\n", link(&login));
    let all = [
        "s3:ListBucket",
        "s3:PutObject",
        "s3:GetObject",
        "s3:DeleteObject",
    ];
    let printed = is_minimal(&login, &["--write"], &script, &all);
    assert_eq!(
        printed["Statement"][1]["Resource"],
        "arn:aws:s3:::empty/rights/*"
    );
    // What the check above left without the right to delete is no longer anybody's.
    let store = Minio::shared().store();
    for key in store.list("empty", "rights/").unwrap() {
        store.delete("empty", &key).unwrap();
    }
}

#[test]
fn what_is_there_is_not_asked_for_again() {
    let login = Login::new("rights-lister", "rights-lister-secret");
    let lists = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::private"},
    ]});
    give(&login, &[&lists]);
    let script = reading(&link(&login), "private");
    let refused = checks(&[], &script).remove(0);
    assert_eq!(refused["code"], "read.denied", "{refused:#}");
    let printed: Value = serde_json::from_str(policy(&refused)).unwrap();
    assert_eq!(actions(&printed), ["s3:GetObject"]);
    give(&login, &[&lists, &printed]);
    assert_eq!(checks(&[], &script)[0]["verdict"], "pass");
}

#[test]
fn a_role_that_is_refused_comes_with_both_sides() {
    let moto = Moto::shared();
    let link = moto.role_link("l", moto.stranger());
    let check = checks(&[], &reading(&link, "private")).remove(0);
    assert_eq!(check["code"], "authenticate.role-refused", "{check:#}");
    let policies = policies(&check);
    let own: Value = serde_json::from_str(policies.last().unwrap()).unwrap();
    assert_eq!(own["Statement"][0]["Action"], json!(["sts:AssumeRole"]));
    let arn = own["Statement"][0]["Resource"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:iam::"), "{arn}");
    let caller = check["diagnosis"]["evidence"]["caller"].as_str();
    if let [trust, _] = policies[..] {
        let trust: Value = serde_json::from_str(trust).unwrap();
        assert_eq!(trust["Statement"][0]["Principal"]["AWS"], "CALLER_ARN");
    } else {
        assert!(!caller.unwrap_or_default().contains(":user/"), "{check:#}");
    }
}
