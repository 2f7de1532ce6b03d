//! The schema registry that a pipeline names beside its topic: one `GET /subjects`.
//!
//! | answer | finding | source |
//! | --- | --- | --- |
//! | 200, an array of names in JSON | none | the REST API of Confluent, `GET /subjects` |
//! | 3xx, not followed | `access.redirected` | RFC 9110, 15.4 |
//! | 401, the link says who we are | `authenticate.bad-credentials` | RFC 9110, 15.5.2 |
//! | 401, it does not | `authenticate.required` | RFC 9110, 15.5.2 |
//! | 403 | `access.denied` | RFC 9110, 15.5.4 |
//! | 429 | `access.throttled` | RFC 6585, 4 |
//! | 5xx | `access.server-error` | RFC 9110, 15.6 |
//! | every other 4xx with an `error_code` in JSON, 404 apart | `access.request-refused` | the REST API |
//! | everything else | `access.not-this-service` | |

use http::header::{ACCEPT, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method};
use linkdial_core::net::{MAX_ANSWER, TlsOptions};
use linkdial_core::{
    Clauses, Code, Diagnosis, Endpoint, Halt, Probe, Role, Secret, Stage, Target, shown_url,
};
use serde_json::Value;

use crate::config::Config;
use crate::keys::{REGISTRY_PASSWORD, REGISTRY_TLS, REGISTRY_USERNAME};
use crate::material::{Loaded, Tls};
use crate::web::{self, Answer, Service, short};

/// So much of the list of subjects is read, in bytes: tens of thousands of names.
const MAX_LIST: usize = MAX_ANSWER / 2;

const JSON: HeaderValue =
    HeaderValue::from_static("application/vnd.schemaregistry.v1+json, application/json");

/// What the link holds for a registry, whichever a pipeline names.
#[derive(Debug)]
pub(crate) struct Registry {
    user: Option<String>,
    password: Option<Secret>,
    tls: Tls,
}

impl Registry {
    pub(crate) fn read(clauses: &mut Clauses<'_>) -> Self {
        Self {
            user: clauses.text(REGISTRY_USERNAME),
            password: clauses.secret(REGISTRY_PASSWORD),
            tls: Tls::read(clauses, &REGISTRY_TLS),
        }
    }

    /// Reads `host:port` or a URL. Without a scheme, keys about TLS ask for TLS.
    fn service(&self, address: &str) -> Option<Service> {
        let address = address.trim();
        let service = if address.contains("://") {
            Service::parse(address)
        } else if self.tls.is_given() {
            Service::parse(&format!("https://{address}"))
        } else {
            Service::parse(&format!("http://{address}"))
        };
        service?.below("subjects")
    }

    /// Returns who asks, and the keys that say so. Those of the link win over the address.
    fn login(&self, service: &Service) -> Option<Login> {
        if self.user.is_none() && self.password.is_none() {
            let (user, password) = service.login()?;
            return Some(Login {
                user,
                password,
                keys: &[],
            });
        }
        Some(Login {
            user: self.user.clone().unwrap_or_default(),
            password: self.password.clone().unwrap_or_else(|| Secret::new("")),
            keys: &[REGISTRY_PASSWORD, REGISTRY_USERNAME],
        })
    }
}

/// Who asks.
struct Login {
    user: String,
    password: Secret,
    keys: &'static [&'static str],
}

/// Dials the registry of the target, where it has one.
///
/// # Errors
///
/// When the pipeline could not read its schemas there; the record says why.
pub(crate) async fn check(probe: &mut Probe, config: &Config) -> Result<(), Halt> {
    let Some(address) = probe.target().and_then(Target::registry) else {
        return Ok(());
    };
    if matches!(probe.last_code(), Some(Code::Interrupted(_))) {
        return Ok(());
    }
    let registry = &config.registry;
    let Some(service) = registry.service(address) else {
        let finding = Diagnosis::new(
            Code::DefineTargetInvalid,
            "the address after SCHEMA REGISTRY can not be dialled",
        );
        return Err(probe.halt(
            None,
            finding.hint("write 'HOST:PORT', or a URL such as 'https://registry.example.com:8081'"),
        ));
    };
    let loaded = if service.is_tls() {
        let mut loaded = registry.tls.prepare(probe).await?;
        loaded.options.alpn = TlsOptions::http1().alpn;
        Some(loaded)
    } else {
        None
    };
    let login = registry.login(&service);
    let asked = Asked {
        endpoint: &service.endpoint(Role::Registry),
        login: login.as_ref(),
        service: &service,
        config,
    };
    let listed = asked.list(probe, loaded.as_ref()).await;
    if listed.is_err()
        && let Some(loaded) = &loaded
    {
        probe.amend(|finding| registry.tls.explain(loaded, config, finding));
    }
    listed
}

/// Who is asked, by whom, and for which link.
struct Asked<'a> {
    endpoint: &'a Endpoint,
    login: Option<&'a Login>,
    service: &'a Service,
    config: &'a Config,
}

