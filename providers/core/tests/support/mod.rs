//! Climbs the ladder as a provider does.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses a part of it"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linkdial_core::net::{Net, TlsOptions};
use linkdial_core::{
    Code, Diagnosis, Endpoint, Intent, Outcome, Probe, Redactor, Role, Settings, Stage, Step,
};
use tokio_util::sync::CancellationToken;

/// The deadline of a stage in these tests.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(600);
/// What a fault that needs no waiting may take in a debug build.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(50);
/// What a deadline may be late.
pub(crate) const LATE: Duration = Duration::from_millis(100);

/// The record of a climb and how long it took.
pub(crate) struct Climb {
    pub(crate) steps: Vec<Step>,
    pub(crate) elapsed: Duration,
}

/// Climbs once; again, up to three times, where it took neither no time nor the whole deadline: a
/// busy machine is late once, the ladder would be each time.
pub(crate) async fn climb(net: Net, host: &str, port: u16, tls: Option<TlsOptions>) -> Climb {
    let mut climbed = climb_once(net.clone(), host, port, tls.clone()).await;
    for _ in 0..2 {
        if climbed.elapsed < AT_ONCE || (TIMEOUT..TIMEOUT + LATE).contains(&climbed.elapsed) {
            break;
        }
        climbed = climb_once(net.clone(), host, port, tls.clone()).await;
    }
    climbed
}

async fn climb_once(net: Net, host: &str, port: u16, tls: Option<TlsOptions>) -> Climb {
    let settings = Settings {
        stage_timeout: TIMEOUT,
        net,
        ..Settings::default()
    };
    let mut probe = Probe::new(
        Arc::new(settings),
        CancellationToken::new(),
        Redactor::default(),
        None,
        Intent::READ,
    );
    let endpoint = Endpoint::new(Role::Endpoint, host, port);
    let started = Instant::now();
    let reached = probe.reach(&endpoint, tls).await;
    let elapsed = started.elapsed();
    drop(reached);
    Climb {
        steps: probe.into_steps(),
        elapsed,
    }
}

pub(crate) async fn climb_to(net: Net, address: SocketAddr) -> Climb {
    climb(net, &address.ip().to_string(), address.port(), None).await
}

pub(crate) async fn climb_tls(net: Net, host: &str, port: u16) -> Climb {
    climb(net, host, port, Some(TlsOptions::http1())).await
}

impl Climb {
    /// The last step failed with this code at its own stage; the steps before it passed.
    pub(crate) fn fails(&self, code: Code) -> &Diagnosis {
        let last = self.steps.last().expect("a step was recorded");
        let found = last.diagnosis.as_ref();
        let found = found.unwrap_or_else(|| panic!("wanted {code}: {:#?}", self.steps));
        assert_eq!(found.code, code, "{:#?}", self.steps);
        assert_eq!(last.outcome, Outcome::Fail);
        assert_eq!(Some(last.stage), code.stage());
        assert!(found.hint.is_some(), "{code} has no hint");
        let before = &self.steps[..self.steps.len() - 1];
        assert!(
            before.iter().all(|step| step.outcome == Outcome::Pass),
            "{:#?}",
            self.steps
        );
        found
    }

    pub(crate) fn at_once(&self) {
        assert!(self.elapsed < AT_ONCE, "took {:?}", self.elapsed);
    }

    pub(crate) fn at_the_deadline(&self) {
        assert!(self.elapsed >= TIMEOUT, "took {:?}", self.elapsed);
        assert!(self.elapsed < TIMEOUT + LATE, "took {:?}", self.elapsed);
    }

    pub(crate) fn passes(&self) {
        assert!(
            self.steps.iter().all(|step| step.outcome == Outcome::Pass),
            "{:#?}",
            self.steps
        );
    }

    pub(crate) fn step(&self, stage: Stage) -> &Step {
        let step = self.steps.iter().find(|step| step.stage == stage);
        step.unwrap_or_else(|| panic!("no {stage} in {:#?}", self.steps))
    }

    pub(crate) fn note(&self, stage: Stage, name: &str) -> &str {
        let note = self
            .step(stage)
            .notes
            .iter()
            .find(|(known, _)| *known == name);
        note.map_or("", |(_, value)| value)
    }
}

pub(crate) fn evidence<'a>(finding: &'a Diagnosis, name: &str) -> &'a str {
    let found = finding.evidence.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}
