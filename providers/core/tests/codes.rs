//! The vocabulary and its pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use linkdial_core::{Code, Stage};

const HEADINGS: [&str; 4] = [
    "## What it means",
    "## Usual causes",
    "## How to confirm",
    "## How to fix",
];

/// The name of a code's page; one page serves every `STAGE.interrupted`.
fn page_name(code: Code) -> &'static str {
    match code {
        Code::Interrupted(_) => "interrupted",
        _ => code.as_str(),
    }
}

#[test]
fn codes_and_pages_have_the_same_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/codes");
    let pages: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let codes: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| format!("{}.md", page_name(*code)))
        .collect();
    assert_eq!(pages, codes);
    assert_eq!(codes.len(), Code::ALL.len(), "two codes have one name");
}

#[test]
fn every_page_answers_the_same_four_questions() {
    let wrong: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| {
            let page = code.page();
            let found: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
            let sections = page.split("## ").skip(1);
            let empty = sections
                .map(|section| section.split_once('\n').map_or("", |(_, text)| text))
                .any(|text| text.trim().is_empty());
            let title = format!("# {}", page_name(**code));
            found.first() != Some(&title.as_str()) || found[1..] != HEADINGS || empty
        })
        .map(|code| code.as_str())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_code_is_a_stage_and_words() {
    for &code in Code::ALL {
        let (prefix, words) = code.as_str().split_once('.').unwrap();
        assert!(prefix == "sql" || Stage::ALL.iter().any(|stage| stage.as_str() == prefix));
        assert!(
            words.chars().all(|it| it.is_ascii_lowercase() || it == '-'),
            "{code}"
        );
        assert_eq!(code.as_str().parse::<Code>(), Ok(code));
        assert_eq!(code.stage().is_none(), prefix == "sql");
    }
}
