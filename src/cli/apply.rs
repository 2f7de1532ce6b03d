//! `linkdial apply`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ValueEnum, ValueHint};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::depth::DepthArguments;
use super::exit::{Exit, Failure};
use super::input::{self, LinkTarget};
use super::limits::LimitArguments;
use super::progress::Live;
use super::registry::{self, Absent, RegistryArguments, UserArguments};
use super::signals::Signals;
use super::terminal::{self, Stream};
use super::{network, variables};
use crate::apply::{ApplyError, ApplyOptions, Ending, Event, Outcome, Statements, apply};
use crate::report::applied_json::AppliedDocument;
use crate::report::{AppliedPage, Detail, HumanOptions};
use crate::script::ScriptOptions;

/// The file name that stands for statements of the command line.
const COMMAND_LINE: &str = "-e";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial apply links.sql
  linkdial apply --plan links.sql
  linkdial apply --vars-env S3_SECRET links.sql
  linkdial apply --defer --target shop.orders=bucket/prefix links.sql
  linkdial apply --database shop -e 'SHOW LINKS'
  linkdial apply -e \"GRANT SHOW LINK ON shop.* TO 'ada'\"
  linkdial apply --user ada -e \"CHECK LINK shop.orders ON 'bucket/prefix'\"

Statements: CREATE [OR REPLACE] LINK, ALTER LINK, DROP LINK, SHOW LINKS, SHOW CREATE LINK,
SELECT ... FROM information_schema.LINKS, CHECK LINK, GRANT, REVOKE, SHOW GRANTS, USE, and those
that use a link, such as CREATE PIPELINE. Others are counted and passed over.

A user of the registry (--user) guards against slips and is no security boundary: who can read
the registry and its key can do everything. A new registry belongs to `root`.

Exit codes: 0 everything is registered, unchanged or deferred, 1 something was refused or not
reached, or a CHECK LINK failed, 2 bad usage or a statement that is wrong or not permitted,
3 linkdial could not do its work, 130 interrupted.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command"
)]
pub(super) struct Arguments {
    /// Files with SQL statements, read as one script in this order; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Run this statement, after those of the files; repeatable
    ///
    /// Others may see the command line: give secrets with `--vars-env`.
    #[arg(
        short = 'e',
        long = "execute",
        value_name = "STATEMENT",
        allow_hyphen_values = true // a comment may come first
    )]
    statements: Vec<String>,
    /// The current database, as if each file began with `USE NAME`
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    database: Option<String>,
    /// Dial a link that is created or altered with this target too, and keep it; repeatable
    ///
    /// The intent is to read, unless `:write` follows the target.
    #[arg(long = "target", value_name = "LINK=TARGET[:write]", value_parser = input::link_target)]
    targets: Vec<LinkTarget>,
    /// Dial, and say what would change; change nothing
    #[arg(long)]
    plan: bool,
    /// Store what does not pass as deferred
    #[arg(long)]
    defer: bool,
    /// How the outcome is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Show every stage with its time and what was learned
    #[arg(short, long)]
    verbose: bool,
    /// Show only what was refused, is wrong, was not reached or left behind
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    #[command(flatten)]
    registry: RegistryArguments,
    #[command(flatten)]
    user: UserArguments,
    #[command(flatten)]
    depth: DepthArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    network: network::NetworkArguments,
    #[command(flatten)]
    variables: variables::VariableArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// For people; tables align
    Human,
    /// One document, schema 1 of docs/apply.schema.json
    Json,
}

/// Writes what happens in one of the formats.
enum Writer {
    Human(AppliedPage),
    Json(AppliedDocument),
}

