//! The closed set of formats.

use std::io::{self, Write};

use super::{HumanOptions, Report, github, html, human, json, junit, markdown, openmetrics, sarif};

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
    /// SARIF 2.1.0: a result for each finding, for code scanning and editors
    Sarif,
    /// Gauges, valid both as OpenMetrics and as Prometheus text
    Openmetrics,
    /// A summary for a comment on a pull request or a chat, of at most 65,536 characters
    Markdown,
    /// One page without scripts, for people
    Html,
}

impl Format {
    /// Every format, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Human,
        Self::Json,
        Self::Junit,
        Self::Github,
        Self::Sarif,
        Self::Openmetrics,
        Self::Markdown,
        Self::Html,
    ];

    /// Returns the word of the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Sarif => "sarif",
            Self::Openmetrics => "openmetrics",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
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
        Format::Sarif => sarif::render(report, out)?,
        Format::Openmetrics => openmetrics::render(report, out)?,
        Format::Markdown => markdown::render(report, out)?,
        Format::Html => html::render(report, out)?,
    }
    Ok(())
}
