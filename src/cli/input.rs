//! The script: files or standard input, and the targets of the command line.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use linkdial_core::{Intent, Target};

use super::exit::Failure;
use crate::report::STDIN;
use crate::script::{Script, UnknownLink};

/// A file's name as it was given, and its text.
pub(super) type Source = (String, String);

/// `--target LINK=TARGET[:write]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LinkTarget {
    link: String,
    target: Target,
    intent: Intent,
}

/// Splits at the first `=`; a target may hold more of them.
pub(super) fn link_target(text: &str) -> Result<LinkTarget, String> {
    let (link, target) = text
        .split_once('=')
        .filter(|(link, target)| !link.is_empty() && !target.is_empty())
        .ok_or("write LINK=TARGET, such as `shop.orders=bucket/prefix`")?;
    let (target, intent) = match target.strip_suffix(":write") {
        Some("") => return Err("there is no target before `:write`".into()),
        Some(target) => (target, Intent::WRITE),
        None => (target, Intent::READ),
    };
    Ok(LinkTarget {
        link: link.to_owned(),
        target: Target::new(target),
        intent,
    })
}

/// Reads every file; `-`, or no file and a pipe, is standard input.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    if files.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "no script: name a FILE, or pipe one in (see `linkdial verify --help`)".into(),
            ));
        }
        return Ok(vec![read_stdin()?]);
    }
    let is_stdin = |path: &&PathBuf| path.as_path() == Path::new("-");
    if files.iter().filter(is_stdin).count() > 1 {
        return Err(Failure::Usage(
            "`-` stands twice: standard input is read once".into(),
        ));
    }
    files
        .iter()
        .map(|path| {
            if is_stdin(&path) {
                return read_stdin();
            }
            let name = path.display().to_string();
            match std::fs::read_to_string(path) {
                Ok(text) => Ok((name, text)),
                Err(error) => Err(unreadable(&name, &error)),
            }
        })
        .collect()
}

fn read_stdin() -> Result<Source, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| unreadable("standard input", &error))?;
    Ok((STDIN.to_owned(), text))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::Usage(match error.kind() {
        io::ErrorKind::InvalidData => format!("cannot read `{name}`: it is not UTF-8 text"),
        io::ErrorKind::NotFound => format!("cannot read `{name}`: there is no such file"),
        io::ErrorKind::IsADirectory => format!("cannot read `{name}`: it is a folder"),
        _ => format!("cannot read `{name}`: {error}"),
    })
}

/// Adds the targets of the command line; one that the script has already is joined with it.
pub(super) fn add_targets(script: &mut Script, targets: Vec<LinkTarget>) -> Result<(), Failure> {
    for LinkTarget {
        link,
        target,
        intent,
    } in targets
    {
        script
            .add_target(&link, target, intent)
            .map_err(|unknown| {
                let nearest = match &unknown {
                    UnknownLink::NotFound {
                        nearest: Some(nearest),
                    } => format!("; did you mean `{nearest}`?"),
                    UnknownLink::Ambiguous(_) | UnknownLink::NotFound { nearest: None } => {
                        String::new()
                    }
                };
                Failure::Usage(format!("`--target {link}=...`: {unknown}{nearest}"))
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn targets_are_split_at_the_first_equals_sign() {
        let parsed = link_target("a.b=https://h/p?x=1:write").unwrap();
        assert_eq!(parsed.link, "a.b");
        assert_eq!(parsed.target.as_str(), "https://h/p?x=1");
        assert_eq!(parsed.intent, Intent::WRITE);
        let parsed = link_target("b=host:9092/topic").unwrap();
        assert_eq!(parsed.target.as_str(), "host:9092/topic");
        assert_eq!(parsed.intent, Intent::READ);
        for text in ["", "a", "=t", "a=", "a=:write"] {
            assert!(link_target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn targets_join_the_uses_of_the_script() {
        let mut script = sample::script(&["shop.orders", "ops.orders", "shop.events"]);
        let wanted = |text| link_target(text).unwrap();
        add_targets(
            &mut script,
            vec![
                wanted("shop.orders=bucket"),
                wanted("shop.orders=bucket:write"),
                wanted("events=other"),
            ],
        )
        .unwrap();
        assert_eq!(script.links[0].uses.len(), 1);
        assert_eq!(script.links[0].uses[0].intent.words(), ["read", "write"]);
        assert_eq!(script.links[2].uses[0].target.as_str(), "other");
        for text in ["orders=bucket", "nowhere=bucket"] {
            assert!(
                add_targets(&mut script, vec![wanted(text)]).is_err(),
                "{text}"
            );
        }
    }
}
