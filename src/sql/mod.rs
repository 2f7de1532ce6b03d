//! The statement language: text to tree. Knows no backend and does no I/O.

mod addresses;
pub(crate) mod ast;
mod bare_text;
mod directive;
pub(crate) mod error;
mod grant_statements;
mod lexer;
mod link_statements;
pub(crate) mod literal;
mod loose_json;
mod mask;
mod parser;
mod select_links;
mod show_statements;
mod shown_keys;
pub(crate) mod source;
mod terminals;
mod use_statements;

#[cfg(test)]
mod tests;

pub(crate) use shown_keys::TABLE as SHOWN_KEYS;
pub use source::{Excerpt, Place};

use ast::Statement;
use error::SyntaxError;
use source::{FileId, SourceFile};

/// A file with its statements and its errors.
#[derive(Debug)]
pub(crate) struct ParsedFile {
    pub(crate) source: SourceFile,
    pub(crate) statements: Vec<Statement>,
    pub(crate) errors: Vec<SyntaxError>,
}

/// Reads one file of a script.
pub(crate) fn read(name: &str, text: String, file: FileId) -> ParsedFile {
    let mut source = SourceFile::new(name, text);
    let lexed = lexer::lex(source.text());
    let mut masks = mask::masks(source.text(), &lexed, &[]);
    let parser::Parsed { statements, errors } = parser::parse(source.text(), &lexed, &masks, file);
    let broken: Vec<_> = statements
        .iter()
        .filter(|statement| {
            matches!(
                statement.kind,
                ast::StatementKind::Broken(_) | ast::StatementKind::Unanswered { .. }
            )
        })
        .map(|statement| statement.span.clone())
        .collect();
    if !broken.is_empty() {
        masks = mask::masks(source.text(), &lexed, &broken);
    }
    // Nothing is found in them, and they may stand on the line of a link.
    let foreign = statements.iter().filter_map(|statement| {
        let is_foreign = matches!(statement.kind, ast::StatementKind::Skipped { .. });
        let hidden = || bare_text::hidden_of_foreign(source.text(), &lexed.tokens, &statement.span);
        is_foreign.then(hidden)
    });
    masks.extend(foreign);
    source.hide(linkdial_core::merged(masks));
    ParsedFile {
        source,
        statements,
        errors,
    }
}

/// Returns where the comments of a text stand.
pub(crate) fn comments(text: &str) -> Vec<std::ops::Range<usize>> {
    let comments = lexer::lex(text).comments.into_iter();
    comments.map(|comment| comment.span).collect()
}
