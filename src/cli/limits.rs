//! How long checks may take, and how many run at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::Settings;
use linkdial_core::net::Net;
use tokio_util::sync::CancellationToken;

use super::depth::DepthArguments;
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
            deadline: self.deadline,
            cancel,
        }
    }

    /// Returns what every check of the run goes by.
    pub(super) fn settings(&self, depth: &DepthArguments, net: Net) -> Arc<Settings> {
        Arc::new(Settings {
            until: depth.until(),
            write: depth.write,
            post_empty: depth.post_empty,
            stage_timeout: self.timeout,
            check_timeout: self.check_timeout,
            files: depth.files(),
            krb5_conf: depth.krb5_conf(),
            client_program: std::env::current_exe().ok(),
            net,
        })
    }
}

fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "write a whole number from 1")
}
