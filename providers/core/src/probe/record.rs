//! The record of a probe: what is added to it, changed in it and read from it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Halt, Probe, Step};
use crate::code::Code;
use crate::diagnosis::{Diagnosis, Outcome};
use crate::endpoint::{Endpoint, Role};
use crate::stage::Stage;

impl Probe {
    /// Records a finding that does not stop the probe.
    pub fn finding(&mut self, endpoint: Option<&Endpoint>, diagnosis: Diagnosis) {
        let stage = diagnosis.code.stage().unwrap_or(Stage::Define);
        self.record(
            stage,
            endpoint,
            diagnosis.outcome,
            Duration::ZERO,
            Some(diagnosis),
        );
    }

    /// Records a finding and stops.
    pub fn halt(&mut self, endpoint: Option<&Endpoint>, diagnosis: Diagnosis) -> Halt {
        self.finding(endpoint, diagnosis);
        Halt(())
    }

    /// Records that a stage holds without a call of its own.
    pub fn pass(&mut self, stage: Stage, endpoint: Option<&Endpoint>) {
        self.record(stage, endpoint, Outcome::Pass, Duration::ZERO, None);
    }

    /// Records that a stage was not walked, and why.
    pub fn skip(&mut self, stage: Stage, reason: &str) {
        self.record(stage, None, Outcome::Skip, Duration::ZERO, None);
        self.note("reason", reason);
    }

    /// Takes back the step recorded last: what passed there proves nothing after all.
    pub fn take_back(&mut self) {
        self.trail.lock().pop();
        if let Some(attempted) = &self.attempted {
            attempted.store(false, Ordering::Relaxed);
        }
    }

    /// Attaches a fact to the step recorded last.
    pub fn note(&mut self, name: &'static str, value: impl fmt::Display) {
        let mut value = value.to_string();
        self.redactor.abridge(&mut value);
        let mut steps = self.trail.lock();
        let public = self.public(steps.last().and_then(|step| step.endpoint.as_ref()));
        self.withheld.hide_note(&mut value, &public, &steps);
        if let Some(step) = steps.last_mut()
            && !value.is_empty()
        {
            step.notes.push((name, value));
        }
    }

    /// Lets a provider say what only it knows about the finding recorded last: guilty keys, a
    /// better name, hint or outcome.
    pub fn amend(&mut self, change: impl FnOnce(Diagnosis) -> Diagnosis) {
        let mut steps = self.trail.lock();
        let Some(last) = steps.last_mut() else {
            return;
        };
        let Some(diagnosis) = last.diagnosis.take() else {
            return;
        };
        let endpoint = last.endpoint.clone();
        let mut changed = change(diagnosis);
        changed.redact(&self.redactor);
        self.withhold_from(&mut changed, endpoint.as_ref(), &steps);
        if let Some(step) = steps.last_mut() {
            step.stage = changed.code.stage().unwrap_or(step.stage);
            step.outcome = changed.outcome;
            step.diagnosis = Some(changed);
        }
    }

    /// Lowers what failed at the endpoints of a role to warnings, where another endpoint of that
    /// role serves in their place.
    pub fn tolerate(&mut self, role: Role) {
        self.lower(Outcome::Warn, |endpoint| {
            endpoint.is_some_and(|it| it.role == role)
        });
    }

    /// Lowers all that failed, on a fork that does not decide about the link.
    pub fn lower_all(&mut self, to: Outcome) {
        self.lower(to, |_| true);
    }

    fn lower(&mut self, to: Outcome, counts: impl Fn(Option<&Endpoint>) -> bool) {
        let mut steps = self.trail.lock();
        let failed = steps
            .iter_mut()
            .filter(|step| step.outcome == Outcome::Fail && counts(step.endpoint.as_ref()));
        for step in failed {
            step.outcome = to;
            if let Some(diagnosis) = &mut step.diagnosis {
                diagnosis.outcome = to;
            }
        }
    }

    /// Returns the code of the step recorded last, where it has one.
    pub fn last_code(&self) -> Option<Code> {
        let steps = self.trail.lock();
        let diagnosis = steps.last()?.diagnosis.as_ref()?;
        Some(diagnosis.code)
    }

