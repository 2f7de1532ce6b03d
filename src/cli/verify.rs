//! `linkdial verify`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use linkdial_core::{Settings, Stage};
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use super::input::{self, LinkTarget};
use super::output::{self, Output};
use super::progress::Live;
use super::signals::Signals;
use super::{duration, network, terminal, variables, warm_up};
use crate::report::{Detail, Format, HumanOptions, Report, render};
use crate::script::{Script, ScriptOptions};
use crate::sweep::Limits;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!("\
Examples:
  linkdial verify links.sql
  linkdial verify --format json links.sql > report.json
  linkdial verify --output junit=report.xml --output json=report.json links.sql
  linkdial verify --target shop.orders=bucket/prefix:write --write links.sql
  linkdial verify --vars-env S3_SECRET --var BUCKET=landing links.sql
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

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Depth")]
struct DepthArguments {
    /// Stop after a stage
    #[arg(long, value_name = "STAGE", value_parser = stage_parser())]
    until: Option<Stage>,
    /// Send no packet; the same as `--until define`
    #[arg(long, conflicts_with_all = ["until", "write", "post_empty"])]
    offline: bool,
    /// Write a small object where the script writes, read it back and delete it
    #[arg(long)]
    write: bool,
    /// HTTP: send one batch of zero rows in the function's format
    #[arg(long)]
    post_empty: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Report")]
struct ReportArguments {
    /// How the report on standard output is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write the report to a file as well; repeatable
    ///
    /// The file is replaced once it is complete.
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = output::parse)]
    outputs: Vec<Output>,
    /// Show every stage with its time and what was learned
    #[arg(short, long)]
    verbose: bool,
    /// Show only what failed or could not be found out
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
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
    let net = arguments.network.net()?;
    let variables = arguments.variables.read()?;
    let sources = input::read(&arguments.files)?;
    // From here on a signal ends the run in an orderly way, and no temporary file stays behind.
    let cancel = CancellationToken::new();
    let signals = Signals::listen(cancel.clone())
        .map_err(|error| Failure::Broken(format!("cannot listen for signals: {error}")))?;
    let outputs = output::open(arguments.report.outputs, &inputs)?;
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

    let until = if arguments.depth.offline {
        Stage::Define
    } else {
        arguments.depth.until.unwrap_or(Stage::Write)
    };
    let settings = Arc::new(Settings {
        until,
        write: arguments.depth.write,
        post_empty: arguments.depth.post_empty,
        stage_timeout: arguments.limits.timeout,
        check_timeout: arguments.limits.check_timeout,
        net,
    });
    let limits = Limits {
        jobs: arguments.limits.jobs,
        jobs_per_host: arguments.limits.jobs_per_host,
        deadline: arguments.limits.deadline,
        cancel,
    };

    let live = Live::start(arguments.report.quiet);
    let report = crate::verify(script, &settings, &limits, |progress| {
        if let Some(live) = &live {
            live.on(&progress);
        }
    })
    .map_err(|error| Failure::Broken(format!("cannot start the checks: {error}")))?;
    if let Some(live) = live {
        live.end();
    }

    let detail = match (arguments.report.quiet, arguments.report.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    };
    let options = HumanOptions { detail, color };
    let written = write_all(&report, arguments.report.format, options, outputs);
    Ok(if written {
        Exit::of(&report, arguments.strict, signals.came())
    } else {
        Exit::Broken
    })
}

/// Writes every destination, also after one of them failed.
fn write_all(
    report: &Report,
    format: Format,
    options: HumanOptions,
    outputs: Vec<output::Open>,
) -> bool {
    let mut results: Vec<_> = outputs
        .into_iter()
        .map(|output| output.write(report))
        .collect();
    results.push(terminal::print(|out| render(report, format, options, out)));
    let mut good = true;
    for failure in results.into_iter().filter_map(Result::err) {
        terminal::complain(&failure.to_string());
        good = false;
    }
    good
}

fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "write a whole number from 1")
}

fn stage_parser() -> impl clap::builder::TypedValueParser<Value = Stage> {
    PossibleValuesParser::new(Stage::ALL.map(Stage::as_str)).map(|word| {
        Stage::ALL
            .into_iter()
            .find(|stage| stage.as_str() == word)
            .expect("one of the possible values")
    })
}
