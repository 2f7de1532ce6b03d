//! Names of Kerberos: `component/component@REALM`.

use std::fmt;
use std::str::FromStr;

/// A client or a server, as a realm knows it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Principal {
    /// The parts of the name, such as `kafka` and `broker.example.com`.
    pub components: Vec<String>,
    /// The realm; empty where the text named none.
    pub realm: String,
}

/// The text is no `name[/instance][@REALM]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidPrincipal;

impl fmt::Display for InvalidPrincipal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a principal is written name[/instance][@REALM]")
    }
}

impl std::error::Error for InvalidPrincipal {}

impl Principal {
    /// Makes the principal of a service on a host; the host in lower case, as clients ask for it.
    pub fn service(service: &str, host: &str, realm: &str) -> Self {
        Self {
            components: vec![
                service.to_owned(),
                host.trim_end_matches('.').to_ascii_lowercase(),
            ],
            realm: realm.to_owned(),
        }
    }

    /// Makes the principal of the service that gives out tickets for a realm (RFC 4120,
    /// section 7.3).
    pub(crate) fn ticket_granting(of: &str, realm: &str) -> Self {
        Self {
            components: vec!["krbtgt".to_owned(), of.to_owned()],
            realm: realm.to_owned(),
        }
    }

    /// Returns the realm whose tickets this principal grants; `None` for every other one.
    pub(crate) fn grants_for(&self) -> Option<&str> {
        match self.components.as_slice() {
            [service, realm] if service == "krbtgt" => Some(realm),
            _ => None,
        }
    }

    /// Returns the same principal in this realm, where the text named none.
    #[must_use]
    pub fn or_realm(mut self, realm: &str) -> Self {
        if self.realm.is_empty() {
            realm.clone_into(&mut self.realm);
        }
        self
    }

    /// Returns the name without its realm.
    pub fn name(&self) -> String {
        let escaped: Vec<String> = self.components.iter().map(|it| escape(it)).collect();
        escaped.join("/")
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())?;
        if self.realm.is_empty() {
            return Ok(());
        }
        write!(formatter, "@{}", escape(&self.realm))
    }
}

impl FromStr for Principal {
    type Err = InvalidPrincipal;

    /// Reads `name[/instance][@REALM]`; a backslash takes the meaning of the next character.
    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        let mut components = vec![String::new()];
        let mut realm: Option<String> = None;
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let character = match (character, &realm) {
                ('\\', _) => match characters.next().ok_or(InvalidPrincipal)? {
                    'n' => '\n',
                    't' => '\t',
                    'b' => '\u{8}',
                    '0' => '\0',
                    other => other,
                },
                ('@', Some(_)) => return Err(InvalidPrincipal),
                ('@', None) => {
                    realm = Some(String::new());
                    continue;
                }
                ('/', None) => {
                    components.push(String::new());
                    continue;
                }
                (character, _) => character,
            };
            let part = realm.as_mut().or(components.last_mut());
            part.ok_or(InvalidPrincipal)?.push(character);
        }
        let named = realm.as_ref().is_none_or(|realm| !realm.is_empty());
        if !named || components.iter().any(String::is_empty) {
            return Err(InvalidPrincipal);
        }
        Ok(Self {
            components,
            realm: realm.unwrap_or_default(),
        })
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '/' | '@' | '\\' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\0' => escaped.push_str("\\0"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for text in [
            "alice@LAB.TEST",
            "kafka/broker.example.com@EXAMPLE.COM",
            "a\\/b/c\\@d@R",
            "alice",
            "a/b/c@R.EXAMPLE",
        ] {
            let principal: Principal = text.parse().unwrap();
            assert_eq!(principal.to_string(), text);
        }
        let bare: Principal = "alice".parse().unwrap();
        assert_eq!(bare.or_realm("LAB.TEST").to_string(), "alice@LAB.TEST");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "@R", "a@", "a//b", "/a", "a@B@C", "a\\"] {
            assert_eq!(text.parse::<Principal>(), Err(InvalidPrincipal), "{text}");
        }
    }
}
