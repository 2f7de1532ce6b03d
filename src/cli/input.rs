//! The script: files or standard input, and the targets of the command line.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use linkdial_core::define::nearest;
use linkdial_core::{Intent, Target};

use super::exit::Failure;
use super::{slip, terminal};
use crate::apply::Statements;
use crate::report::STDIN;
use crate::script::{Script, UnknownLink};

/// No script is longer, in bytes; a device has no end.
const MAX_SCRIPT: u64 = 256 << 20;

/// No file of variables or certificates is longer, in bytes.
pub(super) const MAX_SIDE_FILE: u64 = 16 << 20;

/// A file's name as it was given, and its text.
pub(super) type Source = (String, String);

/// `--target LINK=TARGET[:write]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LinkTarget {
    pub(super) link: String,
    pub(super) target: Target,
    pub(super) intent: Intent,
}

/// Splits at the first `=`; a target may hold more of them.
pub(super) fn link_target(text: &str) -> Result<LinkTarget, String> {
    let (link, target) = text
        .split_once('=')
        .filter(|(link, target)| !link.is_empty() && !target.is_empty())
        // The `=` of a query; a name that nobody knows would be quoted.
        .filter(|(link, _)| !link.contains("://") && !slip::has_login(link))
        .ok_or("write LINK=TARGET, such as `shop.orders=bucket/prefix`")?;
    let (target, intent) = match target.rsplit_once(':') {
        Some((target, "read")) => (target, Intent::READ),
        Some((target, "write")) => (target, Intent::WRITE),
        // What a slip makes of the word would be dialled as part of the target.
        Some((_, word)) if is_nearly_an_intent(word) => {
            return Err(format!(
                "`:{word}` is neither `:read` nor `:write` (where it belongs to the target, write \
                 `:read` or `:write` behind it)"
            ));
        }
        Some(_) | None => (target, Intent::READ),
    };
    if target.is_empty() {
        return Err("there is no target before the `:`".into());
    }
    Ok(LinkTarget {
        link: link.to_owned(),
        target: Target::new(target),
        intent,
    })
}

fn is_nearly_an_intent(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && nearest(word, ["read", "write"].into_iter()).is_some()
}

/// Reads every file; `-`, or no file and a pipe, is standard input. The sentence is what a statement
/// in the place of a file is refused with.
pub(super) fn read(files: &[PathBuf], statement: &str) -> Result<Vec<Source>, Failure> {
    if files.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "no script: name a FILE, or pipe one in (see `linkdial verify --help`)".into(),
            ));
        }
        let (name, text) = read_stdin()?;
        // Where nothing was piped in, this looks like a script that is good.
        if text.trim().is_empty() {
            terminal::warn("standard input is empty; name a FILE");
        }
        return Ok(vec![(name, text)]);
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
            match std::fs::File::open(path).and_then(|file| bounded(file, MAX_SCRIPT)) {
                Ok(text) => Ok((name, text)),
                Err(_) if slip::is_statement(&name) => Err(Failure::Usage(statement.to_owned())),
                Err(error) => Err(Failure::Usage(unreadable(&name, &error))),
            }
        })
        .collect()
}

fn read_stdin() -> Result<Source, Failure> {
    let text = bounded(io::stdin().lock(), MAX_SCRIPT)
        .map_err(|error| Failure::Usage(unreadable("standard input", &error)))?;
    Ok((STDIN.to_owned(), text))
}

/// Reads a text to its end, unless it has none.
pub(super) fn bounded(source: impl io::Read, most: u64) -> io::Result<String> {
    let bytes = bounded_bytes(source, most)?;
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Reads bytes to their end, unless they have none.
pub(super) fn bounded_bytes(source: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Says why a script can not be read.
fn unreadable(name: &str, error: &io::Error) -> String {
    unreadable_within(name, error, MAX_SCRIPT)
}

/// Says why a file of bounded length can not be read.
pub(super) fn unreadable_within(name: &str, error: &io::Error, most: u64) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => format!("cannot read `{name}`: it is not UTF-8 text"),
        io::ErrorKind::NotFound => format!("cannot read `{name}`: there is no such file"),
        io::ErrorKind::FileTooLarge => {
            format!("cannot read `{name}`: it is larger than {} MiB", most >> 20)
        }
        io::ErrorKind::IsADirectory => format!("cannot read `{name}`: it is a folder"),
        _ => format!("cannot read `{name}`: {error}"),
    }
}

/// Most names that a refusal lists.
const LISTED: usize = 10;

/// A script that takes targets from outside.
pub(super) trait Targets {
    /// Adds a target to a link.
    fn add(&mut self, link: &str, target: &Target, intent: Intent) -> Result<(), UnknownLink>;
    /// Returns the links that take one.
    fn names(&self) -> Vec<String>;
    /// Returns whether a link may be missing because its statement is wrong.
    fn has_errors(&self) -> bool;
}

