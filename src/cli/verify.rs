//! `linkdial verify`.

use std::path::PathBuf;

use clap::ValueHint;
use tokio_util::sync::CancellationToken;

use super::depth::DepthArguments;
use super::exit::{Exit, Failure};
use super::input::{self, LinkTarget};
use super::limits::LimitArguments;
use super::output;
use super::progress::Live;
use super::reporting::ReportArguments;
use super::signals::Signals;
use super::{network, terminal, variables, warm_up};
use crate::script::{Script, ScriptOptions};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!("\
Examples:
  linkdial verify links.sql
  linkdial verify --format json links.sql > report.json
  linkdial verify --output junit=report.xml --output json=report.json links.sql
  linkdial verify --target shop.orders=bucket/prefix:write --write links.sql
  linkdial verify --vars-env S3_SECRET --var BUCKET=landing links.sql
  linkdial verify --file /etc/memsql/ca.pem=ca.pem --krb5-conf krb5.conf kafka.sql
  envsubst < links.sql.in | linkdial verify --offline -

", super::exit_codes!()))]
pub(super) struct Arguments {
    /// Files with SQL statements, read as one script in this order; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The current database, as if the script began with `USE NAME`
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Dial a link with this target too; repeatable
    ///
    /// The intent is to read, unless `:write` follows the target.
    #[arg(long = "target", value_name = "LINK=TARGET[:write]", value_parser = input::link_target)]
    targets: Vec<LinkTarget>,
    /// Exit 1 when a check is unverified, or when there is nothing to check
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    depth: DepthArguments,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    network: network::NetworkArguments,
    #[command(flatten)]
    variables: variables::VariableArguments,
}

impl Arguments {
    /// Returns every file that the run reads.
    fn inputs(&self) -> Vec<output::Input> {
        let scripts = self.files.iter().map(|path| ("the script", path));
        let variables = self.variables.files().iter();
        let variables = variables.map(|path| ("the file of `--vars`", path));
        let certificates = self.network.ca_files().iter();
        let certificates = certificates.map(|path| ("the file of `--ca-file`", path));
        scripts
            .chain(variables)
            .chain(certificates)
            .map(|(role, path)| (role, path.clone()))
            .collect()
    }
}

pub(super) fn run(arguments: Arguments, color: bool) -> Result<Exit, Failure> {
    let inputs = arguments.inputs();
    arguments.depth.check()?;
    let net = arguments.network.net()?;
    let variables = arguments.variables.read()?;
    let sources = input::read(&arguments.files)?;
    // From here on a signal ends the run in an orderly way, and no temporary file stays behind.
    let cancel = CancellationToken::new();
    let signals = Signals::listen(cancel.clone())
        .map_err(|error| Failure::Broken(format!("cannot listen for signals: {error}")))?;
    let quiet = arguments.report.quiet;
    let destinations = arguments.report.open(&inputs, color)?;
    if !arguments.depth.offline {
        warm_up::start(sources.iter().map(|(_, text)| text.as_str()));
    }
    let options = ScriptOptions {
        database: arguments.database,
        variables,
    };
    let mut script = Script::read(sources, &options);
    for warning in input::add_targets(&mut script, arguments.targets)? {
        terminal::warn(&warning);
    }
    let settings = arguments.limits.settings_to(&arguments.depth, net);
    let limits = arguments.limits.limits(cancel);

    let live = Live::start(quiet);
    let report = crate::verify(script, &settings, &limits, |progress| {
        if let Some(live) = &live {
            live.on(&progress);
        }
    })
    .map_err(|error| Failure::Broken(format!("cannot start the checks: {error}")))?;
    if let Some(live) = live {
        live.end();
    }
    Ok(if destinations.write(&report) {
        Exit::of(&report, arguments.strict, signals.came())
    } else {
        Exit::Broken
    })
}
