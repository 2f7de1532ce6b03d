use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};

use crate::ServerTls;
use crate::web::{Answer, Recorded, WebServer};

/// The issuer's name in tokens, whatever its port.
pub(crate) const ISSUER: &str = "https://issuer.linkdial.test";

/// What tokens are for.
pub(crate) const AUDIENCE: &str = "kafka";

/// How many seconds a token lives that a client asks for.
const LIFE: i64 = 300;

/// The name of the only key.
const KEY_ID: &str = "1";

/// How a [`TokenIssuer`] is started, and what its token endpoint does.
#[derive(Debug, Clone)]
pub struct TokenIssuerOptions {
    tls: Option<ServerTls>,
    audience: String,
    life: i64,
    answer: Option<Answer>,
}

impl Default for TokenIssuerOptions {
    fn default() -> Self {
        Self {
            tls: None,
            audience: AUDIENCE.to_owned(),
            life: LIFE,
            answer: None,
        }
    }
}

impl TokenIssuerOptions {
    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Gives tokens for this audience; Kafka takes those for `kafka`, the default.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        audience.clone_into(&mut self.audience);
        self
    }

    /// Gives tokens that live so many seconds, 300 by default; with a negative number they have
    /// expired.
    #[must_use]
    pub fn life(mut self, seconds: i64) -> Self {
        self.life = seconds;
        self
    }

    /// Answers every request at the token endpoint with this, whoever asks: [`Answer::silence`], or
    /// text that is no JSON.
    #[must_use]
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// Knows no client: each one gets 401 and `invalid_client`.
    #[must_use]
    pub fn refusing(self) -> Self {
        self.answer(refusal())
    }

    /// Starts the server with a key of its own.
    pub fn start(self) -> TokenIssuer {
        TokenIssuer::launch(self, Arc::new(new_key()))
    }

    /// Starts the server with the name and the key of another one: whoever takes the tokens of that
    /// one, such as [`SecuredKafka`](crate::SecuredKafka), takes these too.
    pub fn start_as(self, other: &TokenIssuer) -> TokenIssuer {
        TokenIssuer::launch(self, Arc::clone(&other.key))
    }
}

/// An OAuth server in this process: it gives signed tokens to clients that know their secret.
///
/// A client's secret is its name with `-pw`. `POST /token` answers the grant `client_credentials`,
/// with the client in the header or in the body; `GET /jwks` has the key. All else is a 404.
#[derive(Debug)]
pub struct TokenIssuer {
    web: WebServer,
    key: Arc<KeyPair>,
}

impl TokenIssuer {
    /// Starts the server in plain text.
    pub fn start() -> Self {
        TokenIssuerOptions::default().start()
    }

    /// Starts the server with TLS.
    pub fn start_tls(tls: ServerTls) -> Self {
        TokenIssuerOptions::default().tls(tls).start()
    }

    fn launch(mut options: TokenIssuerOptions, key: Arc<KeyPair>) -> Self {
        let signer = Arc::clone(&key);
        let tls = options.tls.take();
        let web = WebServer::start(tls, move |request| answer(request, &options, &signer));
        Self { web, key }
    }

    /// Where clients ask for tokens.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.web.url())
    }

    /// The public key as a set in JSON.
    pub fn key_set(&self) -> String {
        key_set(&self.key).to_string()
    }

    /// A signed token for a user that lives so many seconds from now; with a negative number it
    /// has expired.
    pub fn token(&self, user: &str, seconds: i64) -> String {
        token(&self.key, user, AUDIENCE, seconds)
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.web.requests()
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("P-256 is supported")
}

/// A token without a signature.
pub(crate) fn unsigned_token(user: &str, seconds: i64) -> String {
    format!(
        "{}.",
        content(json!({"alg": "none"}), user, seconds, json!({}))
    )
}

