//! The `-- linkdial:` comments of a script.

use linkdial_core::{Code, Intent, Outcome, Target};

use super::ast::{Directive, DirectiveKind};
use super::error::SyntaxError;
use super::lexer::{Comment, StringFault, Token, TokenKind, lex_range};
use super::literal::MappedText;
use super::source::FileId;

/// The three forms, as a person writes them.
const FORMS: [&str; 3] = [
    "target 'TARGET' [read|write]",
    "verify deferred",
    "ignore CODE reason",
];

/// Faults of the definition that are a warning in their mild form.
const MIXED: [Code; 2] = [
    Code::DefineStrayWhitespace,
    Code::DefineTemporaryKeyWithoutToken,
];

/// Reads a comment; `None` when it is not meant for linkdial.
pub(crate) fn read(text: &str, comment: &Comment) -> Option<Result<Directive, SyntaxError>> {
    let body = &text[comment.body.clone()];
    let trimmed = body.trim_start();
    let rest = trimmed.strip_prefix("linkdial")?;
    let span = comment.span.start..comment.span.start + text[comment.span.clone()].trim_end().len();
    let error = |message: &str| SyntaxError::new(Code::SqlUnexpectedToken, span.clone(), message);
    let Some(rest) = rest.trim_start().strip_prefix(':') else {
        // Prose about linkdial is fine; a form without its colon is a slip.
        let word = rest.split_whitespace().next().unwrap_or_default();
        return ["target", "verify", "ignore"].contains(&word).then(|| {
            Err(error("the comment for linkdial lacks its colon")
                .hint("write `-- linkdial: ` before it"))
        });
    };
    if text[comment.span.clone()].starts_with("--linkdial") {
        return Some(Err(error(
            "`--` without white space after it starts no comment",
        )
        .hint("write `-- linkdial: ` with a space")));
    }
    let start = comment.body.end - rest.len();
    let tokens = lex_range(text, start..comment.body.end).tokens;
    let word = |at: usize| {
        tokens
            .get(at)
            .filter(|token| token.kind == TokenKind::Word)
            .map_or("", |token| &text[token.span.clone()])
    };
    let kind = match word(0) {
        "target" => target(text, &tokens).ok_or_else(|| {
            error("`target` takes one string and then `read` or `write`")
                .expected([FORMS[0]])
                .hint("write `-- linkdial: target 'bucket/prefix' write`, the last word only if needed")
        }),
        "verify" if word(1) == "deferred" && tokens.len() == 3 => Ok(DirectiveKind::Deferred),
        "verify" => Err(error("`verify` takes the one word `deferred`")
            .expected([FORMS[1]])
            .hint("write `-- linkdial: verify deferred`")),
        "ignore" => ignore(rest).map_err(|fault| {
            error(fault)
                .expected([FORMS[2]])
                .hint("write `-- linkdial: ignore CODE reason`; `linkdial explain --list` has the codes")
        }),
        _ => Err(error("linkdial knows no such comment")
            .expected(FORMS)
            .hint("write one of the three forms, or another first word than `linkdial:`")),
    };
    Some(kind.map(|kind| Directive { span, kind }))
}

fn target(text: &str, tokens: &[Token]) -> Option<DirectiveKind> {
    let literal = tokens.get(1)?;
    let TokenKind::String {
        content,
        quote,
        fault,
    } = &literal.kind
    else {
        return None;
    };
    if matches!(
        fault,
        Some(StringFault::Unterminated | StringFault::Typographic(_))
    ) {
        return None;
    }
    let intent = match &tokens[2..] {
        [_] => Intent::READ,
        [word, _] => match &text[word.span.clone()] {
            "read" => Intent::READ,
            "write" => Intent::WRITE,
            _ => return None,
        },
        _ => return None,
    };
    let decoded = MappedText::decode(text, content.clone(), *quote, FileId(0));
    Some(DirectiveKind::Target {
        target: Target::new(decoded.text()),
        target_span: literal.span.clone(),
        intent,
    })
}

/// The code and the reason are free text up to the end of the line.
fn ignore(rest: &str) -> Result<DirectiveKind, &'static str> {
    let rest = rest.trim();
    let rest = rest.strip_prefix("ignore").unwrap_or(rest).trim_start();
    let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let code: Code = code.parse().map_err(|_| "`ignore` names no known code")?;
    if !may_warn(code) {
        return Err("only a warning can be ignored, and this code is none");
    }
    if reason.trim().is_empty() {
        return Err("`ignore` needs a reason");
    }
    Ok(DirectiveKind::Ignore {
        code,
        reason: reason.trim().to_owned(),
    })
}

/// Returns whether a finding with this code can be a warning.
fn may_warn(code: Code) -> bool {
    code.outcome() == Outcome::Warn || MIXED.contains(&code)
}
