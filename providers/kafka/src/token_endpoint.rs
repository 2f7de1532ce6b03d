//! A token by client credentials (RFC 6749, section 4.4), asked for as librdkafka does.
//!
//! | answer | finding | source |
//! | --- | --- | --- |
//! | 2xx in JSON with a JWT that has `exp` and `sub` | none | `rd_kafka_oidc_token_try_validate` |
//! | the same, and `exp` is past | `authenticate.token-expired` | RFC 7519, 4.1.4 |
//! | 2xx in JSON with another token | `authenticate.token-invalid` | the client takes no other |
//! | 2xx without JSON or without `access_token` | `authenticate.token-endpoint` | RFC 6749, 5.1 |
//! | 3xx, not followed | `authenticate.token-endpoint` of the URL | |
//! | 401, `invalid_client` | the same of the client's id and secret | RFC 6749, 5.2 |
//! | 403, `unauthorized_client`, `unsupported_grant_type` | the same of the client's id | RFC 6749, 5.2 |
//! | `invalid_scope` | the same of the scope | RFC 6749, 5.2 |
//! | 429, 5xx | the same, and it may pass later | RFC 6585, 4; RFC 9110, 15.6 |
//! | every other status | the same of the URL | |

use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Request};
use jiff::Timestamp;
use linkdial_core::net::TlsOptions;
use linkdial_core::{
    Blame, Code, Diagnosis, Endpoint, Halt, Probe, Retry, Role, Secret, Stage, shown_url,
};
use serde_json::Value;

use crate::config::Config;
use crate::keys::{OAUTH_ID, OAUTH_SCOPE, OAUTH_SECRET, OAUTH_URL};
use crate::login::Login;
use crate::token::{Claims, is_spelled};
use crate::web::{self, Answer, Service, short};

/// No answer with a token is longer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How a link gets its tokens.
#[derive(Clone, Debug)]
pub(crate) struct Oidc {
    pub(crate) service: Service,
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) scope: Option<String>,
    pub(crate) extensions: Vec<(String, String)>,
}

/// A token, and what it came with.
struct Lent {
    token: Secret,
    claims: Claims,
    /// `token_type` of the answer; the client does not look at it.
    kind: String,
}

/// Fetches the token of a link that has none of its own, once for all brokers of a check.
///
/// `None` where the login is ready as it is, or not to be walked.
///
/// # Errors
///
/// When no token came that the client takes; the record says why.
pub(crate) async fn settle(
    probe: &mut Probe,
    config: &Config,
    login: Option<&Login>,
) -> Result<Option<Login>, Halt> {
    let Some(Login::Oidc(oidc)) = login else {
        return Ok(None);
    };
    if !probe.walks(Stage::Authenticate) {
        return Ok(None);
    }
    let token = fetch(probe, config, oidc).await?;
    Ok(Some(Login::Token {
        token,
        extensions: oidc.extensions.clone(),
    }))
}

async fn fetch(probe: &mut Probe, config: &Config, oidc: &Oidc) -> Result<Secret, Halt> {
    let endpoint = oidc.service.endpoint(Role::Token);
    let endpoint = endpoint.named_by(config.place(OAUTH_URL));
    let tls = oidc.service.is_tls().then(TlsOptions::http1);
    let reached = match probe.reach(&endpoint, tls).await {
        Ok(reached) => reached,
        Err(halt) => {
            if probe.last_code() == Some(Code::TlsUnknownIssuer) {
                probe.amend(|finding| {
                    finding.hint(
                        "`ssl.ca.location` does not count here: name its CA with --ca-file, and \
                         install it in the system's store of every node of the cluster",
                    )
                });
            }
            return Err(halt);
        }
    };
    let basic = web::basic(&oidc.id, &oidc.secret);
    // A server may repeat what it was sent.
    probe.add_secret(basic.expose());
    let request = request(oidc, &basic);
    let asked = Asked {
        endpoint: &endpoint,
        config,
    };
    let work = async {
        let answer = web::ask(&endpoint, reached, request, MAX_ANSWER).await?;
        asked.judge(&answer, Timestamp::now())
    };
    let lent = probe.step(&endpoint, &[Stage::Authenticate], work).await?;
    probe.add_secret(lent.token.expose());
    probe.note("token_type", lent.kind);
    for (name, value) in lent.claims.listed() {
        probe.note(name, value);
    }
    Ok(lent.token)
}

/// The client escapes neither id and secret, as RFC 6749 (section 2.3.1) wants, nor the scope.
fn request(oidc: &Oidc, basic: &Secret) -> Request<String> {
    let mut body = "grant_type=client_credentials".to_owned();
    if let Some(scope) = &oidc.scope {
        body.extend(["&scope=", scope]);
    }
    let mut request = oidc.service.request(Method::POST, body);
    web::authorize(&mut request, basic);
    let headers = request.headers_mut();
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, FORM);
    request
}

/// Who is asked, and for which link.
struct Asked<'a> {
    endpoint: &'a Endpoint,
    config: &'a Config,
}

