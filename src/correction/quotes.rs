//! Statements with the quotes of a word processor, which SQL does not read.

use std::ops::Range;
use std::sync::Arc;

use linkdial_core::{Code, Outcome};

use super::copy::{Fix, Fixes};
use super::draft::{Draft, Edit, write};
use super::shown::{self, Guard};
use super::work::proves_nothing;
use super::{CorrectedPart, CorrectedText, Correction};
use crate::dial::Dials;
use crate::report::Check;
use crate::script::{BrokenLink, Script, ScriptLink, ScriptOptions};
use crate::sql::source::SourceFile;

/// The most statements of a script that are mended so, which the README says: for each the whole
/// script is read again, and a pasted page of a thousand would take its square.
const MOST: usize = 20;

/// A statement that is read with straight quotes, before its link is dialled.
pub(super) struct Quoted {
    link: Arc<ScriptLink>,
    draft: Draft,
    statement: Range<usize>,
    /// Which error of the script is the first about it.
    error: usize,
    checks: Range<usize>,
}

/// Returns the links that broken statements make with straight quotes, and plans their checks.
pub(super) fn plan(script: &Script, dials: &mut Dials) -> Vec<Quoted> {
    let quoted = script
        .broken
        .iter()
        .filter_map(|it| Some((it, error_of(script, it)?)));
    let quoted = quoted.take(MOST);
    quoted
        .filter_map(|(it, error)| self::quoted(script, it, error, dials))
        .collect()
}

/// Returns which error says that a statement has such quotes.
fn error_of(script: &Script, broken: &BrokenLink) -> Option<usize> {
    let source = script.sources.get(broken.file.0)?;
    let statement = &broken.statement;
    let (from, to) = (source.place(statement.start), source.place(statement.end));
    script.errors.iter().position(|error| {
        let at = (error.place.line, error.place.column);
        error.code == Code::SqlTypographicQuote
            && error.place.file == from.file
            && (from.line, from.column) <= at
            && at <= (to.line, to.column)
    })
}

fn quoted(script: &Script, broken: &BrokenLink, error: usize, dials: &mut Dials) -> Option<Quoted> {
    let source = script.sources.get(broken.file.0)?;
    let statement = broken.statement.clone();
    let text = source.text().get(statement.clone())?;
    let edits = text.char_indices().filter_map(|(at, char)| {
        let straight = match char {
            '\u{2018}'..='\u{201b}' | '\u{b4}' => "'",
            '\u{201c}'..='\u{201f}' => "\"",
            _ => return None,
        };
        Some(Edit {
            range: at..at + char.len_utf8(),
            text: straight.to_owned(),
        })
    });
    let draft = Draft::new(text).apply(edits.collect())?;
    let alone = ScriptOptions {
        database: broken.name.database.clone(),
        variables: script.options.variables.clone(),
    };
    draft.read(&alone)?;
    // What the rest of the script does with it.
    let files = script.sources.iter().enumerate().map(|(number, file)| {
        let text = if number == broken.file.0 {
            write(file.text(), &absolute(&draft, statement.start))
        } else {
            file.text().to_owned()
        };
        (file.name().to_owned(), text)
    });
    let again = Script::read(files.collect(), &script.options);
    let mut links = again.links.into_iter();
    let link = Arc::new(links.find(|link| link.name == broken.name)?);
    Some(Quoted {
        checks: dials.add(Arc::clone(&link)),
        link,
        draft,
        statement,
        error,
    })
}

fn absolute(draft: &Draft, start: usize) -> Vec<Edit> {
    let edits = draft.edits().iter().map(|edit| Edit {
        range: start + edit.range.start..start + edit.range.end,
        text: edit.text.clone(),
    });
    edits.collect()
}

impl Quoted {
    /// Puts the statement into its error when all checks of the link pass.
    pub(super) fn finish(self, script: &mut Script, checks: &[Check], fixes: &mut Fixes) {
        let checks = checks.get(self.checks.clone()).unwrap_or_default();
        let good = |check: &Check| match check.verdict() {
            Outcome::Pass => !check.broken,
            Outcome::Warn => !check.broken && !proves_nothing(check),
            Outcome::Fail | Outcome::Skip | Outcome::Unverified => false,
        };
        if checks.is_empty() || !checks.iter().all(good) {
            return;
        }
        let options = ScriptOptions {
            database: self.link.name.database.clone(),
            variables: script.options.variables.clone(),
        };
        let guard = Guard::of([&*self.link]);
        let shown = shown::statement(
            &self.link_alone(&options),
            self.draft.text(),
            &options,
            &guard,
        );
        let (Some(statement), Some((source, file))) = (shown, self.source(script)) else {
            return;
        };
        let edits = absolute(&self.draft, self.statement.start);
        let place = |edit: &Edit| CorrectedText {
            start: source.place(edit.range.start),
            end: source.place(edit.range.end),
            text: edit.text.clone(),
        };
        let correction = Correction {
            statement,
            changes: vec![CorrectedPart {
                action: "quotes",
                clause: None,
                pointer: String::new(),
                before: None,
                after: None,
                text: String::from("the quotes of the statement are straight ones"),
            }],
            verdict: linkdial_core::worst(checks.iter().map(Check::verdict)),
            elapsed: checks.iter().map(|check| check.elapsed).sum(),
            target: None,
            edits: edits.iter().map(place).collect(),
        };
        let mut fix = Fix::new(&self.link, 1);
        for edit in edits {
            fix.add(file, edit);
        }
        fixes.push(fix);
        script.errors[self.error].correction = Some(Box::new(correction));
    }

    /// The link with the places of its statement by itself.
    fn link_alone(&self, options: &ScriptOptions) -> ScriptLink {
        let alone = self.draft.read(options);
        alone.unwrap_or_else(|| ScriptLink::clone(&self.link))
    }

    fn source<'a>(
        &self,
        script: &'a Script,
    ) -> Option<(&'a SourceFile, crate::sql::source::FileId)> {
        let (_, file, _) = self.link.statement()?;
        Some((script.sources.get(file.0)?, file))
    }
}
