#![expect(
    clippy::disallowed_methods,
    reason = "people name another image with a variable"
)]

use std::fmt;

/// A container image of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Image {
    /// The repository, without a tag.
    pub(crate) repository: &'static str,
    /// The tag, from `versions.rs`.
    pub(crate) tag: &'static str,
    /// The variable that names another image, as `repository:tag`.
    pub(crate) variable: &'static str,
    /// The port that the server listens on inside the container.
    pub(crate) port: u16,
    /// What stands before the arguments in the container's command, after the image's entrypoint.
    pub(crate) command: &'static [&'static str],
    /// Whether the engine may fetch it: nobody else may own the repository's name.
    pub(crate) pull: bool,
}

/// A repository and a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    pub(crate) repository: String,
    pub(crate) tag: String,
    /// Whether the engine may fetch it.
    pub(crate) pull: bool,
    /// Whether somebody has named it, so that no other will do.
    pub(crate) named: bool,
}

impl Image {
    /// Returns the image that is asked for, by the variable or by default.
    pub(crate) fn reference(&self) -> Reference {
        match std::env::var(self.variable) {
            Ok(named) if !named.is_empty() => Reference::named(&named),
            _ => Reference {
                repository: self.repository.to_owned(),
                tag: self.tag.to_owned(),
                pull: self.pull,
                named: false,
            },
        }
    }
}

impl Reference {
    /// Reads `host:5000/repository:tag`; without a tag it is `latest`.
    fn named(text: &str) -> Self {
        let (repository, tag) = match text.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (text, "latest"),
        };
        Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            pull: true,
            named: true,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn port_of_a_registry_is_no_tag() {
        let read = |text| {
            let reference = Reference::named(text);
            (reference.repository, reference.tag)
        };
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(read("minio/minio:edge"), pair("minio/minio", "edge"));
        assert_eq!(read("minio/minio"), pair("minio/minio", "latest"));
        assert_eq!(read("host:5000/minio"), pair("host:5000/minio", "latest"));
        assert_eq!(read("host:5000/minio:1"), pair("host:5000/minio", "1"));
    }
}
