//! One walk through the stages against one link and target, and the record of it.

mod record;
mod withheld;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::code::Code;
use crate::diagnosis::{Diagnosis, Outcome};
use crate::endpoint::Endpoint;
use crate::net::{Dialled, Dialler, TlsOptions};
use crate::prove::{self, Attempted};
use crate::redact::Redactor;
use crate::settings::Settings;
use crate::stage::Stage;
use crate::target::{Intent, Target};
use crate::trail::Trail;

use withheld::Withheld;

/// The deadline of what has to be undone when the check itself was stopped or is out of time.
///
/// Whoever ends a check from outside gives it this long while [`Trail::is_cleaning`].
pub const CLEANUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The record of one stage at one endpoint.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which rung.
    pub stage: Stage,
    /// Where; `None` before anything is dialled.
    pub endpoint: Option<Endpoint>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed: Duration,
    /// What was learned, in the order it was.
    pub notes: Vec<(&'static str, String)>,
    /// Why it did not simply pass.
    pub diagnosis: Option<Diagnosis>,
}

/// Proof that the record already says why the probe stopped. Only [`Probe`] makes one.
#[derive(Debug)]
#[must_use = "propagate it with `?`"]
pub struct Halt(());

/// One run against one link and target.
#[derive(Debug)]
pub struct Probe {
    settings: Arc<Settings>,
    cancel: CancellationToken,
    redactor: Redactor,
    withheld: Withheld,
    target: Option<Target>,
    intent: Intent,
    deadline: Instant,
    stage_timeout: Duration,
    trail: Trail,
    /// On the walk of a wrong secret: whether its one attempt was made.
    attempted: Option<Attempted>,
}

/// The result of [`Probe::reach`].
#[derive(Debug)]
pub struct Reached {
    /// The stream that the ladder built and checked.
    pub dialled: Dialled,
    /// Dials the same checked address again, for a client that needs a second connection.
    pub dialler: Dialler,
}

impl Probe {
    /// Starts the clock of one check.
    pub fn new(
        settings: Arc<Settings>,
        cancel: CancellationToken,
        mut redactor: Redactor,
        target: Option<Target>,
        intent: Intent,
    ) -> Self {
        for secret in target.iter().flat_map(Target::secrets) {
            redactor.add(secret.expose());
        }
        for secret in settings.net.proxy().iter().flat_map(|it| it.secrets()) {
            redactor.add(secret.expose());
        }
        let deadline = Instant::now() + settings.check_timeout;
        Self {
            stage_timeout: settings.stage_timeout,
            settings,
            cancel,
            redactor,
            withheld: Withheld::default(),
            target,
            intent,
            deadline,
            trail: Trail::default(),
            attempted: None,
        }
    }

    /// Records on a trail that others can read meanwhile.
    #[must_use]
    pub(crate) fn on(mut self, trail: &Trail) -> Self {
        self.trail = trail.clone();
        self
    }

    /// Returns what the caller allows.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Returns what the link is used with, as written.
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Returns what the uses do with the target.
    pub const fn intent(&self) -> Intent {
        self.intent
    }

    /// Returns whether the write stage may run.
    pub fn may_write(&self) -> bool {
        self.intent.write && self.settings.write && self.settings.until >= Stage::Write
    }

    /// Returns whether a stage is within `--until`, without recording anything.
    pub fn walks(&self, stage: Stage) -> bool {
        stage <= self.settings.until
    }

    /// Returns how much of the check's time is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Lowers the deadline of every further stage to the link's own, where that is shorter.
    pub fn shorten(&mut self, limit: Duration) {
        self.stage_timeout = self.stage_timeout.min(limit);
    }

    /// Returns the deadline of one stage: that of the settings, or a shorter one of the link's.
    pub const fn stage_timeout(&self) -> Duration {
        self.stage_timeout
    }

    /// Waits until the check is stopped, for what has to wait outside of a step.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Makes a secret known that the link did not hold, such as a token lent by a server.
    pub fn add_secret(&mut self, secret: &str) {
        self.redactor.add(secret);
    }

