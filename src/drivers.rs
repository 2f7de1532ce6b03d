//! The table of compiled-in providers: the only place that knows which there are.

use std::io::{self, Stdin, Write};

use linkdial_core::{
    ClauseName, Code, Definition, Diagnosis, Driver, Key, KeyPlace, Kind, Opened, Redactor,
};

use crate::sql::SHOWN_KEYS;

/// Every provider of this build.
pub const DRIVERS: &[Driver] = &[
    #[cfg(feature = "azure")]
    Driver::of::<linkdial_azure::Azure>(),
    #[cfg(feature = "gcs")]
    Driver::of::<linkdial_gcs::Gcs>(),
    #[cfg(feature = "hdfs")]
    Driver::of::<linkdial_hdfs::Hdfs>(),
    #[cfg(feature = "http")]
    Driver::of::<linkdial_http::Http>(),
    #[cfg(feature = "kafka")]
    Driver::of::<linkdial_kafka::Kafka>(),
    #[cfg(feature = "s3")]
    Driver::of::<linkdial_s3::S3>(),
];

/// A client that runs in a process of its own: reads orders, writes answers.
pub type Client = fn(Stdin, &mut dyn Write) -> io::Result<()>;

/// Every such client of this build, with the word that the program is started with.
pub const CLIENTS: &[(&str, Client)] = &[
    #[cfg(feature = "hdfs")]
    (linkdial_hdfs::CLIENT, linkdial_hdfs::run_client::<Stdin>),
    #[cfg(feature = "kafka")]
    (linkdial_kafka::CLIENT, linkdial_kafka::run_client::<Stdin>),
];

/// Returns the keys that a kind knows; for a kind that this build lacks, those of any that are no secret.
pub fn keys(kind: Kind) -> &'static [Key] {
    let driver = DRIVERS.iter().find(|driver| driver.kind == kind);
    driver.map_or(&SHOWN_KEYS, |driver| driver.keys)
}

/// Reads a definition with the provider of its kind. No packet is sent.
///
/// A kind that this build lacks is a finding, not an error.
pub fn open(definition: &Definition) -> Opened {
    match DRIVERS.iter().find(|driver| driver.kind == definition.kind) {
        Some(driver) => {
            let mut opened = driver.open(definition);
            if let Some(hint) = keys_of_another_kind(definition) {
                for finding in opened.findings.iter_mut().filter(|it| is_about_names(it)) {
                    finding.hint = Some(hint.clone());
                }
            }
            opened
        }
        None => without_driver(definition),
    }
}

fn is_about_names(finding: &Diagnosis) -> bool {
    let named = matches!(
        finding.code,
        Code::DefineMissingKey | Code::DefineUnknownKey
    );
    let in_credentials = |key: &KeyPlace| key.clause == ClauseName::Credentials;
    named && finding.keys.iter().any(in_credentials)
}

/// Returns what to do about `CREDENTIALS` that are all of another kind; `None` where they are not.
fn keys_of_another_kind(definition: &Definition) -> Option<String> {
    let ours = definition.kind;
    let members = definition.credentials.members();
    let has = |kind: Kind, name: &str| {
        let mut known = keys(kind).iter();
        known.any(|key| key.clause == ClauseName::Credentials && key.name == name)
    };
    if members.is_empty() || members.iter().any(|it| has(ours, &it.key)) {
        return None;
    }
    let mut others = DRIVERS.iter().map(|driver| driver.kind);
    let other = others.find(|kind| members.iter().all(|it| has(*kind, &it.key)))?;
    let names: Vec<String> = keys(ours)
        .iter()
        .filter(|key| key.clause == ClauseName::Credentials && !key.extension)
        .take(4)
        .map(|key| format!("`{}`", key.name))
        .collect();
    Some(if names.is_empty() {
        format!("these are keys of {other} links: write AS {other}, or remove them")
    } else {
        let names = names.join(", ");
        format!(
            "these are keys of {other} links: write AS {other}, or give the keys of {ours} links: \
             {names}"
        )
    })
}

