//! A schema registry with the REST interface of Confluent's, in this process.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http_service::{PASSWORD, REALM, USER};
use crate::statement::{identifier, literal};
use crate::web::{Answer, Recorded, WebServer};
use crate::{LinkStatement, ServerTls};

/// The only subject: the values of the topic `orders`.
const SUBJECT: &str = "orders-value";

/// The schema of [`SUBJECT`], in Avro.
const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"int"}]}"#;

/// How a [`SchemaRegistry`] is started.
#[derive(Debug, Clone, Default)]
pub struct SchemaRegistryOptions {
    tls: Option<ServerTls>,
    login: bool,
}

impl SchemaRegistryOptions {
    /// Speaks TLS; with [`Certificates::mutual_tls`](crate::Certificates::mutual_tls) it asks for a
    /// certificate too.
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Wants the user and the password of [`SchemaRegistry::login`].
    #[must_use]
    pub fn with_login(mut self) -> Self {
        self.login = true;
        self
    }

    /// Starts the server.
    pub fn start(self) -> SchemaRegistry {
        let login = self.login;
        let web = WebServer::start(self.tls, move |request| answer(request, login));
        SchemaRegistry { web, login }
    }
}

/// A schema registry with the REST interface of Confluent's, on loopback in this process.
///
/// Inside is the subject `orders-value` with one version, the schema with the id 1. It can be read
/// and not changed: everything but `GET` is a 405. Answers are those of Confluent's, errors too:
/// 401 with `error_code` 40101 without the right login, 404 with 40401 for an unknown subject.
#[derive(Debug)]
pub struct SchemaRegistry {
    web: WebServer,
    login: bool,
}

impl SchemaRegistry {
    /// Starts the server in plain text, for everybody.
    pub fn start() -> Self {
        SchemaRegistryOptions::default().start()
    }

    /// The address it listens on; a pipeline names it as `127.0.0.1:PORT`.
    pub fn addr(&self) -> SocketAddr {
        self.web.address
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.web.url())
    }

    /// The user and the password that [`SchemaRegistryOptions::with_login`] is about.
    pub fn login() -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// Adds to a Kafka link what it logs in with here, if that is wanted.
    pub fn extend_link(&self, link: LinkStatement) -> LinkStatement {
        if !self.login {
            return link;
        }
        let (user, password) = Self::login();
        link.credential("schema.registry.username", user)
            .credential("schema.registry.password", password)
    }

    /// A ready `CREATE PIPELINE` that reads Avro from a target such as `127.0.0.1:9092/orders`
    /// through a Kafka link, with the schemas of this registry.
    pub fn create_pipeline(&self, name: &str, target: &str, link: &LinkStatement) -> String {
        format!(
            "CREATE PIPELINE {} AS LOAD DATA LINK {} {} INTO TABLE t\n\
             FORMAT AVRO SCHEMA REGISTRY {} (id <- id);\n",
            identifier(name),
            link.quoted_name(),
            literal(target),
            literal(&self.addr().to_string()),
        )
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.web.requests()
    }
}

fn answer(request: &Recorded, login: bool) -> Answer {
    let (user, password) = SchemaRegistry::login();
    let known = request.basic_login();
    let known = known.is_some_and(|(name, word)| name == user && word == password);
    if login && !known {
        let realm = format!("Basic realm=\"{REALM}\"");
        return failure(401, 40101, "Unauthorized").header("www-authenticate", &realm);
    }
    let path: Vec<_> = request
        .path
        .split('/')
        .filter(|it| !it.is_empty())
        .collect();
    let found = match path[..] {
        [] => json!({}),
        ["config"] => json!({"compatibilityLevel": "BACKWARD"}),
        ["mode"] => json!({"mode": "READWRITE"}),
        ["subjects"] => json!([SUBJECT]),
        ["subjects", SUBJECT, "versions"] => json!([1]),
        ["subjects", SUBJECT, "versions", "1" | "latest"] => {
            json!({"subject": SUBJECT, "version": 1, "id": 1, "schema": SCHEMA})
        }
        ["subjects", SUBJECT, "versions", _] => {
            return failure(404, 40402, "Version not found.");
        }
        ["subjects", subject, "versions", ..] => {
            return failure(404, 40401, &format!("Subject '{subject}' not found."));
        }
        ["schemas", "ids", "1"] => json!({"schema": SCHEMA}),
        ["schemas", "ids", _] => return failure(404, 40403, "Schema not found"),
        _ => return failure(404, 404, "HTTP 404 Not Found"),
    };
    if request.method != "GET" {
        return failure(405, 405, "HTTP 405 Method Not Allowed").header("allow", "GET");
    }
    say(200, &found)
}

fn failure(status: u16, code: u32, message: &str) -> Answer {
    say(status, &json!({"error_code": code, "message": message}))
}

fn say(status: u16, body: &Value) -> Answer {
    Answer::status(status)
        .header("content-type", "application/vnd.schemaregistry.v1+json")
        .body(body.to_string())
}
