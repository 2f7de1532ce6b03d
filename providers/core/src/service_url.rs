//! Keys that name the address of a service.

use url::Url;

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
        let reason = match &parsed {
            Some(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
                "has neither http:// nor https:// in front"
            }
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds a user or password"
            }
            Some(url) if url.query().is_some() || url.fragment().is_some() => "holds a query",
            Some(url) => match (form.path_fault)(url.path()) {
                Some(reason) => reason,
                None => return parsed,
            },
            None if Url::parse(&format!("http://{text}")).is_ok() => {
                "has neither http:// nor https:// in front"
            }
            None => "is not a URL",
        };
        // User info and queries hold secrets, and what does not parse may hold either.
        let safe = !text.contains(['@', '?', '#']);
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
