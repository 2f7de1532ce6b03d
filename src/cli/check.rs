//! `linkdial check`.

use super::depth::{DepthArguments, WholeArguments};
use super::exit::{Exit, Failure};
use super::input::{self, LinkTarget};
use super::limits::LimitArguments;
use super::progress::Live;
use super::registry::{Absent, RegistryArguments, UserArguments, failure};
use super::reporting::{Begun, Destinations, ReportArguments};
use super::{network, output, terminal};
use crate::registry::{Location, Registry};
use crate::report::Report;
use crate::script::Use;
use crate::{CheckError, Selection};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!("\
Examples:
  linkdial check
  linkdial check shop.orders 'ops.*'
  linkdial check --database shop 'orders_*'
  linkdial check --format json > report.json
  linkdial check --target shop.orders=bucket/prefix shop.orders

", super::exit_codes!()))]
pub(super) struct Arguments {
    /// Links: `database.name`, or `name` in any database; `*` and `?` stand for other letters
    ///
    /// Without one all links are dialled. Letter case counts.
    #[arg(value_name = "NAME-GLOB")]
    names: Vec<String>,
    /// Look for names without a dot in this database only
    ///
    /// Where there are no names, all links of this database are dialled.
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Dial a link with this target too, in this run alone; repeatable
    ///
    /// The intent is to read, unless `:write` follows the target.
    #[arg(long = "target", value_name = "LINK=TARGET[:write]", value_parser = input::link_target)]
    targets: Vec<LinkTarget>,
    /// Exit 1 when a check is unverified, or when there is nothing to check
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    registry: RegistryArguments,
    #[command(flatten)]
    user: UserArguments,
    #[command(flatten)]
    depth: DepthArguments,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    network: network::NetworkArguments,
}

/// Returns every file that the run reads.
pub(super) fn inputs(
    registry: &Registry,
    network: &network::NetworkArguments,
    whole: &WholeArguments,
) -> Vec<output::Input> {
    let Location::Sqlite(path) = registry.location();
    let own = crate::registry::files(path, Some(registry.key_file())).into_iter();
    let certificates = network.ca_files().iter();
    let certificates = certificates.map(|path| ("the file of `--ca-file`", path.clone()));
    own.chain(certificates).chain(whole.inputs()).collect()
}

pub(super) fn run(arguments: Arguments, color: bool) -> Result<Exit, Failure> {
    let opened = arguments.registry.open(Absent::Refuse)?;
    let registry = &opened.registry;
    let inputs = inputs(registry, &arguments.network, &arguments.depth.whole);
    arguments.depth.check()?;
    let net = arguments.network.net()?;
    let Begun {
        cancel,
        signals,
        quiet,
        destinations,
        ..
    } = arguments.report.begin(&inputs, color)?;
    let added = arguments.targets.into_iter();
    let selection = Selection {
        names: arguments.names,
        database: arguments.database,
        in_database: None,
        kinds: Vec::new(),
        user: arguments.user.user,
        targets: added
            .map(|added| (added.link, Use::new(added.target, added.intent)))
            .collect(),
    };
    let settings = arguments.limits.settings_to(&arguments.depth, net);
    let limits = arguments.limits.limits(cancel);

    let checked = Live::during(quiet, |on_progress| {
        crate::check(registry, &selection, &settings, &limits, on_progress)
    });
    Ok(tell(checked, destinations)?
        .unwrap_or_else(|report| Exit::of(&report, arguments.strict, signals.came())))
}

/// Writes what was found, also where it could not be recorded; the exit is there when linkdial could
/// not do its work.
pub(super) fn tell(
    checked: Result<Report, CheckError>,
    destinations: Destinations,
) -> Result<Result<Exit, Report>, Failure> {
    let (report, unrecorded) = match checked {
        Ok(report) => (report, None),
        Err(CheckError::Record { report, source }) => (*report, Some(source)),
        Err(CheckError::Registry(error)) => return Err(failure(&error)),
        Err(error @ CheckError::Selection(_)) => return Err(Failure::Usage(error.to_string())),
        Err(error) => return Err(Failure::Broken(error.to_string())),
    };
    let written = destinations.write(&report);
    if let Some(error) = unrecorded {
        terminal::complain(&format!("cannot record the checks: {}", failure(&error)));
        return Ok(Ok(Exit::Broken));
    }
    Ok(if written {
        Err(report)
    } else {
        Ok(Exit::Broken)
    })
}
