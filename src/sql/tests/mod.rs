//! Properties that hold for every text.

mod grants;
mod printed;
mod statements;

use std::fmt::Write as _;

use proptest::prelude::*;

use super::lexer::{TokenKind, lex};
use super::literal::MappedText;
use super::source::{FileId, SourceFile};
use super::{mask, read};

/// Text made of what the lexer looks at, in any order.
fn sql() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("CREATE LINK a AS S3 "),
        Just("CREDENTIALS "),
        Just("CONFIG"),
        Just("ALTER LINK b SET "),
        Just("::"),
        Just("'"),
        Just("\""),
        Just("`"),
        Just("''"),
        Just("\\"),
        Just("\\'"),
        Just("{\"k\":\"v\"}"),
        Just("{\"ä\":[1,{\"b\":null}]}"),
        Just("${NAME}"),
        Just(";"),
        Just("\n"),
        Just("\r\n"),
        Just("; \n"),
        Just("-- linkdial: target 'x'\n"),
        Just("-- "),
        Just("#"),
        Just("/*"),
        Just("/*!40000 "),
        Just("*/"),
        Just("DELIMITER //\n"),
        Just("//"),
        Just("‘"),
        Just("’"),
        Just("“"),
        Just("”"),
        Just("l'été"),
        Just("éééééééééééééééééééééééééééééééé"),
        Just("DESCRIPTION "),
        Just("@"),
        Just("https://"),
        Just("?"),
        Just(","),
        Just("="),
        Just("\u{202e}"),
        Just("<CREDENTIALS REDACTED>"),
        Just("[db.]"),
        Just("x.y"),
        Just("é"),
        Just("SHOW "),
        Just("LINK "),
        Just("LINKS "),
        Just("CREATE "),
        Just("GRANTS FOR "),
        Just("SELECT "),
        Just("LINK, TYPE "),
        Just("*"),
        Just("FROM "),
        Just("information_schema.LINKS "),
        Just(" WHERE "),
        Just("TYPE LIKE "),
        Just(" AND "),
        Just("CHECK LINK a "),
        Just(" ON "),
        Just(" FOR WRITE"),
        Just("GRANT "),
        Just("REVOKE "),
        Just("SHOW LINK "),
        Just("*.*"),
        Just("db.*"),
        Just(" TO "),
        Just("@'%'"),
        Just(" IDENTIFIED BY "),
        Just("("),
        Just(")"),
        Just("\u{feff}"),
        Just("\0"),
    ];
    prop_oneof![
        proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

/// Encodes a text as the content of a literal in single quotes.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for (index, c) in text.chars().enumerate() {
        match c {
            '\'' if index % 2 == 0 => encoded.push_str("''"),
            '\'' | '"' => write!(encoded, "\\{c}").unwrap(),
            '\\' => encoded.push_str("\\\\"),
            '\n' if index % 2 == 0 => encoded.push_str("\\n"),
            '\0' => encoded.push_str("\\0"),
            '\u{1a}' => encoded.push_str("\\Z"),
            c => encoded.push(c),
        }
    }
    encoded
}

