//! How a report is written, and where to.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::exit::Failure;
use super::output::{self, Open, Output};
use super::signals::Signals;
use super::terminal;
use crate::report::{Detail, Format, HumanOptions, Report, render};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Report")]
pub(super) struct ReportArguments {
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
    /// Show only what failed, could not be found out or was left behind
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

/// Where a report goes; open before the work starts.
pub(super) struct Destinations {
    format: Format,
    options: HumanOptions,
    outputs: Vec<Open>,
}

/// A run that a signal ends in an orderly way from here on, so that no temporary file stays behind.
pub(super) struct Begun {
    pub(super) cancel: CancellationToken,
    pub(super) signals: Signals,
    pub(super) quiet: bool,
    /// Where reports are written to.
    pub(super) outputs: Vec<PathBuf>,
    pub(super) destinations: Destinations,
}

impl ReportArguments {
    /// Listens for signals, and opens every file.
    pub(super) fn begin(self, inputs: &[output::Input], color: bool) -> Result<Begun, Failure> {
        let cancel = CancellationToken::new();
        let signals = Signals::listen(cancel.clone())
            .map_err(|error| Failure::Broken(format!("cannot listen for signals: {error}")))?;
        Ok(Begun {
            cancel,
            signals,
            quiet: self.quiet,
            outputs: self.outputs.iter().map(Output::path).collect(),
            destinations: self.open(inputs, color)?,
        })
    }

    /// Opens every file, so that one that can not be written is known before anything is dialled.
    pub(super) fn open(
        self,
        inputs: &[output::Input],
        color: bool,
    ) -> Result<Destinations, Failure> {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        Ok(Destinations {
            format: self.format,
            options: HumanOptions { detail, color },
            outputs: output::open(self.outputs, inputs)?,
        })
    }
}

impl Destinations {
    /// Writes every destination, also after one of them failed; `false` when one did.
    pub(super) fn write(self, report: &Report) -> bool {
        let outputs = self.outputs.into_iter();
        let mut results: Vec<_> = outputs.map(|output| output.write(report)).collect();
        let (format, options) = (self.format, self.options);
        results.push(terminal::print(|out| render(report, format, options, out)));
        let mut good = true;
        for failure in results.into_iter().filter_map(Result::err) {
            terminal::complain(&failure.to_string());
            good = false;
        }
        good
    }
}
