//! The last proof: the client that the cluster uses gets through with the link's own settings.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use linkdial_core::net::Net;
use linkdial_core::{Code, Diagnosis, Endpoint, Halt, Key, Probe, Secret, Settings, Stage};

use super::order::{Answer, Order, Outcome, Token};
use super::process;
use crate::error::Asked;
use crate::keys::{KEYS, MECHANISM};
use crate::login::Login;
use crate::token::Claims;
use crate::walk::{Beside, Walk};

/// The client ends this much before its stage does, so that it can still say what it has seen.
const MARGIN: Duration = Duration::from_millis(100);

/// Errors beyond this many are not shown.
const MAX_SHOWN: usize = 3;

/// Runs librdkafka against the addresses that have let us in.
pub(crate) async fn confirm(
    mut probe: Probe,
    walk: &Walk<'_>,
    endpoints: &[Endpoint],
    topic: Option<&str>,
) -> Beside<Result<(), Halt>> {
    let result = confirm_on(&mut probe, walk, endpoints, topic).await;
    (probe, result)
}

async fn confirm_on(
    probe: &mut Probe,
    walk: &Walk<'_>,
    endpoints: &[Endpoint],
    topic: Option<&str>,
) -> Result<(), Halt> {
    let Some(first) = endpoints.first().filter(|_| probe.walks(Stage::Access)) else {
        return Ok(());
    };
    let settings = probe.settings().clone();
    let limit = walk.limit(probe);
    let plan = match Plan::of(walk, &settings, endpoints, topic, limit) {
        Ok(plan) => plan,
        Err(reason) => {
            skip(probe, reason);
            return Ok(());
        }
    };
    let Ok(Some(place)) = tokio::time::timeout(limit, process::place()).await else {
        skip(probe, "too many checks run it at once");
        return Ok(());
    };
    let asked = walk.asked(first);
    let work = async {
        let answer = process::run(plan.program, &plan.environment, &plan.order).await;
        drop(place);
        match answer {
            Ok(answer) => judge(&asked, answer),
            Err(error) => Err(not_run(&error)),
        }
    };
    let answer = probe
        .step_within(first, &[Stage::Access], limit, work)
        .await?;
    probe.note("client", format!("librdkafka {}", answer.version));
    Ok(())
}

/// Leaves the proof out, and says so where the report is read.
fn skip(probe: &mut Probe, reason: &str) {
    let reason = format!("librdkafka was not run: {reason}");
    probe.skip(Stage::Access, &reason);
    probe.note("unproven", reason);
}

/// A program that does not run is no fault of the link's.
fn not_run(error: &io::Error) -> Diagnosis {
    Diagnosis::new(
        Code::DefineNotCompiledIn,
        "the client of the cluster, librdkafka, could not be run here",
    )
    .evidence("error", error)
    .hint("linkdial starts its own program for it: check that it may")
}

/// What is run, and with what.
struct Plan<'a> {
    program: &'a Path,
    environment: Vec<(&'static str, OsString)>,
    order: Order,
}

impl<'a> Plan<'a> {
    /// Puts an order together; the error says why there can be none.
    fn of(
        walk: &Walk<'_>,
        settings: &'a Settings,
        endpoints: &[Endpoint],
        topic: Option<&str>,
        limit: Duration,
    ) -> Result<Self, &'static str> {
        let config = walk.config;
        let Some(program) = &settings.client_program else {
            return Err("this program has no command for it");
        };
        if config.has_spoofs() {
            return Err("it knows no `spoof.dns`");
        }
        if !settings.net.is_the_systems() {
            return Err("it would not go by the options for names, addresses and routes");
        }
        if walk
            .tls
            .is_some_and(|tls| tls.without_ca || tls.without_identity)
        {
            return Err("a file of the link is not here");
        }
        let mut options = config.client_options(settings);
        options.extend(tls_options(walk, &settings.net));
        let token = match walk.login {
            Some(Login::Token { token, extensions }) if extensions.is_empty() => {
                Some(bearer(token))
            }
            Some(Login::Token { .. }) => return Err("it can not be given extensions of a token"),
            _ => None,
        };
        let environment = match walk.login {
            Some(Login::Kerberos(kerberos)) => kerberos.environment.clone()?,
            _ => Vec::new(),
        };
        let addresses = endpoints.iter().map(Endpoint::to_string);
        let limit = limit.saturating_sub(MARGIN);
        let fixed = [
            ("bootstrap.servers", addresses.collect::<Vec<_>>().join(",")),
            // It would wait up to 50 ms for a turn to connect.
            ("enable.sparse.connections", "false".to_owned()),
            ("allow.auto.create.topics", "false".to_owned()),
            (
                "socket.connection.setup.timeout.ms",
                limit.as_millis().max(1000).to_string(),
            ),
            // It would run kinit by a shell.
            ("sasl.kerberos.min.time.before.relogin", "0".to_owned()),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value));
        options.retain(|(name, _)| fixed.iter().all(|(other, _)| other != name));
        options.extend(fixed);
        Ok(Self {
            program,
            environment,
            order: Order {
                options,
                token,
                topic: topic.map(str::to_owned),
                limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            },
        })
    }
}

