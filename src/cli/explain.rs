//! `linkdial explain`: the page of a code.

use std::io::{self, IsTerminal as _};

use linkdial_core::Code;
use linkdial_core::define::nearest;

use super::exit::{Exit, Failure};
use super::terminal;
use crate::report::plain_code_page;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial explain authenticate.bad-secret
  linkdial explain --list")]
pub(super) struct Arguments {
    /// The code, as it stands in a report
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    code: Option<String>,
    /// List all codes, each with the verdict it leads to
    #[arg(long)]
    list: bool,
}

pub(super) fn run(arguments: &Arguments, color: bool) -> Result<Exit, Failure> {
    let Some(text) = &arguments.code else {
        list()?;
        return Ok(Exit::Good);
    };
    let code: Code = text.trim().to_ascii_lowercase().parse().map_err(|_| {
        let nearest = nearest(text, Code::ALL.iter().map(|code| code.as_str()))
            .map(|code| format!("; did you mean `{code}`?"))
            .unwrap_or_default();
        Failure::Usage(format!(
            "there is no code `{text}`{nearest} (`linkdial explain --list` names all)"
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

fn list() -> Result<(), Failure> {
    let name = |code: Code| match code {
        Code::Interrupted(_) => "STAGE.interrupted",
        code => code.as_str(),
    };
    let widest = Code::ALL.iter().map(|code| name(*code).len()).max();
    let widest = widest.unwrap_or(0);
    terminal::print(|out| -> io::Result<()> {
        for code in Code::ALL {
            writeln!(out, "{:widest$}  {}", name(*code), code.outcome())?;
        }
        Ok(())
    })
}
