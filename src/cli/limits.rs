//! How long checks may take, and how many run at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::net::Net;
use linkdial_core::{Settings, Stage};
use tokio_util::sync::CancellationToken;

use super::depth::{DepthArguments, WholeArguments};
use super::duration;
use crate::sweep::Limits;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArguments {
    /// The deadline of each stage
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    timeout: Duration,
    /// The deadline of one check as a whole
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    check_timeout: Duration,
    /// The deadline of the whole run; checks that it stops are unverified
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    deadline: Option<Duration>,
    /// Checks at once
    #[arg(long, value_name = "N", default_value_t = Limits::JOBS, value_parser = jobs)]
    jobs: NonZeroUsize,
    /// Checks at once against one host and port
    #[arg(long, value_name = "N", default_value_t = Limits::JOBS_PER_HOST, value_parser = jobs)]
    jobs_per_host: NonZeroUsize,
}

impl LimitArguments {
    /// Returns the limits of a run that the token stops.
    pub(super) fn limits(&self, cancel: CancellationToken) -> Limits {
        Limits {
            jobs: self.jobs,
            jobs_per_host: self.jobs_per_host,
            waiting: waiting(self.jobs),
            deadline: self.deadline,
            cancel,
        }
    }

    /// Returns what every check of the run goes by.
    ///
    /// None of them tries a wrong secret: see [`LimitArguments::settings_to`].
    pub(super) fn settings(&self, until: Stage, whole: &WholeArguments, net: Net) -> Settings {
        Settings {
            until,
            write: whole.write,
            post_empty: whole.post_empty,
            prove: false,
            stage_timeout: self.timeout,
            check_timeout: self.check_timeout,
            files: whole.files(),
            krb5_conf: whole.krb5_conf(),
            client_program: std::env::current_exe().ok(),
            net,
        }
    }

    /// Returns the same for a run whose depth somebody chose.
    pub(super) fn settings_to(&self, depth: &DepthArguments, net: Net) -> Arc<Settings> {
        Arc::new(Settings {
            prove: depth.prove,
            ..self.settings(depth.until(), &depth.whole, net)
        })
    }
}

/// Returns how many checks may wait for silent servers: one without a descriptor would look as if its
/// link were broken.
fn waiting(jobs: NonZeroUsize) -> usize {
    /// Wanted, where the system's own limit allows it.
    const DESCRIPTORS: u64 = 4096;
    /// For the registry, the outputs, the runtimes.
    const OWN: usize = 64;
    /// A check has a connection, and a client of its own a second one.
    const EACH: usize = 2;
    const MOST: usize = 1024;
    let open = rlimit::increase_nofile_limit(DESCRIPTORS).unwrap_or_default();
    let open = usize::try_from(open).unwrap_or(usize::MAX);
    let left = open
        .saturating_sub(OWN)
        .saturating_sub(jobs.get().saturating_mul(EACH));
    (left / EACH).min(MOST)
}

fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "write a whole number from 1")
}
