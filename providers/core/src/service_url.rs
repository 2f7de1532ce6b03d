//! Keys that name the address of a service.

use url::Url;

use crate::code::Code;
use crate::define::Clauses;
use crate::diagnosis::Diagnosis;

impl Clauses<'_> {
    /// Reads the URL of a service: scheme, host, port and, as far as `path` finds no fault with
    /// it, a path. `example` is what the hint shows.
    pub fn service_url(
        &mut self,
        key: &'static str,
        example: &str,
        path: impl FnOnce(&str) -> Option<&'static str>,
    ) -> Option<Url> {
        let text = self.text(key)?;
        let parsed = Url::parse(&text).ok();
        let reason = match &parsed {
            Some(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
                "has neither http:// nor https:// in front"
            }
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds a user or password"
            }
            Some(url) if url.query().is_some() || url.fragment().is_some() => "holds a query",
            Some(url) => match path(url.path()) {
                Some(reason) => reason,
                None => return parsed,
            },
            None => "is not a URL",
        };
        // User info and queries hold secrets, and what does not parse may hold either.
        let safe = !text.contains(['@', '?', '#']);
        self.add(
            Diagnosis::new(Code::DefineInvalidValue, format!("`{key}` {reason}"))
                .evidence("found", if safe { text.as_str() } else { "" })
                .evidence("allowed", "http[s]://host[:port]")
                .key(self.place(key))
                .hint(format!(
                    "write only scheme, host and port, such as {example}"
                )),
        );
        None
    }
}
