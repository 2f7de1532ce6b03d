use std::fmt;

/// What a client of an S3 server signs with.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// The token that a temporary key needs.
    pub session_token: Option<String>,
}

impl Login {
    /// A long-lived key.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            access_key_id: id.into(),
            secret_access_key: secret.into(),
            session_token: None,
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}