    /// Keeps a name of the link's off the record until the server has shown that it knows it, for a
    /// name without a form that no secret has: id and secret may be swapped.
    pub fn withhold(&mut self, name: &str) {
        self.withheld.add(name);
    }

    /// Resolves, connects and, with `tls`, shakes hands: separate timed steps, each under its own
    /// deadline and the address policy.
    pub async fn reach(
        &mut self,
        endpoint: &Endpoint,
        tls: Option<TlsOptions>,
    ) -> Result<Reached, Halt> {
        let settings = Arc::clone(&self.settings);
        let net = &settings.net;
        let resolved = self
            .step(endpoint, &[Stage::Resolve], net.resolve(endpoint))
            .await?;
        self.note_all(resolved.notes());
        let connecting = net.connect(endpoint, &resolved);
        let connected = match self.step(endpoint, &[Stage::Connect], connecting).await {
            Ok(connected) => connected,
            Err(halt) => {
                self.add_evidence("tried", &resolved.failed());
                return Err(halt);
            }
        };
        self.note("address", connected.address());
        self.note_all(connected.notes());
        let dialler = Dialler::new(net.clone(), endpoint.clone(), &connected, tls.clone());
        let Some(tls) = tls else {
            return Ok(Reached {
                dialled: connected.into_plain(endpoint),
                dialler,
            });
        };
        let dialled = self
            .step(
                endpoint,
                &[Stage::Tls],
                net.shake_hands(endpoint, connected, &tls),
            )
            .await?;
        if let Some(facts) = dialled.tls() {
            self.note_all(facts.notes());
            if let Some(warning) = facts.expiry_warning(endpoint) {
                self.finding(Some(endpoint), warning);
            }
        }
        Ok(Reached { dialled, dialler })
    }

    /// Runs one call that proves one or more stages, under the deadline of a stage, and records
    /// how it ended.
    ///
    /// On success each of `stages` passes. On failure the stage of the diagnosis' own code fails;
    /// the stages before it pass when the answer proves the identity, and a failure beyond
    /// `--until` then does not count.
    pub fn step<T>(
        &mut self,
        endpoint: &Endpoint,
        stages: &[Stage],
        work: impl Future<Output = Result<T, Diagnosis>> + Send,
    ) -> impl Future<Output = Result<T, Halt>> {
        self.step_within(endpoint, stages, self.stage_timeout, work)
    }

    /// As [`Probe::step`], with the link's own shorter deadline.
    pub fn step_within<T>(
        &mut self,
        endpoint: &Endpoint,
        stages: &[Stage],
        limit: Duration,
        work: impl Future<Output = Result<T, Diagnosis>> + Send,
    ) -> impl Future<Output = Result<T, Halt>> {
        // On the heap, and only while it runs: a probe would hold the work of every step several
        // times over, once for each function that it is moved into.
        self.run(endpoint, stages, limit, Box::pin(work))
    }