/// Reads what can be read without knowing the kind: whether the clauses are JSON objects.
fn without_driver(definition: &Definition) -> Opened {
    let redactor = Redactor::new(definition, keys(definition.kind));
    let mut findings: Vec<Diagnosis> = [&definition.credentials, &definition.config]
        .into_iter()
        .flat_map(|clause| clause.faults().iter().cloned())
        .collect();
    for finding in &mut findings {
        redactor.redact(&mut finding.message);
        for (_, value) in &mut finding.evidence {
            redactor.redact(value);
        }
        if let Some(hint) = &mut finding.hint {
            redactor.redact(hint);
        }
    }
    findings.push(not_compiled_in(definition.kind));
    Opened {
        provider: None,
        findings,
        redactor,
    }
}

fn not_compiled_in(kind: Kind) -> Diagnosis {
    let hint = match kind {
        // These are features of Cargo.toml, and this build left theirs out.
        Kind::Azure | Kind::Gcs | Kind::Hdfs | Kind::Http | Kind::Kafka | Kind::S3 => format!(
            "use a build that has the feature `{}`",
            kind.as_str().to_ascii_lowercase()
        ),
        _ => "MONGODB and MYSQL links are not dialled; check this one by hand".to_owned(),
    };
    Diagnosis::new(
        Code::DefineNotCompiledIn,
        format!("this build of linkdial can not dial {kind} links"),
    )
    .hint(hint)
}

#[cfg(test)]
mod tests {
    use linkdial_core::{Clause, Outcome};

    use super::*;

    fn definition(kind: Kind, credentials: &str, config: &str) -> Definition {
        Definition {
            kind,
            credentials: Clause::parse(ClauseName::Credentials, credentials),
            config: Clause::parse(ClauseName::Config, config),
        }
    }

    #[test]
    fn the_json_of_a_kind_without_a_driver_is_still_read() {
        let opened = open(&definition(
            Kind::Mongodb,
            r#"{"secret_key": "M4rkedS3cret",}"#,
            r#"{"a": 1, "a": 2}"#,
        ));
        let found: Vec<_> = opened
            .findings
            .iter()
            .map(|finding| (finding.code, finding.outcome))
            .collect();
        assert_eq!(
            found,
            [
                (Code::DefineInvalidJson, Outcome::Fail),
                (Code::DefineDuplicateKey, Outcome::Fail),
                (Code::DefineNotCompiledIn, Outcome::Unverified),
            ]
        );
        assert!(!format!("{:?}", opened.findings).contains("M4rked"));
    }

    #[test]
    #[cfg(all(feature = "azure", feature = "s3"))]
    fn keys_of_another_kind_are_called_so() {
        let credentials = r#"{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s3cr3t"}"#;
        let opened = open(&definition(Kind::Azure, credentials, "{}"));
        let first = &opened.findings[0];
        assert_eq!(first.code, Code::DefineMissingKey);
        assert_eq!(first.keys[0].pointer, "/aws_access_key_id");
        let hint = first.hint.as_deref().unwrap();
        assert!(hint.contains("keys of S3 links"), "{hint}");
        assert!(hint.contains("`account_name`, `account_key`"), "{hint}");
        let slip = r#"{"acount_name":"orders","aws_secret_access_key":"s3cr3t"}"#;
        let opened = open(&definition(Kind::Azure, slip, "{}"));
        let hint = opened.findings[0].hint.as_deref().unwrap();
        assert!(hint.contains("rename it to `account_name`"), "{hint}");
    }

    #[test]
    fn a_feature_is_named_only_where_there_is_one() {
        let hint = |kind| not_compiled_in(kind).hint.unwrap();
        assert!(hint(Kind::S3).contains("feature `s3`"));
        assert!(hint(Kind::Hdfs).contains("feature `hdfs`"));
        assert!(hint(Kind::Mongodb).contains("not dialled"));
        assert!(!hint(Kind::Mysql).contains("feature"));
    }
}