impl Targets for Script {
    fn add(&mut self, link: &str, target: &Target, intent: Intent) -> Result<(), UnknownLink> {
        self.add_target(link, target, intent)
    }

    fn names(&self) -> Vec<String> {
        self.links
            .iter()
            .map(|link| link.name.to_string())
            .collect()
    }

    fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }
}

impl Targets for Statements {
    fn add(&mut self, link: &str, target: &Target, intent: Intent) -> Result<(), UnknownLink> {
        self.add_target(link, target, intent)
    }

    fn names(&self) -> Vec<String> {
        let names = self.changed_links().into_iter();
        names.map(|name| name.to_string()).collect()
    }

    fn has_errors(&self) -> bool {
        self.has_errors()
    }
}

/// Adds the targets of the command line; one that the script has already is joined with it.
///
/// An unknown name is bad usage. In a script with errors the link may be one that could not be
/// read, so there it only comes back as a warning and the other links are dialled.
pub(super) fn add_targets(
    script: &mut impl Targets,
    targets: Vec<LinkTarget>,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for LinkTarget {
        link,
        target,
        intent,
    } in targets
    {
        let Err(unknown) = script.add(&link, &target, intent) else {
            continue;
        };
        let known = match &unknown {
            UnknownLink::NotFound {
                nearest: Some(nearest),
            } => format!("; did you mean `{nearest}`?"),
            UnknownLink::NotFound { nearest: None } => known(&script.names()),
            UnknownLink::Ambiguous(_) => String::new(),
        };
        let text = format!("`--target {link}=...`: {unknown}{known}");
        if !script.has_errors() || matches!(unknown, UnknownLink::Ambiguous(_)) {
            return Err(Failure::Usage(text));
        }
        warnings.push(text);
    }
    Ok(warnings)
}

/// Names the links that there are.
fn known(names: &[String]) -> String {
    let listed: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(LISTED) {
        _ if names.is_empty() => String::new(),
        0 => format!("; it defines {}", listed.join(", ")),
        more => format!("; it defines {} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::script::ScriptOptions;

    #[test]
    fn targets_are_split_at_the_first_equals_sign() {
        let parsed = link_target("a.b=https://h/p?x=1:write").unwrap();
        assert_eq!(parsed.link, "a.b");
        assert_eq!(parsed.target.as_str(), "https://h/p?x=1");
        assert_eq!(parsed.intent, Intent::WRITE);
        let parsed = link_target("b=host:9092/topic").unwrap();
        assert_eq!(parsed.target.as_str(), "host:9092/topic");
        assert_eq!(parsed.intent, Intent::READ);
        for text in ["", "a", "=t", "a=", "a=:write", "a=:read", "https://h/?a=b"] {
            assert!(link_target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_slip_in_the_intent_is_not_taken_for_the_target() {
        for text in [
            "l=private/team:wrote",
            "l=private/team:Write",
            "l=private/team:WRITE",
            "l=private/team:writ",
            "l=private/team:raed",
        ] {
            let reason = link_target(text).unwrap_err();
            assert!(!reason.contains("private"), "{reason}");
            assert!(reason.contains("`:read`"), "{text}: {reason}");
        }
        for (text, target, intent) in [
            ("l=private/team:read", "private/team", Intent::READ),
            (
                "l=private/team:wrote:read",
                "private/team:wrote",
                Intent::READ,
            ),
            ("l=private/team:topic", "private/team:topic", Intent::READ),
            (
                "l=private/t:team/wrote",
                "private/t:team/wrote",
                Intent::READ,
            ),
            ("l=h:9092", "h:9092", Intent::READ),
            ("l=https://h", "https://h", Intent::READ),
        ] {
            let parsed = link_target(text).unwrap();
            assert_eq!(parsed.target.as_str(), target);
            assert_eq!(parsed.intent, intent, "{text}");
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
        for (text, expected) in [
            ("orders=bucket", "shop.orders, ops.orders"),
            ("shop.evnets=bucket", "did you mean `shop.events`?"),
            (
                "nowhere=bucket",
                "it defines `shop.orders`, `ops.orders`, `shop.events`",
            ),
        ] {
            let refused = add_targets(&mut script, vec![wanted(text)]).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }

    #[test]
    fn a_name_that_an_error_may_hide_is_a_warning() {
        let text = "CREATE LINK a AS; CREATE LINK b AS S3 CREDENTIALS '{}';";
        let sources = vec![("links.sql".to_owned(), text.to_owned())];
        let mut script = Script::read(sources, &ScriptOptions::default());
        let targets = ["a=bucket", "b=bucket"].map(|text| link_target(text).unwrap());
        let warnings = add_targets(&mut script, targets.into()).unwrap();
        assert_eq!(
            warnings,
            ["`--target a=...`: the script leaves no link of this name defined; it defines `b`"]
        );
        assert_eq!(script.links[0].uses.len(), 1);
    }
}
