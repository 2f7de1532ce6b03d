//! `bucket[/prefix]`: what a link to an object store is used with.

use wildmatch::WildMatch;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::repair::Change;
use crate::target::Target;

/// How a kind of store names what stands first in a target.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    /// The vendor's word, such as `bucket`.
    pub noun: &'static str,
    /// Schemes that people put in front, in lower case.
    pub schemes: &'static [&'static str],
    /// Whether such a URL may have an account behind the name, after an `@`.
    pub account_behind: bool,
    /// Says what is wrong with a name, as `has a character that ...`.
    pub fault: fn(&str) -> Option<&'static str>,
}

impl Naming {
    /// Returns what a URL of the store itself names, from what stands behind its scheme.
    fn within(&self, url: &str) -> Option<String> {
        // A query may hold a signature.
        let url = url.split(['?', '#']).next()?;
        let (host, path) = url.split_once('/')?;
        let host = host.rsplit('@').next()?;
        // A host may begin with the bucket.
        let (first, rest) = host.split_once('.')?;
        let hosted =
            rest.starts_with("s3.") || rest.starts_with("s3-") || rest.starts_with("storage.");
        let path = if hosted {
            format!("{first}/{path}")
        } else {
            path.to_owned()
        };
        let name = path.split('/').next()?;
        (!name.is_empty() && (self.fault)(name).is_none()).then_some(path)
    }
}

/// A bucket, and the part of it that the link is used with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// The vendor's word for it.
    noun: &'static str,
    /// Its name.
    pub name: String,
    /// The literal part before the first wildcard.
    pub prefix: String,
    /// The whole pattern, where the target has a wildcard.
    pub pattern: Option<String>,
    /// The scheme that stood in front, which does not belong there.
    pub scheme: Option<String>,
    /// The host of the account that a URL names behind the bucket, after an `@`.
    pub account: Option<String>,
}

impl Bucket {
    /// Splits a target; the failure is a finding about it.
    pub fn parse(target: &Target, naming: &Naming) -> Result<Self, Diagnosis> {
        let noun = naming.noun;
        let invalid = |reason: &str| {
            Diagnosis::new(
                Code::DefineTargetInvalid,
                format!("the target `{target}` {reason}"),
            )
            .hint(format!("write {noun} or {noun}/prefix"))
        };
        let (scheme, rest) = match target.as_str().split_once("://") {
            Some((scheme, rest))
                if naming
                    .schemes
                    .contains(&scheme.to_ascii_lowercase().as_str()) =>
            {
                (Some(scheme.to_owned()), rest)
            }
            Some((_, rest)) => {
                let finding = invalid(&format!("is a URL, not a {noun} and prefix"));
                return Err(match naming.within(rest) {
                    Some(path) => finding
                        .hint(format!("write `{path}`"))
                        .repair(Change::Target(path)),
                    None => finding,
                });
            }
            None => (None, target.as_str()),
        };
        let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, account) = match name.split_once('@') {
            Some((name, host)) if scheme.is_some() && naming.account_behind => {
                (name, Some(host.to_owned()))
            }
            _ => (name, None),
        };
        if name.is_empty() {
            return Err(invalid(&format!("names no {noun}")));
        }
        if name.contains(['*', '?']) {
            return Err(invalid(&format!("has a wildcard in the {noun}")));
        }
        if let Some(reason) = (naming.fault)(name) {
            let lower = name.to_ascii_lowercase();
            let finding = invalid(reason);
            return Err(if lower != name && (naming.fault)(&lower).is_none() {
                let rest = if key.is_empty() { "" } else { "/" };
                let lower = format!("{lower}{rest}{key}");
                finding
                    .hint(format!("write `{lower}`"))
                    .repair(Change::Target(lower))
            } else {
                finding
            });
        }
        if !can_be_asked_for(key) {
            let what = if key.chars().count() > LONGEST_KEY {
                "is longer than the name of any object"
            } else {
                "has `.` or `..` between slashes, which leads out of the place that it names"
            };
            return Err(invalid(what));
        }
        let literal = key.find(['*', '?']).map(|at| &key[..at]);
        Ok(Self {
            noun,
            name: name.to_owned(),
            prefix: literal.unwrap_or(key).to_owned(),
            pattern: literal.map(|_| key.to_owned()),
            scheme,
            account,
        })
    }

    /// Returns whether an object belongs to the target.
    pub fn holds(&self, key: &str) -> bool {
        // A server may name anything. The match takes a time of the lengths multiplied.
        key.starts_with(&self.prefix)
            && self.pattern.as_ref().is_none_or(|pattern| {
                key.chars().count() <= LONGEST_KEY && WildMatch::new(pattern).matches(key)
            })
    }

    /// Returns name and prefix, as a report names what was listed.
    pub fn resource(&self) -> String {
        if self.prefix.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.name, self.prefix)
        }
    }

    /// Returns the warning about a scheme in front.
    pub fn scheme_warning(&self) -> Option<Diagnosis> {
        let scheme = self.scheme.as_ref()?;
        Some(
            Diagnosis::new(
                Code::DefineTargetScheme,
                format!("the target of a link has no `{scheme}://` in front"),
            )
            .hint(format!(
                "write `{}/{}`",
                self.name,
                self.pattern.as_ref().unwrap_or(&self.prefix)
            ))
            .repair(Change::Target(
                match self.pattern.as_ref().unwrap_or(&self.prefix) {
                    rest if rest.is_empty() => self.name.clone(),
                    rest => format!("{}/{rest}", self.name),
                },
            )),
        )
    }

    /// Returns the finding that a link without an identity cannot be tried, since nothing says on which.
    pub fn unnamed(naming: &Naming) -> Diagnosis {
        Diagnosis::new(
            Code::DefineNoTarget,
            format!(
                "nothing says which {} this anonymous link is for",
                naming.noun
            ),
        )
        .hint(format!(
            "add the pipeline that uses it to the script, or give --target LINK={}/PREFIX",
            naming.noun.to_uppercase()
        ))
    }

    /// Returns the note of a check that tried none, since nothing says which.
    pub fn untried(naming: &Naming) -> String {
        format!("no {} was tried: nothing says which one", naming.noun)
    }
}

