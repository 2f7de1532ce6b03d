//! Every code has a page of the same shape.

use linkdial_core::{Code, Outcome};

const HEADINGS: [&str; 4] = [
    "## What it means",
    "## Usual causes",
    "## How to confirm",
    "## How to fix",
];

fn title(code: Code) -> &'static str {
    match code {
        Code::Interrupted(_) => "interrupted",
        other => other.as_str(),
    }
}

#[test]
fn pages_have_the_title_and_the_four_headings_in_order() {
    for &code in Code::ALL {
        let lines: Vec<&str> = code.page().lines().collect();
        assert_eq!(lines[0], format!("# {}", title(code)));
        assert!(
            lines[2].ends_with('.'),
            "{code}: no sentence under the title"
        );
        let headings: Vec<&str> = lines
            .iter()
            .copied()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, HEADINGS, "{code}");
    }
}

#[test]
fn pages_fit_a_terminal() {
    for &code in Code::ALL {
        let lines: Vec<&str> = code.page().lines().collect();
        assert!(
            (12..=25).contains(&lines.len()),
            "{code}: {} lines",
            lines.len()
        );
        for line in lines {
            assert!(line.chars().count() <= 100, "{code}: {line}");
        }
    }
}

#[test]
fn pages_name_the_outcome_of_the_code() {
    for &code in Code::ALL {
        let outcome = code.outcome();
        assert_ne!(outcome, Outcome::Pass, "{code}");
        assert!(
            code.page().contains(&format!("\nOutcome: {outcome}")),
            "{code}: the page does not say `Outcome: {outcome}`"
        );
    }
}
