//! `linkdial sweep`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{Kind, Stage};
use tokio_util::sync::CancellationToken;

use super::check::{inputs, tell};
use super::depth::WholeArguments;
use super::exit::{Exit, Failure};
use super::limits::LimitArguments;
use super::progress::Live;
use super::registry::{Absent, RegistryArguments, UserArguments};
use super::reporting::ReportArguments;
use super::signals::Signals;
use super::{duration, network, terminal, warm_up};
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

", super::exit_codes!()))]
pub(super) struct Arguments {
    /// Links: `database.name`, or `name` in any database; `*` and `?` stand for other letters
    ///
    /// Without one all links are dialled. Letter case counts.
    #[arg(value_name = "NAME-GLOB")]
    names: Vec<String>,
    /// Only links of these kinds, such as `s3,kafka`
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,
    /// Only links of this database, and names without a dot in it
    #[arg(long, value_name = "NAME")]
    in_database: Option<String>,
    /// How long after a failure a link that did not fail before is dialled once more; 0: not at all
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse_or_zero)]
    confirm: Duration,
    /// How long the history is kept
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
    warm_up::draw();
    let opened = arguments.registry.open(Absent::Refuse)?;
    let registry = &opened.registry;
    let inputs = inputs(registry, &arguments.network);
    arguments.whole.check()?;
    let net = arguments.network.net()?;
    // From here on a signal ends the run in an orderly way, and no temporary file stays behind.
    let cancel = CancellationToken::new();
    let signals = Signals::listen(cancel.clone())
        .map_err(|error| Failure::Broken(format!("cannot listen for signals: {error}")))?;
    let quiet = arguments.report.quiet;
    let destinations = arguments.report.open(&inputs, color)?;
    let options = SweepOptions {
        selection: Selection {
            names: arguments.names,
            database: arguments.in_database,
            kinds: arguments.kinds,
            user: arguments.user.user,
            targets: Vec::new(),
        },
        confirm: arguments.confirm,
        keep: arguments.keep,
    };
    let limits = &arguments.limits;
    let settings = Arc::new(limits.settings(Stage::Write, &arguments.whole, net));
    let limits = limits.limits(cancel);

    let live = Live::start(quiet);
    let swept = crate::sweep(registry, &options, &settings, &limits, |progress| {
        if let Some(live) = &live {
            live.on(&progress);
        }
    });
    if let Some(live) = live {
        live.end();
    }
    Ok(tell(swept, destinations)?.unwrap_or_else(|report| {
        let exit = Exit::of(&report, arguments.strict, signals.came());
        match arguments.expires_within {
            Some(within) if exit == Exit::Good && expires(&report, within) => Exit::Failed,
            _ => exit,
        }
    }))
}

/// Says what ends within this time; returns whether anything does.
fn expires(report: &Report, within: Duration) -> bool {
    let expiries = report.night.iter().flat_map(|night| &night.expiries);
    let ends = Timestamp::now().checked_add(within);
    let ends = ends.unwrap_or(Timestamp::MAX);
    let count = expiries.filter(|expiry| expiry.at <= ends).count();
    match count {
        0 => return false,
        1 => terminal::warn("1 thing that a link needs ends within `--expires-within`"),
        _ => terminal::warn(&format!(
            "{count} things that links need end within `--expires-within`"
        )),
    }
    true
}