fn answer(request: &Recorded, options: &TokenIssuerOptions, key: &KeyPair) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/jwks") => say(200, &key_set(key)),
        ("POST", "/token") => {
            if let Some(answer) = &options.answer {
                return answer.clone();
            }
            let form = form(&request.body);
            let field = |name| form.iter().find(|(key, _)| key == name).map(|(_, it)| it);
            if field("grant_type").is_none_or(|grant| grant != "client_credentials") {
                return say(400, &json!({"error": "unsupported_grant_type"}));
            }
            let in_body = || Some((field("client_id")?.clone(), field("client_secret")?.clone()));
            match basic(request).or_else(in_body) {
                Some((client, secret)) if secret == format!("{client}-pw") => {
                    let token = token(key, &client, &options.audience, options.life);
                    let answer = json!({
                        "access_token": token,
                        "token_type": "Bearer",
                        "expires_in": options.life.max(0),
                    });
                    say(200, &answer)
                }
                _ => refusal(),
            }
        }
        _ => Answer::status(404),
    }
}

fn say(status: u16, body: &Value) -> Answer {
    Answer::status(status)
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// What a client hears that is unknown or has another secret.
fn refusal() -> Answer {
    say(401, &json!({"error": "invalid_client"})).header("www-authenticate", "Basic realm=\"lab\"")
}

/// Name and secret of the client in the header, which RFC 6749 encodes as a form has them.
fn basic(request: &Recorded) -> Option<(String, String)> {
    let (client, secret) = request.basic_login()?;
    Some((decoded(&client), decoded(&secret)))
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn token(key: &KeyPair, user: &str, audience: &str, seconds: i64) -> String {
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": KEY_ID});
    let names = json!({"iss": ISSUER, "aud": audience});
    let content = content(header, user, seconds, names);
    let signature = key.sign(content.as_bytes());
    let signature = plain_signature(&signature.expect("a key of P-256 signs anything"));
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The two parts of a token that are signed.
fn content(header: Value, user: &str, seconds: i64, mut claims: Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(0));
    let end = now.saturating_add(seconds);
    claims["sub"] = user.into();
    claims["iat"] = now.min(end - 60).into();
    claims["exp"] = end.into();
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn key_set(key: &KeyPair) -> Value {
    // A byte for the format, and both coordinates.
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
    json!({"keys": [{
        "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": KEY_ID, "use": "sig", "alg": "ES256",
    }]})
}

/// The two numbers of a signature in DER, each with 32 bytes as tokens have them.
fn plain_signature(der: &[u8]) -> [u8; 64] {
    let mut plain = [0; 64];
    // Both are short enough for lengths of one byte.
    let mut rest = &der[2..];
    for half in plain.chunks_exact_mut(32) {
        let (number, after) = rest[2..].split_at(rest[1].into());
        // A zero in front says that it is positive.
        let number = &number[number.len().saturating_sub(32)..];
        half[32 - number.len()..].copy_from_slice(number);
        rest = after;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_names_its_owner_and_its_end() {
        let token = unsigned_token("alice", -60);
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, ""] = parts[..] else {
            panic!("{token}");
        };
        let read = |part| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(header), json!({"alg": "none"}));
        let claims = read(claims);
        assert_eq!(claims["sub"], "alice");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(claims["exp"].as_u64().unwrap() < now.as_secs());
        assert!(claims["iat"].as_u64() < claims["exp"].as_u64());
    }

    #[test]
    fn numbers_of_a_signature_have_32_bytes_each() {
        let long = [&[0x30, 69, 2, 33, 0][..], &[0xff; 32], &[2, 32], &[7; 32]].concat();
        let plain = plain_signature(&long);
        assert_eq!(
            (&plain[..32], &plain[32..]),
            (&[0xff; 32][..], &[7; 32][..])
        );
        let short = [&[0x30, 7, 2, 1, 5][..], &[2, 2, 6, 7]].concat();
        let plain = plain_signature(&short);
        assert_eq!((plain[31], plain[62], plain[63]), (5, 6, 7));
        assert_eq!(plain.iter().filter(|byte| **byte != 0).count(), 3);
    }

    #[test]
    fn form_is_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(form(b"a=b+c&d=%2F"), [pair("a", "b c"), pair("d", "/")]);
    }
}