pub(super) fn run(arguments: Arguments, color: bool) -> Result<Exit, Failure> {
    let partial = arguments.depth.until() != linkdial_core::Stage::Write;
    if partial && !arguments.plan && !arguments.defer {
        return Err(Failure::Usage(
            "a link is registered after all stages only; with `--until` or `--offline` add \
             `--plan` to change nothing, or `--defer` to store it as deferred"
                .to_owned(),
        ));
    }
    arguments.depth.check()?;
    let net = arguments.network.net()?;
    let variables = arguments.variables.read()?;
    let mut sources = Vec::new();
    if arguments.statements.is_empty() || !arguments.files.is_empty() {
        sources = input::read(&arguments.files, "that is a statement: give it with -e")?;
    }
    for statement in arguments.statements {
        sources.push((COMMAND_LINE.to_owned(), statement));
    }
    let cancel = CancellationToken::new();
    let signals = Signals::listen(cancel.clone())
        .map_err(|error| Failure::Broken(format!("cannot listen for signals: {error}")))?;
    let script = ScriptOptions {
        database: arguments.database,
        variables,
    };
    let mut statements = Statements::read(sources, script);
    for warning in input::add_targets(&mut statements, arguments.targets)? {
        terminal::warn(&warning);
    }
    let absent = if arguments.plan {
        Absent::Pretend
    } else {
        Absent::Make
    };
    let opened = arguments.registry.open(absent)?;
    let settings = arguments.limits.settings_to(&arguments.depth, net);
    let limits = arguments.limits.limits(cancel);
    let options = ApplyOptions {
        user: arguments.user.user,
        defer: arguments.defer,
        plan: arguments.plan,
    };

    let mut out = Stream::new();
    let mut writer = match arguments.format {
        Format::Human => {
            let detail = match (arguments.quiet, arguments.verbose) {
                (true, _) => Detail::Quiet,
                (_, true) => Detail::Verbose,
                _ => Detail::Normal,
            };
            let human = HumanOptions { detail, color };
            Writer::Human(AppliedPage::new(human, options.plan))
        }
        Format::Json => {
            let document = AppliedDocument::default();
            let host = crate::dial::host();
            let (user, plan) = (&options.user, options.plan);
            out.write(|out| document.start(host.as_deref(), Timestamp::now(), user, plan, out));
            Writer::Json(document)
        }
    };
    let live = Live::start(arguments.quiet);
    let ending = apply(
        statements,
        &opened.registry,
        &options,
        &settings,
        &limits,
        |event| match (event, &live) {
            (Event::Progress(progress), Some(live)) => {
                live.on(&progress);
                ControlFlow::Continue(())
            }
            (event, Some(live)) => live.suspend(|| writer.on(&event, &mut out)),
            (event, None) => writer.on(&event, &mut out),
        },
    );
    if let Some(live) = live {
        live.end();
    }
    match &mut writer {
        Writer::Human(page) => out.write(|out| page.end(&ending, out)),
        Writer::Json(document) => out.write(|out| document.end(&ending, out)),
    }
    let exit = exit(&ending, signals.came());
    match ending.failure {
        Some(ApplyError::Registry(error)) => return Err(registry::failure(&error)),
        Some(error) => return Err(Failure::Broken(error.to_string())),
        None => {}
    }
    out.end()?;
    Ok(exit)
}

impl Writer {
    fn on(&mut self, event: &Event<'_>, out: &mut Stream) -> ControlFlow<()> {
        match (self, event) {
            (_, Event::Progress(_)) => {}
            (Self::Human(page), Event::Applied(applied)) => {
                out.write(|out| page.applied(applied, out));
                out.flush();
            }
            (Self::Human(page), Event::Table(table)) => out.write(|out| page.table(table, out)),
            (Self::Human(page), Event::Row(row)) => out.write(|out| page.row(row, out)),
            (Self::Json(document), Event::Applied(applied)) => {
                out.write(|out| document.applied(applied, out));
            }
            (Self::Json(document), Event::Table(table)) => {
                out.write(|out| document.table(table, out));
            }
            (Self::Json(document), Event::Row(row)) => out.write(|out| document.row(row, out)),
        }
        if out.is_open() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

/// Returns how a run ends whose registry did its work.
fn exit(ending: &Ending, interrupted: bool) -> Exit {
    if interrupted && !ending.complete {
        return Exit::Interrupted;
    }
    if ending.broken {
        return Exit::Broken;
    }
    if !ending.errors.is_empty() || ending.count(Outcome::Error) > 0 {
        return Exit::Usage;
    }
    let stopped = ending.count(Outcome::Refused) + ending.count(Outcome::NotReached);
    if stopped > 0 || ending.check_failed {
        return Exit::Failed;
    }
    Exit::Good
}
