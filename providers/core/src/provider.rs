//! The contract of a provider, and the object-safe form in which the rest of the program sees it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::define::{Clauses, Key};
use crate::diagnosis::{Diagnosis, Outcome};
use crate::endpoint::Endpoint;
use crate::link::{Definition, Kind};
use crate::probe::{Halt, Probe, Step, interrupted};
use crate::prove::{self, Wrong};
use crate::redact::Redactor;
use crate::settings::Settings;
use crate::stage::Stage;
use crate::target::{Intent, Target};
use crate::trail::Trail;

/// A kind of backend that a link can point at.
pub trait Provider: fmt::Debug + Send + Sync + Sized + 'static {
    /// The word after `AS` in `CREATE LINK`.
    const KIND: Kind;
    /// Every key the kind knows, in both clauses.
    const KEYS: &'static [Key];

    /// Combines the two clauses into a provider.
    ///
    /// Pure: no file, clock, environment or socket. Everything that is wrong goes to `clauses`;
    /// `None` only after a failure was recorded there.
    fn define(clauses: &mut Clauses<'_>) -> Option<Self>;

    /// Returns the first address a probe would dial; limits for each host are keyed by it.
    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint>;

    /// Walks the stages. Every return through [`Halt`] is already on the record.
    fn probe(&self, probe: &mut Probe) -> impl Future<Output = Result<(), Halt>> + Send;

    /// Returns the same link with one character of its secret changed, for the negative proof.
    ///
    /// Its probe is walked as far as the first step that logs in. Pure, as `define` is.
    fn with_wrong_secret(&self) -> Wrong<Self>;
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe form; implemented once, for every [`Provider`].
pub trait DynProvider: fmt::Debug + Send + Sync {
    /// See [`Provider::endpoint`].
    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint>;
    /// See [`Provider::probe`].
    fn probe<'a>(&'a self, probe: &'a mut Probe) -> BoxFuture<'a, Result<(), Halt>>;
    /// See [`Provider::with_wrong_secret`].
    fn with_wrong_secret(&self) -> Wrong<Box<dyn DynProvider>>;
}

impl<P: Provider> DynProvider for P {
    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        Provider::endpoint(self, target)
    }

    fn probe<'a>(&'a self, probe: &'a mut Probe) -> BoxFuture<'a, Result<(), Halt>> {
        Box::pin(Provider::probe(self, probe))
    }

    fn with_wrong_secret(&self) -> Wrong<Box<dyn DynProvider>> {
        Provider::with_wrong_secret(self).map(|it| Box::new(it) as Box<dyn DynProvider>)
    }
}

/// One row of the table of compiled-in providers.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The kind it opens.
    pub kind: Kind,
    /// Every key of that kind.
    pub keys: &'static [Key],
    define: fn(&mut Clauses<'_>) -> Option<Box<dyn DynProvider>>,
}

/// A definition after its Define stage.
#[derive(Debug)]
pub struct Opened {
    /// What can be dialled; `None` when a finding forbids it.
    pub provider: Option<Box<dyn DynProvider>>,
    /// Everything the two clauses say that is wrong or worth a word.
    pub findings: Vec<Diagnosis>,
    /// Knows the link's secrets.
    pub redactor: Redactor,
}

impl Driver {
    /// Makes the row of a provider.
    pub const fn of<P: Provider>() -> Self {
        Self {
            kind: P::KIND,
            keys: P::KEYS,
            define: |clauses| {
                P::define(clauses).map(|provider| Box::new(provider) as Box<dyn DynProvider>)
            },
        }
    }

    /// Reads a definition. No packet is sent.
    pub fn open(&self, definition: &Definition) -> Opened {
        let mut clauses = Clauses::new(definition, self.keys);
        let mut provider = (self.define)(&mut clauses);
        clauses.settle();
        if clauses.failed() {
            provider = None;
        }
        let redactor = Redactor::new(definition, self.keys);
        let mut findings = clauses.into_findings();
        for finding in &mut findings {
            finding.redact(&redactor);
        }
        Opened {
            provider,
            findings,
            redactor,
        }
    }
}

impl Opened {
    /// Dials one target and returns the record, the findings of the Define stage first.
    pub async fn check(
        &self,
        settings: &Arc<Settings>,
        cancel: &CancellationToken,
        target: Option<Target>,
        intent: Intent,
    ) -> Vec<Step> {
        let trail = Trail::default();
        self.check_on(&trail, settings, cancel, target, intent)
            .await;
        trail.steps()
    }

    /// Dials one target and records on a trail, so that what is known outlives a check that has to
    /// be given up.
    pub async fn check_on(
        &self,
        trail: &Trail,
        settings: &Arc<Settings>,
        cancel: &CancellationToken,
        target: Option<Target>,
        intent: Intent,
    ) {
        let mut probe = Probe::new(
            Arc::clone(settings),
            cancel.clone(),
            self.redactor.clone(),
            target,
            intent,
        )
        .on(trail);
        if cancel.is_cancelled() {
            probe.finding(None, interrupted(Stage::Define));
            return;
        }
        trail.lock().extend(self.findings.iter().map(define_step));
        if let Some(provider) = &self.provider {
            if self.findings.is_empty() {
                probe.pass(Stage::Define, None);
            }
            let walked = provider.probe(&mut probe).await;
            // The record holds the outcome; `Halt` only says that the walk ended early.
            tracing::trace!(whole = walked.is_ok(), "probe ended");
            if settings.prove && !cancel.is_cancelled() {
                prove::try_wrong(provider.as_ref(), &mut probe).await;
            }
        }
    }
}

fn define_step(finding: &Diagnosis) -> Step {
    Step {
        stage: Stage::Define,
        endpoint: None,
        outcome: finding.outcome,
        elapsed: Duration::ZERO,
        notes: Vec::new(),
        diagnosis: Some(finding.clone()),
    }
}

/// Returns the verdict over steps: see [`worst`].
pub fn verdict(steps: &[Step]) -> Outcome {
    worst(steps.iter().map(|step| step.outcome))
}

/// Returns the worst of the outcomes; skipped steps do not count.
///
/// A record without any walked step proves nothing and is unverified.
pub fn worst(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    outcomes
        .into_iter()
        .filter(|outcome| *outcome != Outcome::Skip)
        .max()
        .unwrap_or(Outcome::Unverified)
}
