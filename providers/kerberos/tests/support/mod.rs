//! Logs one identity in the way a provider does.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses a part of it"
)]

pub(crate) mod peer;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linkdial_core::net::Net;
use linkdial_core::{
    ClauseName, Code, Diagnosis, Intent, KeyPlace, Outcome, Probe, Redactor, Settings, Stage, Step,
};
use linkdial_kerberos::{Guilty, Identity, KeytabFile, Krb5Conf, LogIn, Login, Proof, log_in};
use tokio_util::sync::CancellationToken;

/// The deadline of a stage in these tests, which a good login never sees.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// What waits for no deadline ends within this time, on a busy machine too.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(3);

/// The deadline of tests that wait for it.
pub(crate) const SHORT: Duration = Duration::from_millis(1500);

/// What ends before this did not wait for the short deadline.
pub(crate) const EARLY: Duration = Duration::from_millis(1450);

/// The record of a login, what it brought, and how long it took.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) steps: Vec<Step>,
    pub(crate) login: Option<LogIn>,
    pub(crate) elapsed: Duration,
}

/// Returns an identity with the keys of a keytab.
pub(crate) async fn identity(principal: &str, keytab: &Path) -> Identity {
    let keytab = KeytabFile::read(keytab).await.unwrap().unwrap().keytab;
    proved(principal, Proof::Keytab(keytab))
}

/// Returns an identity that a link names by two keys.
pub(crate) fn proved(principal: &str, proof: Proof) -> Identity {
    let place = |key| Some(KeyPlace::key(ClauseName::Config, key));
    Identity {
        principal: principal.parse().unwrap(),
        proof,
        guilty: Guilty {
            principal: place("principal"),
            keys: place("keytab"),
            service: place("service"),
        },
    }
}

/// Writes a configuration of these KDCs and reads it.
pub(crate) async fn conf_of(realm: &str, kdcs: &[SocketAddr]) -> Krb5Conf {
    let kdcs: Vec<String> = kdcs.iter().map(|kdc| format!("  kdc = {kdc}")).collect();
    let kdcs = kdcs.join("\n");
    conf(&format!(
        "[libdefaults]\n dns_lookup_kdc = false\n[realms]\n {realm} = {{\n{kdcs}\n }}\n"
    ))
    .await
}

/// Reads a configuration.
pub(crate) async fn conf(text: &str) -> Krb5Conf {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Krb5Conf::read(file.path()).await.unwrap()
}

/// Logs in over this network.
pub(crate) async fn try_with(net: Net, conf: &Krb5Conf, identity: &Identity) -> Tried {
    try_within(LIMIT, net, conf, identity).await
}

/// Logs in within a deadline.
pub(crate) async fn try_within(
    limit: Duration,
    net: Net,
    conf: &Krb5Conf,
    identity: &Identity,
) -> Tried {
    let settings = Settings {
        stage_timeout: limit,
        net,
        ..Settings::default()
    };
    let mut probe = Probe::new(
        Arc::new(settings),
        CancellationToken::new(),
        Redactor::default(),
        None,
        Intent::default(),
    );
    let started = Instant::now();
    let login = log_in(&mut probe, conf, identity, limit).await.ok();
    Tried {
        elapsed: started.elapsed(),
        steps: probe.into_steps(),
        login,
    }
}

/// Logs in over the system's network.
pub(crate) async fn try_log_in(conf: &Krb5Conf, identity: &Identity) -> Tried {
    try_with(Net::default(), conf, identity).await
}

impl Tried {
    /// Returns the login, which has to be there without a failure.
    pub(crate) fn done(&self) -> Login {
        let failed = self.steps.iter().any(|step| step.outcome == Outcome::Fail);
        match &self.login {
            Some(LogIn::Done(login)) if !failed => login.clone(),
            _ => panic!("no login: {self:#?}"),
        }
    }

    /// Returns the only finding, which has to fail with this code.
    pub(crate) fn fails(&self, code: Code) -> &Diagnosis {
        assert!(self.login.is_none(), "{self:#?}");
        self.finds(code, Outcome::Fail)
    }

    /// Returns the only finding with its code.
    pub(crate) fn finds(&self, code: Code, outcome: Outcome) -> &Diagnosis {
        let found: Vec<_> = self
            .steps
            .iter()
            .filter(|it| it.diagnosis.is_some())
            .collect();
        let [step] = found.as_slice() else {
            panic!("not one finding: {self:#?}");
        };
        let finding = step.diagnosis.as_ref().unwrap();
        assert_eq!((finding.code, step.outcome), (code, outcome), "{self:#?}");
        assert!(finding.hint.is_some());
        finding
    }

    /// Returns stage and outcome of each step.
    pub(crate) fn walked(&self) -> Vec<(Stage, Outcome)> {
        self.steps.iter().map(|it| (it.stage, it.outcome)).collect()
    }

    /// Returns a note of any step; empty where there is none.
    pub(crate) fn note(&self, name: &str) -> &str {
        let mut notes = self.steps.iter().flat_map(|it| &it.notes);
        let found = notes.find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Returns a piece of evidence; empty where there is none.
pub(crate) fn evidence<'a>(finding: &'a Diagnosis, name: &str) -> &'a str {
    let found = finding.evidence.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}

/// Returns the guilty keys.
pub(crate) fn keys(finding: &Diagnosis) -> Vec<&str> {
    finding.keys.iter().map(|it| it.pointer.as_str()).collect()
}