impl Asked<'_> {
    fn finding(&self, code: Code, what: &str, keys: &[&str], hint: &str) -> Diagnosis {
        let finding = Diagnosis::new(code, format!("{} {what}", self.endpoint)).hint(hint);
        let places = keys.iter().map(|key| self.config.place(key));
        places.fold(finding, Diagnosis::key)
    }

    fn judge(&self, answer: &Answer, now: Timestamp) -> Result<Lent, Diagnosis> {
        let json = answer.json();
        let text = |name: &str| {
            let value = json.as_ref().and_then(|json| json.get(name)?.as_str());
            value.unwrap_or_default()
        };
        let as_json = answer.content_type().get(..JSON.len());
        let as_json = as_json.is_some_and(|it| JSON.as_bytes().eq_ignore_ascii_case(it.as_bytes()));
        let token = text("access_token");
        let success = (200..300).contains(&answer.status);
        if success && as_json && !token.is_empty() {
            return Ok(Lent {
                claims: self.claims(token, now)?,
                token: Secret::new(token),
                kind: short(text("token_type")).to_owned(),
            });
        }
        let error = text("error");
        let finding = match answer.status {
            _ if success => self.without_token(as_json, json.as_ref()),
            300..=399 => self.elsewhere(answer),
            status => self.refused(status, error, answer.is_html()),
        };
        Err(finding
            .evidence("status", answer.status)
            .evidence("error", short(error))
            .evidence("error_description", short(text("error_description")))
            .evidence("content_type", answer.content_type()))
    }

    /// Reads what the client reads of a token before it uses it.
    fn claims(&self, token: &str, now: Timestamp) -> Result<Claims, Diagnosis> {
        let claims = Claims::read(token);
        let missing = if !is_spelled(token) {
            Some("has characters that no token has")
        } else if claims.expires.is_none_or(|it| it <= Timestamp::UNIX_EPOCH) {
            Some("is no JWT with its end in `exp`")
        } else if claims.subject.is_empty() {
            Some("is a JWT without `sub`")
        } else {
            None
        };
        let finding = match missing {
            Some(what) => self
                .finding(
                    Code::AuthenticateTokenInvalid,
                    "gives a token that the client library does not take",
                    &[OAUTH_URL],
                    "let the server give this client JWTs that have `exp` and `sub`",
                )
                .evidence("token", what),
            None if claims.expired(now) => self.finding(
                Code::AuthenticateTokenExpired,
                "gives a token that is past its end",
                &[OAUTH_URL],
                "compare the clock of that server with the one of this machine",
            ),
            None => return Ok(claims),
        };
        Err(claims.tell(finding).evidence("now", now))
    }

    fn without_token(&self, as_json: bool, json: Option<&Value>) -> Diagnosis {
        let what = match json {
            Some(_) if as_json => "answered without a token",
            Some(_) => "answered in JSON that does not say so",
            None => "answered with something else than a token in JSON",
        };
        self.finding(
            Code::AuthenticateTokenEndpoint,
            what,
            &[OAUTH_URL],
            "write the URL of the token endpoint, which answers `application/json`; it stands in \
             the server's /.well-known/openid-configuration",
        )
        .blame(Blame::Configuration)
    }

    fn elsewhere(&self, answer: &Answer) -> Diagnosis {
        self.finding(
            Code::AuthenticateTokenEndpoint,
            "sends the request for a token elsewhere",
            &[OAUTH_URL],
            "write the URL that it names, if that host may have the secret; the client follows no \
             redirect either",
        )
        .evidence("location", shown_url(answer.header(LOCATION)))
        .blame(Blame::Configuration)
    }

    fn refused(&self, status: u16, error: &str, is_html: bool) -> Diagnosis {
        let client = ["unauthorized_client", "unsupported_grant_type"];
        let (what, keys, hint): (_, &[&str], _) = match (status, error) {
            (429 | 500.., _) => {
                let what = "failed to give a token";
                let hint = "try again later, then look into the log of that server";
                let finding = self.finding(Code::AuthenticateTokenEndpoint, what, &[], hint);
                return finding.blame(Blame::Server).retry(Retry::Later);
            }
            (401, _) | (_, "invalid_client") => (
                "does not accept the client and its secret",
                &[OAUTH_SECRET, OAUTH_ID],
                "check both with whoever runs the server; the client library sends them in the \
                 header `Authorization`, without URL encoding",
            ),
            (403, _) if !is_html => (
                "does not let the client have a token",
                &[OAUTH_ID],
                "allow the grant `client_credentials` to this client on the server",
            ),
            (_, error) if client.contains(&error) => (
                "does not let the client have a token in this way",
                &[OAUTH_ID],
                "allow the grant `client_credentials` to this client on the server",
            ),
            (_, "invalid_scope") => (
                "does not give the client that scope",
                &[OAUTH_SCOPE],
                "write a scope that the server knows for this client; it is sent as written",
            ),
            _ => {
                let finding = self.finding(
                    Code::AuthenticateTokenEndpoint,
                    "gives out no token at that URL",
                    &[OAUTH_URL],
                    "check the path: the token endpoint stands in the server's \
                     /.well-known/openid-configuration",
                );
                return finding.blame(Blame::Configuration);
            }
        };
        self.finding(Code::AuthenticateTokenEndpoint, what, keys, hint)
    }
}