impl Asked<'_> {
    async fn list(&self, probe: &mut Probe, loaded: Option<&Loaded>) -> Result<(), Halt> {
        let tls = loaded.map(|loaded| loaded.options.clone());
        let reached = probe.reach(self.endpoint, tls).await?;
        let mut request = self.service.request(Method::GET, String::new());
        request.headers_mut().insert(ACCEPT, JSON);
        let stages: &[Stage] = match self.login {
            Some(login) => {
                let basic = web::basic(&login.user, &login.password);
                // A server may repeat what it was sent.
                probe.add_secret(basic.expose());
                probe.withhold(&login.user);
                web::authorize(&mut request, &basic);
                &[Stage::Authenticate, Stage::Access]
            }
            None => &[Stage::Access],
        };
        let work = async {
            let answer = web::ask(self.endpoint, reached, request, MAX_LIST).await?;
            self.judge(&answer)
        };
        let subjects = probe.step(self.endpoint, stages, work).await?;
        match subjects {
            Some(count) => probe.note("subjects", count),
            None => probe.note("subjects", "more than were read"),
        }
        Ok(())
    }

    fn finding(&self, code: Code, what: &str, keys: &[&str], hint: &str) -> Diagnosis {
        let finding = Diagnosis::new(code, format!("{} {what}", self.endpoint)).hint(hint);
        let places = keys.iter().map(|key| self.config.place(key));
        places.fold(finding, Diagnosis::key)
    }

    /// Returns how many subjects there are; `None` where the list was longer than is read.
    fn judge(&self, answer: &Answer) -> Result<Option<usize>, Diagnosis> {
        let json = answer.json();
        if answer.status == 200 {
            match &json {
                Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
                    return Ok(Some(names.len()));
                }
                None if answer.cut && begins_a_list(&answer.text()) => return Ok(None),
                _ => {}
            }
        }
        let text = |name: &str| match json.as_ref().and_then(|json| json.get(name)) {
            Some(Value::String(text)) => short(text).to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let code = text("error_code");
        let finding = match answer.status {
            300..=399 => self
                .finding(
                    Code::AccessRedirected,
                    "sends requests elsewhere",
                    &[],
                    "write the URL that it names after SCHEMA REGISTRY, if that host may have the \
                     login",
                )
                .evidence("location", shown_url(answer.header(LOCATION))),
            401 => self.unauthorized(),
            403 => self.denied(),
            429 => self
                .finding(
                    Code::AccessThrottled,
                    "is throttling",
                    &[],
                    "try again later",
                )
                .evidence("retry_after", answer.header(RETRY_AFTER)),
            400 | 402 | 405..=499 if !code.is_empty() => self.finding(
                Code::AccessRequestRefused,
                "refuses to list its subjects",
                &[],
                "look its code up in the documentation of the registry",
            ),
            500..=599 => self.finding(
                Code::AccessServerError,
                "failed to list its subjects",
                &[],
                "look into the log of the registry; 502 and 504 come from a gateway without a \
                 back end",
            ),
            _ => self.finding(
                Code::AccessNotThisService,
                "is no schema registry",
                &[],
                "write host and port of the registry's REST API after SCHEMA REGISTRY, with the \
                 path before /subjects where it has one",
            ),
        };
        Err(finding
            .evidence("status", answer.status)
            .evidence("path", self.service.path())
            .evidence("content_type", answer.content_type())
            .evidence("remote_code", code)
            .evidence("remote_message", text("message")))
    }

    fn unauthorized(&self) -> Diagnosis {
        match self.login {
            Some(login) => self.finding(
                Code::AuthenticateBadCredentials,
                "does not accept user and password",
                login.keys,
                "check both with whoever runs the registry; they are not those of the brokers",
            ),
            None => self.finding(
                Code::AuthenticateRequired,
                "wants to know who asks, and the link does not say",
                &[REGISTRY_USERNAME, REGISTRY_PASSWORD],
                "add `schema.registry.username` and `schema.registry.password` to CREDENTIALS",
            ),
        }
    }

    fn denied(&self) -> Diagnosis {
        match self.login {
            Some(login) => self
                .finding(
                    Code::AccessDenied,
                    "does not let this user list its subjects",
                    &login.keys[login.keys.len().min(1)..],
                    "let this user read the subjects of the pipeline",
                )
                .evidence("user", short(&login.user)),
            None => self
                .finding(
                    Code::AccessDenied,
                    "lets nobody list its subjects without a login",
                    &[REGISTRY_USERNAME],
                    "add `schema.registry.username` and `schema.registry.password` to \
                     CREDENTIALS, or let this address in",
                )
                .without_identity(),
        }
    }
}

/// Returns whether a text that was cut begins as an array of names does.
fn begins_a_list(text: &str) -> bool {
    let rest = text.trim_start().strip_prefix('[');
    rest.is_some_and(|rest| rest.trim_start().starts_with('"'))
}
