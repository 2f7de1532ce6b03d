//! What passes between a check and the process that runs librdkafka for it: one JSON document each
//! way.

use serde::{Deserialize, Serialize};

/// What the client has to do.
///
/// It holds secrets and goes through a pipe, never over a command line; there is no `Debug`.
#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    /// Options of librdkafka, as it spells them.
    pub(crate) options: Vec<(String, String)>,
    /// The bearer token that the link has come to, for OAUTHBEARER.
    pub(crate) token: Option<Token>,
    /// A topic to ask for.
    pub(crate) topic: Option<String>,
    /// Whether the brokers have to be told. The library knows no request for them alone: without a
    /// topic it asks for all topics.
    pub(crate) brokers: bool,
    /// After this many milliseconds the client gives up.
    pub(crate) limit_ms: u64,
}

/// A bearer token as librdkafka wants it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Token {
    pub(crate) value: String,
    /// Whose it is.
    pub(crate) principal: String,
    /// When it ends, in milliseconds since 1970.
    pub(crate) expires_ms: i64,
}

/// What the client has seen.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Answer {
    /// The version of librdkafka.
    pub(crate) version: String,
    /// What it came to.
    pub(crate) outcome: Outcome,
    /// Its errors in their order, each once: librdkafka's name of the code, and the text.
    pub(crate) errors: Vec<(String, String)>,
    /// Its log in its order, each line once.
    pub(crate) log: Vec<String>,
}

/// What the client came to.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It got through: metadata came.
    Through {
        /// The brokers that it knows, where they were asked for: id, host and port.
        brokers: Vec<(i32, String, i32)>,
        /// What it was told against the topic: the error code of the protocol, 0 for nothing.
        topic_error: i16,
    },
    /// librdkafka takes no such options.
    Unusable(String),
    /// An error that does not mend itself, or the time was up.
    #[default]
    Failed,
}
