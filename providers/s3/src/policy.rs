//! The statements that let an S3 link do what it is used for, and no more.
//!
//! Actions and resources: Service Authorization Reference, "Actions, resources, and condition keys for
//! Amazon S3"; variables: IAM User Guide, "IAM policy elements: Variables and tags".

use linkdial_core::store::{Bucket, Needs, Right};
use linkdial_core::{Code, Diagnosis, Policy};
use serde_json::{Value, json};

use crate::config::{Config, Encryption};

/// The action of each right.
const ACTIONS: [(&str, Right); 4] = [
    ("s3:ListBucket", Right::List),
    ("s3:GetObject", Right::Read),
    ("s3:PutObject", Right::Write),
    ("s3:DeleteObject", Right::Delete),
];

/// Adds to a finding about missing rights what grants them.
pub(crate) fn attach(
    finding: Diagnosis,
    config: &Config,
    bucket: &Bucket,
    needs: Needs,
) -> Diagnosis {
    let policy = match finding.code {
        Code::AccessDenied | Code::ReadDenied | Code::WriteDenied => {
            let refused = evidence(&finding, "operation");
            let refused = ACTIONS.iter().find(|(action, _)| *action == refused);
            // Other words are those of accounts without S3.
            let remote = evidence(&finding, "remote_code");
            let refused = refused.filter(|_| matches!(remote, "AccessDenied" | "Forbidden"));
            refused.map(|(_, right)| for_bucket(config, bucket, needs, *right))
        }
        Code::ReadKmsDenied => kms(&finding, config, &["kms:Decrypt"]),
        // What is written is read back.
        Code::WriteKmsDenied if needs.proves_writing && !needs.has_read => {
            kms(&finding, config, &["kms:GenerateDataKey", "kms:Decrypt"])
        }
        Code::WriteKmsDenied => kms(&finding, config, &["kms:GenerateDataKey"]),
        _ => None,
    };
    finding.policy(policy)
}

fn evidence<'a>(finding: &'a Diagnosis, name: &str) -> &'a str {
    let mut found = finding.evidence.iter().filter(|(known, _)| *known == name);
    found.next().map_or("", |(_, value)| value)
}

fn for_bucket(config: &Config, bucket: &Bucket, needs: Needs, refused: Right) -> Policy {
    let arn = format!("arn:{}:s3:::{}", partition(config.region()), bucket.name);
    let missing = needs.missing(refused);
    let action = |right: &Right| {
        let mut named = ACTIONS.iter().filter(|(_, known)| known == right);
        named.next().map_or("", |(action, _)| action)
    };
    let mut statements = Vec::new();
    if missing.contains(&Right::List) {
        let mut list = allow(&[action(&Right::List)], &arn);
        if !bucket.prefix.is_empty() {
            let prefix = format!("{}*", literal(&bucket.prefix));
            list["Condition"] = json!({"StringLike": {"s3:prefix": prefix}});
        }
        statements.push(list);
    }
    let objects = missing.iter().filter(|right| **right != Right::List);
    let objects: Vec<&str> = objects.map(action).collect();
    if !objects.is_empty() {
        // Written are other names than those that are read.
        let keys = match &bucket.pattern {
            Some(pattern) if !needs.writes => literal(pattern),
            _ => format!("{}*", literal(&bucket.prefix)),
        };
        statements.push(allow(&objects, &format!("{arn}/{keys}")));
    }
    Policy::json(
        format!("IAM policy for {}", whom(config)),
        document(&statements),
    )
}

fn kms(finding: &Diagnosis, config: &Config, actions: &[&str]) -> Option<Policy> {
    let key = key_arn(evidence(finding, "remote_message"), config)?;
    let title = format!(
        "IAM policy for {}, in the account of the KMS key",
        whom(config)
    );
    Some(Policy::json(title, document(&[allow(actions, &key)])))
}

/// The key that the answer names, else the one that the link does.
fn key_arn(message: &str, config: &Config) -> Option<String> {
    let spelled = |text: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b":/-_".contains(&byte);
        text.starts_with("arn:") && text.contains(":kms:") && text.bytes().all(good)
    };
    // "... is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:... because ..."
    let named = message.split_once("on resource: ").map(|(_, rest)| rest);
    let named = named.and_then(|rest| rest.split_whitespace().next());
    // Another service may name whatever it likes.
    if let Some(arn) = named.filter(|arn| spelled(arn) && config.asks_aws()) {
        return Some(arn.to_owned());
    }
    let Encryption::Managed {
        key_id: Some(id), ..
    } = &config.encryption
    else {
        return None;
    };
    if spelled(id) {
        return Some(id.clone());
    }
    let kind = if id.starts_with("alias/") { "" } else { "key/" };
    let region = config.region();
    let id = literal(id);
    Some(format!(
        "arn:{}:kms:{region}:*:{kind}{id}",
        partition(region)
    ))
}

/// Adds to a refused role what both sides have to allow.
pub(crate) fn attach_role(finding: Diagnosis, config: &Config) -> Diagnosis {
    let Some(role) = config
        .role
        .as_ref()
        .filter(|_| finding.code == Code::AuthenticateRoleRefused)
    else {
        return finding;
    };
    let caller = evidence(&finding, "caller").to_owned();
    let own = document(&[allow(&["sts:AssumeRole"], &literal(&role.arn))]);
    let own = Policy::json("IAM policy for the user of the key", own);
    // A session of a role is no principal that a policy may name for long.
    let named = caller.starts_with("arn:") && caller.contains(":user/");
    // A policy names whom AWS names, and nobody that another service does.
    let caller = if config.asks_aws_for_roles() {
        caller
    } else {
        "CALLER_ARN".to_owned()
    };
    let trust = named.then(|| {
        let mut trust = json!({
            "Effect": "Allow",
            "Principal": {"AWS": caller},
            "Action": "sts:AssumeRole",
        });
        if let Some(id) = &role.external_id {
            trust["Condition"] = json!({"StringEquals": {"sts:ExternalId": literal(id)}});
        }
        let title = format!("trust policy of the role `{}`", role.arn);
        Policy::json(title, document(&[trust]))
    });
    finding.policy(trust).policy([own])
}

fn whom(config: &Config) -> String {
    match &config.role {
        Some(role) => format!("the role `{}`", role.arn),
        None => "the user of the key".to_owned(),
    }
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

fn document(statements: &[Value]) -> String {
    format!(
        "{:#}",
        json!({"Version": "2012-10-17", "Statement": statements})
    )
}

/// `$` begins a variable of IAM.
fn literal(name: &str) -> String {
    name.replace('$', "${$}")
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}