/// Characters in the longest name of an object: 1024 at Azure, and as many bytes at Amazon and Google.
const LONGEST_KEY: usize = 1024;

/// Returns whether the path of a request can name an object: neither longer than any name, nor with
/// parts that a server or a proxy resolves to another path.
pub(super) fn can_be_asked_for(key: &str) -> bool {
    key.chars().count() <= LONGEST_KEY && key.split('/').all(|part| part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMING: Naming = Naming {
        noun: "bucket",
        schemes: &["s3", "abfss"],
        account_behind: true,
        fault: |name| (name == "bad" || name.contains('@')).then_some("is bad"),
    };

    fn parse(text: &str) -> Result<Bucket, Diagnosis> {
        Bucket::parse(&Target::new(text), &NAMING)
    }

    #[test]
    fn the_literal_part_before_the_first_wildcard_is_the_prefix() {
        let bucket = parse("logs/2026/day-*.csv").unwrap();
        assert_eq!(
            (bucket.name.as_str(), bucket.prefix.as_str()),
            ("logs", "2026/day-")
        );
        assert!(bucket.holds("2026/day-11.csv"));
        assert!(!bucket.holds("2026/day-11.json"));
        assert_eq!(bucket.resource(), "logs/2026/day-");
        // A server may name what was not asked for.
        let bucket = parse("logs/in/").unwrap();
        assert!(bucket.holds("in/a.csv"));
        assert!(!bucket.holds("other/in/a.csv"));
        let bucket = parse("logs").unwrap();
        assert_eq!(
            (bucket.prefix.as_str(), bucket.resource()),
            ("", "logs".to_owned())
        );
        assert!(bucket.holds("anything"));
    }

    #[test]
    fn a_scheme_is_stripped_with_a_warning() {
        let bucket = parse("S3://logs/in/*.csv").unwrap();
        let warning = bucket.scheme_warning().unwrap();
        assert_eq!(warning.code, Code::DefineTargetScheme);
        assert_eq!(warning.hint.as_deref(), Some("write `logs/in/*.csv`"));
        let bucket = parse("abfss://logs@account.dfs.core.windows.net/in/").unwrap();
        assert_eq!(
            (bucket.name.as_str(), bucket.prefix.as_str()),
            ("logs", "in/")
        );
        assert_eq!(
            bucket.account.as_deref(),
            Some("account.dfs.core.windows.net")
        );
        let plain = parse("logs/in/").unwrap();
        assert_eq!((plain.scheme_warning(), plain.account), (None, None));
    }

    #[test]
    fn a_url_or_capitals_are_mended() {
        const LOWER: Naming = Naming {
            fault: |name| {
                let upper = name.bytes().any(|byte| byte.is_ascii_uppercase());
                (name.is_empty() || upper).then_some("is bad")
            },
            ..NAMING
        };
        for (target, mended) in [
            (
                "https://acct.blob.core.windows.net/logs/in?sig=x",
                "write `logs/in`",
            ),
            (
                "https://u:p@storage.googleapis.com/logs/in/",
                "write `logs/in/`",
            ),
            (
                "https://logs.storage.googleapis.com/in/*.csv",
                "write `logs/in/*.csv`",
            ),
            (
                "https://logs.s3.eu-west-1.amazonaws.com/in",
                "write `logs/in`",
            ),
            ("https://host.example.com/", "write bucket or bucket/prefix"),
            ("Logs/In", "write `logs/In`"),
            ("LOGS", "write `logs`"),
        ] {
            let finding = Bucket::parse(&Target::new(target), &LOWER).unwrap_err();
            assert_eq!(finding.hint.as_deref(), Some(mended), "{target}");
        }
    }

    #[test]
    fn what_names_no_bucket_is_refused() {
        for (wrong, reason) in [
            ("https://host/logs", "is a URL, not a bucket and prefix"),
            ("", "names no bucket"),
            ("/x", "names no bucket"),
            ("a*/x", "has a wildcard in the bucket"),
            ("bad/x", "is bad"),
            (
                &format!("logs/{}", "x".repeat(1025)),
                "is longer than the name of any object",
            ),
            (
                "logs/../other/x",
                "has `.` or `..` between slashes, which leads out of the place that it names",
            ),
            (
                "logs/in/.",
                "has `.` or `..` between slashes, which leads out of the place that it names",
            ),
            ("logs@account/x", "is bad"),
        ] {
            let finding = parse(wrong).unwrap_err();
            assert_eq!(finding.code, Code::DefineTargetInvalid, "{wrong}");
            assert!(finding.message.ends_with(reason), "{}", finding.message);
        }
    }
}