    async fn run<T>(
        &mut self,
        endpoint: &Endpoint,
        stages: &[Stage],
        limit: Duration,
        work: Pin<Box<impl Future<Output = Result<T, Diagnosis>> + Send>>,
    ) -> Result<T, Halt> {
        let first = stages.first().copied().unwrap_or(Stage::Access);
        let last = stages.last().copied().unwrap_or(first);
        if first > self.settings.until {
            self.skip(first, "beyond --until");
            return Err(Halt(()));
        }
        if last >= Stage::Authenticate
            && let Some(attempted) = &self.attempted
            && !prove::take(attempted)
        {
            return Err(Halt(()));
        }
        self.trail.walk(last);
        let until = self.settings.until;
        let started = Instant::now();
        let limit = limit.min(self.stage_timeout);
        let deadline = (started + limit).min(self.deadline);
        let cancel = self.cancel.clone();
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(interrupted(last)),
            result = tokio::time::timeout_at(deadline, work) => result.unwrap_or_else(|_| {
                Err(self.silence(last, endpoint, started, deadline))
            }),
        };
        let elapsed = started.elapsed();
        match result {
            Ok(value) => {
                for &stage in stages.iter().filter(|&&stage| stage <= until) {
                    self.record(stage, Some(endpoint), Outcome::Pass, elapsed, None);
                }
                Ok(value)
            }
            Err(diagnosis) => {
                let stage = diagnosis.code.stage().unwrap_or(last);
                if diagnosis.proves_identity {
                    let asked = |proved: &&Stage| **proved < stage && **proved <= until;
                    for &proved in stages.iter().filter(asked) {
                        self.record(proved, Some(endpoint), Outcome::Pass, elapsed, None);
                    }
                    if stage > until {
                        self.skip(stage, "beyond --until");
                        return Err(Halt(()));
                    }
                }
                self.record(
                    stage,
                    Some(endpoint),
                    diagnosis.outcome,
                    elapsed,
                    Some(diagnosis),
                );
                Err(Halt(()))
            }
        }
    }

    /// Undoes what a write left behind: runs even when the check was cancelled or is out of time,
    /// under a short deadline of its own.
    pub async fn cleanup<T>(
        &mut self,
        work: impl Future<Output = Result<T, Diagnosis>> + Send,
    ) -> Result<T, Diagnosis> {
        let _cleaning = self.trail.clean();
        tokio::time::timeout(CLEANUP_TIMEOUT, work)
            .await
            .unwrap_or_else(|_| {
                let waited_ms = CLEANUP_TIMEOUT.as_millis();
                Err(Diagnosis::new(
                    Code::AccessTimedOut,
                    format!("no answer within {waited_ms} ms"),
                ))
            })
    }

    /// Starts a walk that runs beside others of the same check: the deadline is shared, the record
    /// is its own until [`Probe::join`] adds it.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            settings: Arc::clone(&self.settings),
            cancel: self.cancel.clone(),
            redactor: self.redactor.clone(),
            withheld: self.withheld.clone(),
            target: self.target.clone(),
            intent: self.intent,
            deadline: self.deadline,
            stage_timeout: self.stage_timeout,
            trail: self.trail.beside(),
            attempted: self.attempted.clone(),
        }
    }

    /// Starts the walk of the same link with a wrong secret: one step that logs in, or asks for
    /// more, and no other one behind it. Nothing is written.
    pub(crate) fn fork_wrong(&self) -> Self {
        let settings = Settings {
            until: Stage::Access,
            write: false,
            ..Settings::clone(&self.settings)
        };
        Self {
            settings: Arc::new(settings),
            attempted: Some(Attempted::default()),
            ..self.fork()
        }
    }

    fn silence(
        &self,
        stage: Stage,
        endpoint: &Endpoint,
        started: Instant,
        deadline: Instant,
    ) -> Diagnosis {
        let waited = deadline.duration_since(started);
        let waited_ms = waited.as_millis();
        let what = match stage {
            Stage::Resolve => format!("the name `{}` was not resolved", endpoint.host),
            Stage::Connect => format!("{endpoint} did not accept"),
            Stage::Tls => format!("{endpoint} accepted and then did not finish the TLS handshake"),
            _ => format!("{endpoint} accepted and then did not answer"),
        };
        let whole = deadline == self.deadline;
        if let (Stage::Resolve | Stage::Connect, Some(proxy)) = (stage, self.settings.net.proxy()) {
            return Diagnosis::new(
                Code::ConnectProxyFailed,
                format!("the proxy {proxy} did not connect to {endpoint} within {waited_ms} ms"),
            )
            .evidence("waited_ms", waited_ms)
            .hint("check --proxy; without it, linkdial dials directly");
        }
        Diagnosis::new(stage.timed_out(), format!("{what} within {waited_ms} ms"))
            .evidence("waited_ms", waited_ms)
            .evidence("limit", if whole { "check" } else { "stage" })
            .hint(match stage {
                Stage::Connect => {
                    "a firewall that drops packets looks like this: check host, port and the way \
                     there from this machine"
                }
                Stage::Resolve => "check the name servers of this machine",
                _ => {
                    "check that this is the right port; a load balancer without a back end accepts \
                     and stays silent"
                }
            })
    }
}

/// Returns the finding of a check that was stopped before it was done.
pub fn interrupted(stage: Stage) -> Diagnosis {
    Diagnosis::new(
        Code::Interrupted(stage),
        "the check was stopped before it could find out",
    )
    .hint("run it again")
}
