//! `linkdial explain`: the page of a code.

use std::io::{self, IsTerminal as _};

use linkdial_core::define::nearest;
use linkdial_core::{Code, Stage};

use super::exit::{Exit, Failure};
use super::terminal;
use crate::report::plain_code_page;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial explain authenticate.bad-secret
  linkdial explain tls
  linkdial explain --list")]
pub(super) struct Arguments {
    /// The code, as it stands in a report; a stage alone lists its codes
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    code: Option<String>,
    /// List all codes, each with the verdict it leads to
    #[arg(long)]
    list: bool,
}

pub(super) fn run(arguments: &Arguments, color: bool) -> Result<Exit, Failure> {
    let Some(text) = &arguments.code else {
        list(Code::ALL)?;
        return Ok(Exit::Good);
    };
    let word = text.trim().to_ascii_lowercase();
    let of_stage = of_stage(&word);
    if !of_stage.is_empty() {
        list(&of_stage)?;
        return Ok(Exit::Good);
    }
    let code = code(&word).ok_or_else(|| {
        let suggestion = suggestion(&word)
            .map(|codes| format!("; did you mean {codes}?"))
            .unwrap_or_default();
        Failure::Usage(format!(
            "there is no code `{text}`{suggestion} (`linkdial explain --list` names all)"
        ))
    })?;
    let page = if color || io::stdout().is_terminal() {
        plain_code_page(code.page(), color)
    } else {
        code.page().to_owned()
    };
    terminal::print(|out| out.write_all(page.as_bytes()))?;
    Ok(Exit::Good)
}

/// Reads a code, also as the list has it.
fn code(word: &str) -> Option<Code> {
    word.parse().ok().or_else(|| {
        let mut all = Code::ALL.iter().copied();
        all.find(|code| listed(*code).eq_ignore_ascii_case(word))
    })
}

/// Returns the codes of a stage, or those of the statement (`sql`).
fn of_stage(word: &str) -> Vec<Code> {
    let belongs = |code: &Code| match code {
        Code::Interrupted(_) => Stage::ALL.iter().any(|stage| stage.as_str() == word),
        code => code.as_str().split('.').next() == Some(word),
    };
    Code::ALL.iter().copied().filter(belongs).collect()
}

/// Names the codes that may be meant: those with this second part, else the nearest.
fn suggestion(word: &str) -> Option<String> {
    let second = |code: &Code| code.as_str().split('.').nth(1) == Some(word);
    let mut codes: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| second(code))
        .map(|code| listed(*code))
        .collect();
    if codes.is_empty() {
        codes.extend(nearest(word, Code::ALL.iter().map(|code| code.as_str())));
    }
    let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    (!codes.is_empty()).then(|| codes.join(" or "))
}

/// Returns a code as the list has it: one line stands for the interruption of every stage.
const fn listed(code: Code) -> &'static str {
    match code {
        Code::Interrupted(_) => "STAGE.interrupted",
        code => code.as_str(),
    }
}

fn list(codes: &[Code]) -> Result<(), Failure> {
    let widest = codes.iter().map(|code| listed(*code).len()).max();
    let widest = widest.unwrap_or(0);
    terminal::print(|out| -> io::Result<()> {
        for code in codes {
            writeln!(out, "{:widest$}  {}", listed(*code), code.outcome())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_has_its_page() {
        for known in Code::ALL {
            let found = code(&listed(*known).to_ascii_lowercase());
            assert_eq!(found, Some(*known));
        }
        assert_eq!(code("tls.interrupted"), Some(Code::Interrupted(Stage::Tls)));
    }

    #[test]
    fn half_a_code_leads_to_the_whole() {
        let of = |word| suggestion(word).unwrap_or_default();
        assert_eq!(of("bad-secret"), "`authenticate.bad-secret`");
        assert_eq!(of("not-found"), "`resolve.not-found` or `access.not-found`");
        assert_eq!(of("interrupted"), "`STAGE.interrupted`");
        assert_eq!(of("tls.unknown-isuer"), "`tls.unknown-issuer`");
        assert_eq!(of("xyzzy"), "");
    }

    #[test]
    fn a_stage_stands_for_its_codes() {
        let names = |word: &str| -> Vec<_> { of_stage(word).into_iter().map(listed).collect() };
        assert!(names("define").contains(&"define.unknown-key"));
        assert!(names("define").contains(&"STAGE.interrupted"));
        assert!(names("sql").contains(&"sql.link-exists"));
        assert!(!names("sql").contains(&"STAGE.interrupted"));
        assert!(names("bad-secret").is_empty());
        for stage in Stage::ALL {
            assert!(names(stage.as_str()).len() > 1, "{stage}");
        }
    }
}
