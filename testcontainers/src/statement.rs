use std::fmt;

use serde_json::{Map, Value};

/// A `CREATE LINK` statement with JSON and SQL escapes where they are needed.
///
/// ```
/// use linkdial_testcontainers::LinkStatement;
///
/// let link = LinkStatement::new("store", "S3")
///     .credential("aws_access_key_id", "it's")
///     .config("region", "us-east-1");
/// assert_eq!(
///     link.to_string(),
///     "CREATE LINK store AS S3\n\
///      CREDENTIALS '{\"aws_access_key_id\":\"it''s\"}'\n\
///      CONFIG '{\"region\":\"us-east-1\"}';\n"
/// );
/// ```
#[derive(Debug, Clone)]
pub struct LinkStatement {
    name: String,
    kind: String,
    credentials: Map<String, Value>,
    config: Map<String, Value>,
    empty_credentials: bool,
}

impl LinkStatement {
    /// A link of this kind without a key.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            credentials: Map::new(),
            config: Map::new(),
            empty_credentials: false,
        }
    }

    /// Sets a key of CREDENTIALS.
    #[must_use]
    pub fn credential(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.credentials.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a key of CONFIG.
    #[must_use]
    pub fn config(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// Writes `CREDENTIALS '{}'` as long as there is no key for it.
    #[must_use]
    pub fn with_empty_credentials(mut self) -> Self {
        self.empty_credentials = true;
        self
    }

    /// Removes a key of CREDENTIALS or CONFIG.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.credentials.shift_remove(key);
        self.config.shift_remove(key);
        self
    }

    /// The keys of CREDENTIALS.
    pub(crate) fn credentials(&self) -> &Map<String, Value> {
        &self.credentials
    }

    /// The keys of CONFIG.
    pub(crate) fn settings(&self) -> &Map<String, Value> {
        &self.config
    }

    /// The link's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The link's name as it stands in a statement.
    pub fn quoted_name(&self) -> String {
        identifier(&self.name)
    }
}

impl fmt::Display for LinkStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE LINK {} AS {}", self.quoted_name(), self.kind)?;
        for (clause, keys) in [("CREDENTIALS", &self.credentials), ("CONFIG", &self.config)] {
            if !keys.is_empty() || (self.empty_credentials && clause == "CREDENTIALS") {
                let json = Value::Object(keys.clone()).to_string();
                write!(f, "\n{clause} {}", literal(&json))?;
            }
        }
        writeln!(f, ";")
    }
}

/// A string literal of the MySQL dialect.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', "''"))
}

/// A name, in back-ticks where it needs them; a dot divides database and name.
pub(crate) fn identifier(name: &str) -> String {
    let quoted = name.split('.').map(|part| {
        let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().next().is_some_and(|c| !c.is_ascii_digit());
        if plain {
            part.to_owned()
        } else {
            format!("`{}`", part.replace('`', "``"))
        }
    });
    quoted.collect::<Vec<_>>().join(".")
}
