//! `linkdial verify`.

use std::path::{Path, PathBuf};

use clap::ValueHint;

use super::depth::DepthArguments;
use super::exit::{Exit, Failure};
use super::input::{self, LinkTarget};
use super::limits::LimitArguments;
use super::output;
use super::progress::Live;
use super::reporting::{Begun, ReportArguments};
use super::{network, registry, terminal, variables};
use crate::correction::{Copy, Fixes};
use crate::script::{Script, ScriptOptions};
use crate::verify::verify_and_fix;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!("\
Examples:
  linkdial verify links.sql
  linkdial verify --format json links.sql > report.json
  linkdial verify --output junit=report.xml --output json=report.json links.sql
  linkdial verify --target shop.orders=bucket/prefix:write --write links.sql
  linkdial verify --vars-env S3_SECRET --var BUCKET=landing links.sql
  linkdial verify --file /etc/memsql/ca.pem=ca.pem --krb5-conf krb5.conf kafka.sql
  linkdial verify --fix mended.sql links.sql
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
    /// Write a copy of the script with the repairs that were dialled and pass
    ///
    /// All else is as it was, secrets included. A repair that could not be proved is not written.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    fix: Option<PathBuf>,
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
    /// Returns every file that the run reads, and those of the user's registry: a slip in a name must
    /// not cost it.
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
            .chain(self.depth.whole.inputs())
            .chain(registry::own_files())
            .collect()
    }
}

pub(super) fn run(arguments: Arguments, color: bool) -> Result<Exit, Failure> {
    let inputs = arguments.inputs();
    arguments.depth.check()?;
    let net = arguments.network.net()?;
    let variables = arguments.variables.read()?;
    if arguments.fix.is_some() {
        if arguments.depth.until() != linkdial_core::Stage::Write {
            return Err(Failure::Usage(
                "`--fix` writes what was dialled: it goes with neither `--offline` nor `--until`"
                    .into(),
            ));
        }
        if arguments.files.len() > 1 {
            return Err(Failure::Usage(
                "`--fix` writes a copy of one script: name one FILE".into(),
            ));
        }
    }
    let sources = input::read(&arguments.files, "that is a statement, not a file")?;
    let Begun {
        cancel,
        signals,
        quiet,
        outputs,
        destinations,
    } = arguments.report.begin(&inputs, color)?;
    let options = ScriptOptions {
        database: arguments.database.clone(),
        variables,
    };
    let original = arguments
        .fix
        .as_ref()
        .and_then(|_| sources.first().cloned());
    let named = arguments
        .files
        .first()
        .map_or(Path::new("-"), PathBuf::as_path);
    let copy = arguments
        .fix
        .clone()
        .map(|path| output::open_copy(path, named, &inputs, &outputs))
        .transpose()?;
    let mut script = Script::read(sources, &options);
    for warning in input::add_targets(&mut script, arguments.targets)? {
        terminal::warn(&warning);
    }
    let settings = arguments.limits.settings_to(&arguments.depth, net);
    let limits = arguments.limits.limits(cancel);

    let (report, fixes) = Live::during(quiet, |on_progress| {
        verify_and_fix(script, &settings, &limits, on_progress)
    })
    .map_err(|error| Failure::Broken(format!("cannot start the checks: {error}")))?;
    let mut written = destinations.write(&report);
    if let (Some(copy), Some((name, text)), Some(path)) = (copy, original, &arguments.fix) {
        let fixed = fixes.copy(&name, &text, &options);
        match copy.write(&fixed.text) {
            Ok(()) => terminal::note(&told(&fixes, &fixed, path)),
            Err(failure) => {
                terminal::complain(&failure.to_string());
                written = false;
            }
        }
    }
    Ok(if written {
        Exit::of(&report, arguments.strict, signals.came())
    } else {
        Exit::Broken
    })
}

/// Says how many repairs were written, and which were not.
fn told(fixes: &Fixes, copy: &Copy, path: &Path) -> String {
    let path = path.display();
    let counted = |repairs: usize| {
        let noun = if repairs == 1 { "repair" } else { "repairs" };
        format!("{repairs} {noun}")
    };
    let mut text = format!("{} written to `{path}`", counted(copy.repairs));
    if fixes.left_out > 0 {
        text.push_str("; a target that was given with `--target` is mended there");
    }
    for (name, repairs) in &copy.missing {
        let (repairs, verb) = (counted(*repairs), if *repairs == 1 { "is" } else { "are" });
        let missing =
            format!("; {repairs} of `{name}` {verb} not in it: other statements change that link");
        text.push_str(&missing);
    }
    text
}
