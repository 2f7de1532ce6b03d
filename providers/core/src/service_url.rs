//! Keys that name the address of a service.

use url::Url;

use crate::address;
use crate::code::Code;
use crate::define::Clauses;
use crate::diagnosis::Diagnosis;
use crate::repair::Change;

/// What the URL of a service may be: scheme, host, port and, as far as it has no fault, a path.
#[derive(Clone, Copy, Debug)]
pub struct UrlForm {
    /// The form as evidence, such as `http[s]://host[:port]`.
    pub allowed: &'static str,
    /// How to write it.
    pub hint: &'static str,
    /// Says what is wrong with a path, as `holds a path; ...`.
    pub path_fault: fn(&str) -> Option<&'static str>,
}

impl Clauses<'_> {
    /// Reads the URL of a service; `form` says what it may be.
    pub fn service_url(&mut self, key: &'static str, form: &UrlForm) -> Option<Url> {
        let Some(text) = self.text(key) else {
            // It would be the service of the public cloud instead.
            if self.node(key).is_some() && !self.failed_at(key) {
                self.empty(key, self.place(key));
            }
            return None;
        };
        let parsed = Url::parse(&text).ok();
        let hidden = address::hidden_in_url(&text);
        let reason = match &parsed {
            Some(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
                "has neither http:// nor https:// in front"
            }
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds a user or password"
            }
            Some(url) if url.query().is_some() || url.fragment().is_some() => "holds a query",
            Some(_) if !hidden.is_empty() => "holds parameters",
            Some(url) => match (form.path_fault)(url.path()) {
                Some(reason) => reason,
                None => return parsed,
            },
            None if Url::parse(&format!("http://{text}")).is_ok() => {
                "has neither http:// nor https:// in front"
            }
            None => "is not a URL",
        };
        // User info, queries and connection strings hold secrets, and what does not parse may hold any.
        let safe = !text.contains(['@', '?', '#']) && hidden.is_empty();
        let mut finding = Diagnosis::new(Code::DefineInvalidValue, format!("`{key}` {reason}"))
            .evidence("found", if safe { text.as_str() } else { "" })
            .evidence("allowed", form.allowed)
            .key(self.place(key))
            .hint(form.hint);
        let is_bare = !text.contains("://") && Url::parse(&format!("https://{text}")).is_ok();
        if safe && is_bare {
            // A server without TLS says so, and then its provider knows whether it may be left out.
            let (place, scheme) = (self.place(key), "https");
            finding = finding.repair(Change::Scheme { place, scheme });
        }
        self.add(finding);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::{Clause, ClauseName};
    use crate::define::{Key, Shape};
    use crate::link::{Definition, Kind};

    #[test]
    fn no_url_is_quoted_that_may_hold_a_secret() {
        const KEYS: &[Key] = &[Key::config("endpoint_url", Shape::Text)];
        const FORM: UrlForm = UrlForm {
            allowed: "http[s]://host[:port]",
            hint: "write it so",
            path_fault: |_| None,
        };
        for (text, message, found) in [
            (
                "h:9000",
                "has neither http:// nor https:// in front",
                "h:9000",
            ),
            (
                "ftp://h",
                "has neither http:// nor https:// in front",
                "ftp://h",
            ),
            ("https://u:QZX@h", "holds a user or password", ""),
            ("https://h/?a=QZX", "holds a query", ""),
            ("https://h/a;AccountKey=QZX", "holds parameters", ""),
            (
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=QZX==",
                "has neither http:// nor https:// in front",
                "",
            ),
        ] {
            let config = serde_json::json!({ "endpoint_url": text }).to_string();
            let definition = Definition {
                kind: Kind::S3,
                config: Clause::parse(ClauseName::Config, config),
                credentials: Clause::empty(ClauseName::Credentials),
            };
            let mut clauses = Clauses::new(&definition, KEYS);
            assert!(
                clauses.service_url("endpoint_url", &FORM).is_none(),
                "{text}"
            );
            let findings = clauses.into_findings();
            let finding = &findings[0];
            assert!(finding.message.ends_with(message), "{}", finding.message);
            let shown = finding.evidence.iter().find(|(name, _)| *name == "found");
            assert_eq!(shown.map_or("", |(_, value)| value), found, "{text}");
        }
    }
}
