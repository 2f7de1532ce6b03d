//! The closed set of formats.

use std::io::{self, Write};

use super::{HumanOptions, Report, github, human, json, junit};

/// How a report is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Format {
    /// For people
    Human,
    /// One document, schema 1
    Json,
    /// JUnit XML: a suite for each link and target, a case for each step
    Junit,
    /// Annotations on the lines of the script, for GitHub Actions
    Github,
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The destination did not take it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A library refused the value.
    #[error("cannot form the document: {0}")]
    Form(String),
}

impl From<RenderError> for io::Error {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Io(error) => error,
            RenderError::Form(_) => Self::other(error),
        }
    }
}

/// Writes the whole report.
///
/// Pure: the same report gives the same bytes. `options` concern [`Format::Human`] only.
///
/// # Errors
///
/// When the destination does not take what is written.
pub fn render(
    report: &Report,
    format: Format,
    options: HumanOptions,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    match format {
        Format::Human => human::render(report, options, out)?,
        Format::Json => json::render(report, out)?,
        Format::Junit => junit::render(report, out)?,
        Format::Github => github::render(report, out)?,
    }
    Ok(())
}
