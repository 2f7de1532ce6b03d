//! The table of compiled-in providers: the only place that knows which there are.

use std::io::{self, Stdin, Write};

use linkdial_core::{Code, Definition, Diagnosis, Driver, Key, Kind, Opened, Redactor};

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

/// Returns the keys that a kind knows; none for a kind that this build lacks.
pub fn keys(kind: Kind) -> &'static [Key] {
    let driver = DRIVERS.iter().find(|driver| driver.kind == kind);
    driver.map_or(&[], |driver| driver.keys)
}

/// Reads a definition with the provider of its kind. No packet is sent.
///
/// A kind that this build lacks is a finding, not an error.
pub fn open(definition: &Definition) -> Opened {
    match DRIVERS.iter().find(|driver| driver.kind == definition.kind) {
        Some(driver) => driver.open(definition),
        None => without_driver(definition),
    }
}

/// Reads what can be read without knowing the kind: whether the clauses are JSON objects.
fn without_driver(definition: &Definition) -> Opened {
    let redactor = Redactor::new(definition, &[]);
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
    use linkdial_core::{Clause, ClauseName, Outcome};

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
    fn a_feature_is_named_only_where_there_is_one() {
        let hint = |kind| not_compiled_in(kind).hint.unwrap();
        assert!(hint(Kind::S3).contains("feature `s3`"));
        assert!(hint(Kind::Hdfs).contains("feature `hdfs`"));
        assert!(hint(Kind::Mongodb).contains("not dialled"));
        assert!(!hint(Kind::Mysql).contains("feature"));
    }
}
