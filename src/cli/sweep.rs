//! `linkdial sweep`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{Kind, Stage};

use super::check::{inputs, tell};
use super::depth::WholeArguments;
use super::exit::{Exit, Failure};
use super::limits::LimitArguments;
use super::progress::Live;
use super::registry::{Absent, RegistryArguments, UserArguments};
use super::reporting::{Begun, ReportArguments};
use super::{duration, network};
use crate::history::Night;
use crate::report::Report;
use crate::{Selection, SweepOptions};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!("\
Examples:
  linkdial sweep
  linkdial sweep --quiet --output html=night.html --output openmetrics=linkdial.prom
  linkdial sweep --kind s3,kafka 'shop.*'
  linkdial sweep --expires-within 14d --deadline 10m
  linkdial history --diff

A link that fails and did not fail before is dialled once more before it counts. When no host
can be reached, the sweep says so and counts for nothing (exit 3).

Exit codes: 0 nothing failed, 1 a check failed, or something ends within --expires-within (with
--strict also: a check is unverified, or there was none), 2 bad usage, 3 linkdial could not do its
work: no registry or key, a full disk, another sweep, no network here; 130 interrupted."))]
pub(super) struct Arguments {
    /// Links: `database.name`, or `name` in any database; `*` and `?` stand for other letters
    ///
    /// Without one all links are dialled. Letter case counts.
    #[arg(value_name = "NAME-GLOB")]
    names: Vec<String>,
    /// Only links of these kinds, such as `s3,kafka`
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,
    /// Only links of this database
    #[arg(long, value_name = "NAME")]
    in_database: Option<String>,
    /// How long to wait at the end before links are dialled once more that failed and did not fail
    /// before; 0: they are not
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse_or_zero)]
    confirm: Duration,
    /// How long the history is kept; only root's sweeps forget
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = duration::parse_age)]
    keep: Duration,
    /// Exit 1 when a certificate, signature, token or ticket ends within this time
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_age)]
    expires_within: Option<Duration>,
    /// Exit 1 when a check is unverified, or when there is nothing to check
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    registry: RegistryArguments,
    #[command(flatten)]
    user: UserArguments,
    #[command(flatten)]
    whole: WholeArguments,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    network: network::NetworkArguments,
}

/// Reads a kind as statements write it, in any letter case.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    text.to_ascii_uppercase()
        .parse()
        .map_err(|_| format!("there is no kind `{text}`"))
}

pub(super) fn run(arguments: Arguments, color: bool) -> Result<Exit, Failure> {
    let opened = arguments.registry.open(Absent::Refuse)?;
    let registry = &opened.registry;
    let inputs = inputs(registry, &arguments.network, &arguments.whole);
    arguments.whole.check()?;
    let net = arguments.network.net()?;
    let Begun {
        cancel,
        signals,
        quiet,
        destinations,
        ..
    } = arguments.report.begin(&inputs, color)?;
    let options = SweepOptions {
        selection: Selection {
            names: arguments.names,
            in_database: arguments.in_database,
            database: None,
            kinds: arguments.kinds,
            user: arguments.user.user,
            targets: Vec::new(),
        },
        confirm: arguments.confirm,
        soon: arguments.expires_within.unwrap_or(Night::SOON),
        keep: arguments.keep,
    };
    let limits = &arguments.limits;
    let settings = Arc::new(limits.settings(Stage::Write, &arguments.whole, net));
    let limits = limits.limits(cancel);

    let swept = Live::during(quiet, |on_progress| {
        crate::sweep(registry, &options, &settings, &limits, on_progress)
    });
    Ok(tell(swept, destinations)?.unwrap_or_else(|report| {
        let exit = Exit::of(&report, arguments.strict, signals.came());
        let within = arguments.expires_within;
        let expires = within.is_some_and(|within| expires(&report, within));
        if expires && exit == Exit::Good {
            Exit::Failed
        } else {
            exit
        }
    }))
}

/// Returns whether anything ends within this time; the report says what.
fn expires(report: &Report, within: Duration) -> bool {
    let mut expiries = report.night.iter().flat_map(|night| &night.expiries);
    let ends = Timestamp::now().checked_add(within);
    let ends = ends.unwrap_or(Timestamp::MAX);
    expiries.any(|expiry| expiry.at <= ends)
}