    /// Returns a copy of the record so far.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.trail.steps()
    }

    /// Attaches a fact to the first step that logged in, or got as far without a login; its words are
    /// linkdial's own.
    pub(crate) fn note_login(&self, name: &'static str, value: String) {
        let mut steps = self.trail.lock();
        let passed =
            |step: &&mut Step| step.outcome == Outcome::Pass && step.stage >= Stage::Authenticate;
        if let Some(step) = steps.iter_mut().find(passed) {
            step.notes.push((name, value));
        }
    }

    /// Adds the record of a walk that ran beside this one. The order of the calls is that of the
    /// record, whichever walk ended first.
    pub fn join(&mut self, fork: Self) {
        let steps = fork.into_steps();
        self.trail.lock().extend(steps);
    }

    /// Returns the servers of a role on the record, in their order, each once.
    pub fn endpoints(&self, role: Role) -> Vec<Endpoint> {
        let steps = self.trail.lock();
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for endpoint in steps.iter().filter_map(|step| step.endpoint.as_ref()) {
            if endpoint.role == role && !endpoints.contains(endpoint) {
                endpoints.push(endpoint.clone());
            }
        }
        endpoints
    }

    /// Returns the address that was connected to last, unless a proxy did.
    pub(crate) fn last_address(&self) -> Option<IpAddr> {
        let steps = self.trail.lock();
        let notes = steps.iter().flat_map(|step| &step.notes);
        if notes.clone().any(|(name, _)| *name == "proxy") {
            return None;
        }
        let (_, address) = notes.rev().find(|(name, _)| *name == "address")?;
        address.parse::<SocketAddr>().ok().map(|it| it.ip())
    }

    /// Returns whether a stage has passed somewhere.
    pub fn has_passed(&self, stage: Stage) -> bool {
        let steps = self.trail.lock();
        let mut passed = steps.iter().filter(|step| step.outcome == Outcome::Pass);
        passed.any(|step| step.stage == stage)
    }

    /// Returns whether a finding with this code is on the record.
    pub fn has_code(&self, code: Code) -> bool {
        let steps = self.trail.lock();
        let mut findings = steps.iter().filter_map(|step| step.diagnosis.as_ref());
        findings.any(|finding| finding.code == code)
    }

    /// Ends the probe and returns the record.
    pub fn into_steps(self) -> Vec<Step> {
        std::mem::take(&mut *self.trail.lock())
    }

    /// Adds to the finding recorded last what its step knew and could not say any more.
    pub(super) fn add_evidence(&mut self, name: &'static str, value: &str) {
        let value = self.redactor.redacted(value);
        let mut steps = self.trail.lock();
        let finding = steps.last_mut().and_then(|step| step.diagnosis.as_mut());
        if let Some(finding) = finding
            && !value.is_empty()
            && finding.evidence.iter().all(|(known, _)| *known != name)
        {
            finding.evidence.push((name, value));
        }
    }

    pub(super) fn note_all(&mut self, notes: Vec<(&'static str, String)>) {
        for (name, value) in notes {
            self.note(name, value);
        }
    }

    fn withhold_from(&self, finding: &mut Diagnosis, endpoint: Option<&Endpoint>, steps: &[Step]) {
        let public = self.public(endpoint);
        let role = endpoint.map(|it| it.role);
        self.withheld.hide(finding, &public, role, steps);
    }

    /// Returns what everybody may read of whom and what is asked.
    fn public(&self, endpoint: Option<&Endpoint>) -> String {
        let host = endpoint.map_or("", |it| &it.host);
        let target = self.target().map_or("", |it| it.as_str());
        format!("{host} {target}")
    }

    pub(super) fn record(
        &mut self,
        stage: Stage,
        endpoint: Option<&Endpoint>,
        outcome: Outcome,
        elapsed: Duration,
        diagnosis: Option<Diagnosis>,
    ) {
        let shown = endpoint.map(|endpoint| endpoint.abridged(&self.redactor));
        let endpoint = shown.as_ref();
        let diagnosis = diagnosis.map(|mut diagnosis| {
            diagnosis.redact(&self.redactor);
            self.withhold_from(&mut diagnosis, endpoint, &self.trail.lock());
            if let Some(key) = endpoint.and_then(|endpoint| endpoint.key.clone())
                && diagnosis.keys.is_empty()
                && diagnosis.code.may_be_the_endpoints()
            {
                diagnosis.keys.push(key);
            }
            diagnosis
        });
        tracing::debug!(
            stage = stage.as_str(),
            endpoint = endpoint.map(tracing::field::display),
            outcome = outcome.as_str(),
            code = diagnosis.as_ref().map(|diagnosis| diagnosis.code.as_str()),
            "step"
        );
        self.trail.lock().push(Step {
            stage,
            endpoint: endpoint.cloned(),
            outcome,
            elapsed,
            notes: Vec::new(),
            diagnosis,
        });
    }
}