fn judge(asked: &Asked<'_>, answer: Answer) -> Result<Answer, Diagnosis> {
    match &answer.outcome {
        Outcome::Through { .. } => Ok(answer),
        Outcome::Unusable(error) => Err(refused(asked, error)),
        Outcome::Failed => Err(failed(asked, &answer)),
    }
}

/// Trusts what the ladder trusted.
fn tls_options(walk: &Walk<'_>, net: &Net) -> Vec<(String, String)> {
    let mut options = Vec::new();
    if walk.tls.is_some_and(|tls| tls.options.roots.is_none())
        && let Some((file, pem)) = net.added_roots()
    {
        options.push(("ssl.ca.pem".to_owned(), pem));
        let file = file.map(|file| file.display().to_string());
        options.extend(file.map(|file| ("ssl.ca.location".to_owned(), file)));
    }
    options
}

fn bearer(token: &Secret) -> Token {
    let claims = Claims::read(token.expose());
    let hour = Timestamp::now() + SignedDuration::from_hours(1);
    Token {
        value: token.expose().to_owned(),
        principal: Some(claims.subject)
            .filter(|subject| !subject.is_empty())
            .unwrap_or_else(|| "linkdial".to_owned()),
        // An opaque token does not say; the library only wants to know when to ask again.
        expires_ms: claims.expires.unwrap_or(hour).as_millisecond(),
    }
}

/// The library takes no such options: the guilty one is named in its text.
fn refused(asked: &Asked<'_>, error: &str) -> Diagnosis {
    if error.contains("GSSAPI module") {
        return Diagnosis::new(
            Code::DefineNotCompiledIn,
            "this machine lacks the module that librdkafka logs in to Kerberos with",
        )
        .evidence("error", error)
        .key(asked.config.place(MECHANISM))
        .hint("install libsasl2-modules-gssapi-mit");
    }
    let named =
        |key: &&Key| error.contains(&format!("\"{}\"", key.name)) || error.starts_with(key.name);
    let guilty = KEYS.iter().filter(named).max_by_key(|key| key.name.len());
    let finding = Diagnosis::new(
        Code::DefineInvalidValue,
        "librdkafka, the client of the cluster, does not take these settings",
    )
    .evidence("error", error)
    .hint("every pipeline of this link fails the same way: correct the value");
    match guilty {
        Some(key) => finding.key(asked.config.place(key.name)),
        None => finding,
    }
}

/// The library did not get through where our own stream did.
fn failed(asked: &Asked<'_>, answer: &Answer) -> Diagnosis {
    let decisive = ["Authentication", "SSL", "Resolve"];
    let first = answer.errors.iter();
    let decided = first
        .clone()
        .find(|(code, _)| decisive.contains(&code.as_str()));
    let (code, _) = decided
        .or(answer.errors.first())
        .cloned()
        .unwrap_or_default();
    let code = match code.as_str() {
        "Authentication" => Code::AuthenticateBadCredentials,
        "SSL" => Code::TlsHandshakeFailed,
        "Resolve" => Code::ResolveNotFound,
        _ => Code::AccessTimedOut,
    };
    let shown = decided
        .into_iter()
        .chain(first.filter(|it| Some(*it) != decided));
    let shown: Vec<&str> = shown
        .take(MAX_SHOWN)
        .map(|(_, text)| text.as_str())
        .collect();
    let lines = answer.log.iter().take(MAX_SHOWN).map(String::as_str);
    let log: Vec<&str> = if shown.is_empty() {
        lines.collect()
    } else {
        Vec::new()
    };
    asked
        .finding(
            code,
            "lets linkdial in, and librdkafka, the client of the cluster, does not get through",
        )
        .evidence("client", format!("librdkafka {}", answer.version))
        .evidence("error", shown.join("; "))
        .evidence("log", log.join("; "))
        .hint("the cluster's own client will fail in the same way: its error says what it misses")
}