proptest! {
    #[test]
    fn tokens_and_comments_lie_in_the_text_in_order(text in sql()) {
        let lexed = lex(&text);
        let mut end = 0;
        for token in &lexed.tokens {
            prop_assert!(token.span.start >= end);
            prop_assert!(text.get(token.span.clone()).is_some(), "{:?}", token);
            end = token.span.end;
            if let TokenKind::String { content, .. } = &token.kind {
                prop_assert!(text.get(content.clone()).is_some(), "{:?}", token);
                prop_assert!(token.span.start < content.start && content.end <= token.span.end);
            }
        }
        prop_assert_eq!(lexed.tokens.last().map(|token| &token.kind), Some(&TokenKind::End));
        for comment in &lexed.comments {
            prop_assert!(text.get(comment.span.clone()).is_some());
            prop_assert!(text.get(comment.body.clone()).is_some());
        }
        for mask in mask::masks(&text, &lexed, &[]) {
            prop_assert!(text.get(mask.clone()).is_some(), "{:?}", mask);
        }
    }

    #[test]
    fn every_statement_and_error_lies_in_the_text(text in sql()) {
        let file = read("a.sql", text.clone(), FileId(0));
        for statement in &file.statements {
            prop_assert!(text.get(statement.span.clone()).is_some());
        }
        for error in &file.errors {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error);
            prop_assert!(error.code.as_str().starts_with("sql."));
            let excerpt = file.source.excerpt(&error.span);
            let chars = excerpt.text.chars().count();
            prop_assert!(excerpt.width >= 1);
            prop_assert!(excerpt.start + excerpt.width <= chars.max(excerpt.start + 1));
            prop_assert!(!excerpt.text.contains(char::is_control));
        }
    }

    #[test]
    fn decoding_gives_back_what_was_encoded(text in any::<String>(), before in "[a-zé '\"]{0,5}") {
        let encoded = encode(&text);
        let source = format!("{before}{encoded}'");
        let content = before.len()..before.len() + encoded.len();
        let mapped = MappedText::decode(&source, content.clone(), b'\'', FileId(0));
        prop_assert_eq!(mapped.text(), &text);
        // Each character comes from the bytes that decode to it alone, one behind the other.
        let mut end = content.start;
        for (at, c) in text.char_indices() {
            let (_, raw) = mapped.locate(&(at..at + c.len_utf8())).unwrap();
            prop_assert_eq!(raw.start, end);
            let again = MappedText::decode(&source, raw.clone(), b'\'', FileId(0));
            prop_assert_eq!(again.text(), c.to_string());
            end = raw.end;
        }
        prop_assert_eq!(end, content.end);
    }

    #[test]
    fn a_splice_changes_one_range_and_moves_no_place(
        text in "[a-c\\\\'\"]{0,12}",
        cut in 0_usize..12,
        len in 0_usize..4,
    ) {
        let encoded = encode(&text);
        let mapped = MappedText::decode(&encoded, 0..encoded.len(), b'\'', FileId(0));
        let start = cut.min(text.len());
        let end = (start + len).min(text.len());
        let part = MappedText::opaque("new", FileId(1), 7..9);
        let spliced = mapped.splice(&(start..end), &[part]);
        prop_assert_eq!(spliced.text(), format!("{}new{}", &text[..start], &text[end..]));
        for at in 0..text.len() {
            let moved = if at < start { at } else if at < end { continue } else { at - end + start + 3 };
            prop_assert_eq!(mapped.locate(&(at..at + 1)), spliced.locate(&(moved..moved + 1)));
        }
        prop_assert_eq!(spliced.locate(&(start..start + 3)), Some((FileId(1), 7..9)));
    }

    #[test]
    fn places_count_lines_and_characters(text in "[aé\r\n]{0,3000}", at in 0_usize..3000) {
        let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        let place = SourceFile::new("a.sql", text.clone()).place(at);
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        prop_assert_eq!((place.line as usize, place.column as usize), (line, column));
    }
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}HERE{}", "a".repeat(5_000), "b".repeat(5_000));
    let source = SourceFile::new("a.sql", text);
    let excerpt = source.excerpt(&(5_000..5_004));
    assert_eq!(excerpt.text.chars().count(), 160);
    let shown: Vec<char> = excerpt.text.chars().collect();
    assert_eq!((shown[0], shown[159]), ('…', '…'));
    let part: String = shown[excerpt.start..excerpt.start + excerpt.width]
        .iter()
        .collect();
    assert_eq!(part, "HERE");
}

#[test]
fn a_plain_quote_between_typographic_ones_takes_nothing_with_it() {
    let text = "CREATE LINK a AS S3 CREDENTIALS '{}' DESCRIPTION “l'été, l'an”; CONFIG”'é";
    let file = read("a.sql", String::from(text), FileId(0));
    let codes: Vec<_> = file.errors.iter().map(|error| error.code).collect();
    assert_eq!(codes[0], linkdial_core::Code::SqlTypographicQuote);
    let content = "l'été l'an it''s";
    let decoded = MappedText::decode(content, 0..content.len(), b'\'', FileId(0));
    assert_eq!(decoded.text(), "l'été l'an it's");
}

#[test]
fn a_long_first_word_is_cut_between_characters() {
    let file = read("a.sql", format!("x{};", "é".repeat(60)), FileId(0));
    let super::ast::StatementKind::Skipped { words } = &file.statements[0].kind else {
        panic!("{:?}", file.statements);
    };
    assert_eq!(words, &format!("X{}", "é".repeat(29)));
}
