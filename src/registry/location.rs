//! Where a registry lies.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::RegistryError;

/// Where a registry lies.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Location {
    /// One SQLite file, with its write-ahead log beside it.
    Sqlite(PathBuf),
}

impl Location {
    /// Returns the path of the file.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Sqlite(path) => path,
        }
    }
}

impl FromStr for Location {
    type Err = RegistryError;

    /// Reads a path, `sqlite:PATH` or `sqlite://PATH`.
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let path = match text.split_once(':') {
            Some((scheme, path)) if scheme.eq_ignore_ascii_case("sqlite") => {
                path.strip_prefix("//").unwrap_or(path)
            }
            Some((scheme, rest)) if rest.starts_with("//") && is_scheme(scheme) => {
                return Err(RegistryError::OtherDatabase);
            }
            _ => text,
        };
        if path.is_empty() {
            return Err(RegistryError::NoLocation);
        }
        Ok(Self::Sqlite(path.into()))
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

impl fmt::Display for Location {
    /// Writes the path.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_path_or_an_address() {
        for (text, path) in [
            ("links.db", "links.db"),
            ("/var/lib/links.db", "/var/lib/links.db"),
            ("sqlite:links.db", "links.db"),
            ("sqlite:/var/links.db", "/var/links.db"),
            ("sqlite://links.db", "links.db"),
            ("SQLite:///var/links.db", "/var/links.db"),
            ("a:b.db", "a:b.db"),
        ] {
            assert_eq!(
                text.parse::<Location>().unwrap(),
                Location::Sqlite(path.into())
            );
        }
    }

    #[test]
    fn nothing_and_other_databases_are_refused() {
        for text in ["", "sqlite:", "sqlite://"] {
            let error = text.parse::<Location>().unwrap_err();
            assert!(matches!(error, RegistryError::NoLocation), "{text}");
        }
        let error = "postgres://ada:s3cret@h/links".parse::<Location>();
        assert_eq!(
            error.unwrap_err().to_string(),
            "this build keeps registries in SQLite files only"
        );
    }
}
