//! `bucket[/prefix]`: what an S3 link is used with.

use linkdial_core::{Code, Diagnosis, Target};
use wildmatch::WildMatch;

/// A bucket, and the part of it that the link is used with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// The literal part before the first wildcard.
    pub(crate) prefix: String,
    /// The whole pattern, where the target has a wildcard.
    pub(crate) pattern: Option<String>,
    /// The scheme that stood in front, which does not belong there.
    pub(crate) scheme: Option<String>,
}

impl Bucket {
    /// Splits a target; the failure is a finding about it.
    pub(crate) fn parse(target: &Target) -> Result<Self, Diagnosis> {
        let text = target.as_str();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest))
                if ["s3", "s3a", "s3n", "gs", "gcs"]
                    .contains(&scheme.to_ascii_lowercase().as_str()) =>
            {
                (Some(scheme.to_owned()), rest)
            }
            Some(_) => {
                return Err(invalid(target, "is a URL, not a bucket and prefix"));
            }
            None => (None, text),
        };
        let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(reason) = bad_name(name) {
            return Err(invalid(target, reason));
        }
        let literal = key.find(['*', '?']).map(|at| &key[..at]);
        Ok(Self {
            name: name.to_owned(),
            prefix: literal.unwrap_or(key).to_owned(),
            pattern: literal.map(|_| key.to_owned()),
            scheme,
        })
    }

    /// Returns whether an object belongs to the target.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.pattern
            .as_ref()
            .is_none_or(|pattern| WildMatch::new(pattern).matches(key))
    }

    /// Returns whether the bucket can stand in a host name (RFC 1123 label, no dots because a
    /// wildcard certificate covers one label only).
    pub(crate) fn fits_host(&self) -> bool {
        self.name.len() <= 63
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }

    /// Returns the warning about a scheme in front.
    pub(crate) fn scheme_warning(&self) -> Option<Diagnosis> {
        let scheme = self.scheme.as_ref()?;
        Some(
            Diagnosis::new(
                Code::DefineTargetScheme,
                format!("the target of a link has no `{scheme}://` in front"),
            )
            .hint(format!("write `{}/{}`", self.name, self.prefix)),
        )
    }
}

/// The rules every store shares (Amazon S3, Bucket naming rules); older buckets and other stores
/// allow upper case and underscores, which are let through.
fn bad_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("names no bucket");
    }
    if name.contains(['*', '?']) {
        return Some("has a wildcard in the bucket");
    }
    if !(3..=255).contains(&name.len()) {
        return Some("has a bucket name shorter than 3 or longer than 255 characters");
    }
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (!name.bytes().all(good)).then_some("has a character that no bucket name may have")
}

fn invalid(target: &Target, reason: &str) -> Diagnosis {
    Diagnosis::new(
        Code::DefineTargetInvalid,
        format!("the target `{target}` {reason}"),
    )
    .hint("write bucket or bucket/prefix")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Bucket, Diagnosis> {
        Bucket::parse(&Target::new(text))
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
        let bucket = parse("logs").unwrap();
        assert_eq!(bucket.prefix, "");
        assert!(bucket.holds("anything"));
    }

    #[test]
    fn a_scheme_is_stripped_with_a_warning_and_a_url_is_refused() {
        let bucket = parse("s3://logs/in/").unwrap();
        assert_eq!(bucket.name, "logs");
        let warning = bucket.scheme_warning().unwrap();
        assert_eq!(warning.code, Code::DefineTargetScheme);
        for wrong in ["https://host/logs", "", "/x", "a*/x", "ab", "with space/x"] {
            let code = parse(wrong).unwrap_err().code;
            assert_eq!(code, Code::DefineTargetInvalid, "{wrong}");
        }
    }
}
