//! The last proof: the client that the cluster uses gets through with the link's own settings.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use linkdial_core::client_process::{self, ClientProcess};
use linkdial_core::net::Net;
use linkdial_core::{
    Code, Diagnosis, Endpoint, Halt, Key, Outcome as Verdict, Probe, Secret, Settings, Stage,
};

use super::CLIENT;
use super::order::{Answer, Order, Outcome, Token};
use crate::error::{self, Asked};
use crate::keys::{CA_FILE, KEYS, KEYTAB, MECHANISM, PRINCIPAL, SERVICE};
use crate::login::Login;
use crate::metadata::{Broker, Metadata};
use crate::token::Claims;
use crate::walk::Walk;

/// The client ends this part of its time before its stage does, so that it can still say what it
/// has seen.
const MARGIN: u32 = 8;

/// In less than this it gets nowhere, on the best of networks.
const LEAST: Duration = Duration::from_millis(300);

/// Errors beyond this many are not shown.
const MAX_SHOWN: usize = 3;

/// Runs librdkafka against the addresses that have let us in.
///
/// # Errors
///
/// When it does not get through; the record says why.
pub(crate) async fn confirm(
    probe: &mut Probe,
    walk: &Walk<'_>,
    endpoints: &[Endpoint],
    topic: Option<&str>,
    metadata: &Metadata,
) -> Result<(), Halt> {
    if !probe.walks(Stage::Access) {
        return Ok(());
    }
    let brokers = metadata.brokers.iter();
    let ports = brokers.filter_map(|it| u16::try_from(it.port).ok());
    let wanted = Wanted {
        topic,
        brokers: false,
        ports: ports.collect(),
    };
    match run(probe, walk, endpoints, &wanted, &[Stage::Access]).await {
        Ok(answer) => {
            let asked = endpoints.first().map(|first| walk.asked(first));
            if let Some(finding) = asked.and_then(|it| differs(&it, &answer, metadata)) {
                probe.finding(endpoints.first(), finding);
            }
            Ok(())
        }
        Err(NotThrough::Halted(halt)) => Err(halt),
        // Left out, which is said where the report is read.
        Err(NotThrough::NotRun(reason)) => {
            let reason = format!("librdkafka was not run: {reason}");
            probe.skip(Stage::Access, &reason);
            probe.note("unproven", reason);
            Ok(())
        }
    }
}

/// Lets librdkafka log in where linkdial can not do it itself, and tells of the cluster in its
/// words: the brokers, and no topic.
///
/// # Errors
///
/// When the library does not get through, or can not be run.
pub(crate) async fn stand_in(
    probe: &mut Probe,
    walk: &Walk<'_>,
    endpoints: &[Endpoint],
    topic: Option<&str>,
    reason: &str,
) -> Result<Metadata, Halt> {
    let stages = [Stage::Authenticate, Stage::Access];
    let wanted = Wanted {
        topic,
        brokers: true,
        ports: Vec::new(),
    };
    let answer = match run(probe, walk, endpoints, &wanted, &stages).await {
        Ok(answer) => answer,
        Err(NotThrough::Halted(halt)) => return Err(halt),
        Err(NotThrough::NotRun(why)) => {
            let first = endpoints.first();
            let finding = Diagnosis::new(
                Code::DefineNotCompiledIn,
                format!("nothing here can log in: {reason}, and librdkafka was not run"),
            )
            .evidence("librdkafka", &why)
            .key(walk.config.place(MECHANISM))
            .hint("check it on a node of the cluster with `kinit -kt KEYTAB PRINCIPAL`");
            return Err(probe.halt(first, finding));
        }
    };
    probe.note(
        "unproven",
        format!("rights and leaders of the topic: {reason}"),
    );
    let Outcome::Through {
        brokers,
        topic_error,
    } = answer.outcome
    else {
        return Ok(Metadata::default());
    };
    if let (Some(name), Some(first)) = (topic, endpoints.first()) {
        let asked = walk.asked(first);
        for finding in error::told_of_topic(&asked, name, topic_error) {
            probe.finding(Some(first), finding);
        }
    }
    let brokers = brokers.into_iter();
    Ok(Metadata {
        brokers: brokers
            .map(|(id, host, port)| Broker { id, host, port })
            .collect(),
        ..Metadata::default()
    })
}

/// Why there is no answer.
enum NotThrough {
    /// The record says why.
    Halted(Halt),
    /// The library was not run at all.
    NotRun(String),
}

/// What the library is asked for.
struct Wanted<'a> {
    topic: Option<&'a str>,
    /// Whether the brokers are not known yet.
    brokers: bool,
    /// Ports of brokers that it may go to besides those that have let us in.
    ports: Vec<u16>,
}

/// A broker that tells the client of others than it has told linkdial: those were never checked.
fn differs(asked: &Asked<'_>, answer: &Answer, metadata: &Metadata) -> Option<Diagnosis> {
    let Outcome::Through { brokers, .. } = &answer.outcome else {
        return None;
    };
    let known = |(_, host, port): &&(i32, String, i32)| {
        let mut known = metadata.brokers.iter();
        known.any(|it| it.host == *host && it.port == *port)
    };
    let others = brokers.iter().filter(|it| !known(it)).take(MAX_SHOWN);
    let others: Vec<String> = others
        .map(|(_, host, port)| format!("{}:{port}", host.escape_default()))
        .collect();
    if others.is_empty() {
        return None;
    }
    let finding = asked
        .finding(
            Code::AccessServerError,
            "tells librdkafka of brokers that it has not told linkdial of",
        )
        .evidence("brokers", others.join(", "))
        .hint("check again: a broker may have just joined; else something answers by who asks");
    Some(finding.outcome(Verdict::Warn))
}

async fn run(
    probe: &mut Probe,
    walk: &Walk<'_>,
    endpoints: &[Endpoint],
    wanted: &Wanted<'_>,
    stages: &[Stage],
) -> Result<Answer, NotThrough> {
    let not_run = |reason: &str| NotThrough::NotRun(reason.to_owned());
    let settings = probe.settings().clone();
    let Some(first) = endpoints.first() else {
        return Err(not_run("there is nobody to dial"));
    };
    // Others are before us: as long as the check has time for the run itself.
    let patience = probe.left().saturating_sub(probe.stage_timeout());
    let place = tokio::select! {
        biased;
        // The step says so.
        () = probe.cancelled() => None,
        place = tokio::time::timeout(patience, client_process::place()) => match place {
            Ok(place) => place,
            Err(_) => return Err(not_run("too many checks run it at once")),
        },
    };
    let limit = probe.stage_timeout().min(probe.left());
    if limit < LEAST {
        return Err(not_run("the deadline is too short for it"));
    }
    let plan = Plan::of(walk, &settings, endpoints, wanted, limit).map_err(not_run)?;
    let asked = walk.asked(first);
    let mut broken = None;
    let work = async {
        let answer = plan.carry_out().await;
        drop(place);
        match answer {
            // A shortage of this machine, such as of processes.
            Ok(answer) if answer.lacks_threads() => {
                broken = Some("this machine lets it start no thread".to_owned());
                Ok(None)
            }
            Ok(answer) => judge(&asked, answer).map(Some),
            Err(error) => {
                broken = Some(format!("its process: {error}"));
                Ok(None)
            }
        }
    };
    let answer = probe.step_within(first, stages, limit, work).await;
    let Some(answer) = answer.map_err(NotThrough::Halted)? else {
        // A program that does not run is no fault of the link's, and no proof.
        let walked = stages.iter().filter(|stage| probe.walks(**stage)).count();
        for _ in 0..walked {
            probe.take_back();
        }
        return Err(NotThrough::NotRun(broken.unwrap_or_default()));
    };
    probe.note("client", format!("librdkafka {}", answer.version));
    Ok(answer)
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
        wanted: &Wanted<'_>,
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
            return Err("it would not go by --proxy, --resolve, --dns-server or --only-net");
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
            Some(Login::Kerberos(kerberos)) => kerberos.environment.variables()?,
            Some(Login::ByClient(by)) => by.environment.variables()?,
            _ => Vec::new(),
        };
        let mut ports = wanted.ports.clone();
        ports.extend(endpoints.iter().map(|it| it.port));
        ports.extend(match walk.login {
            Some(Login::Kerberos(kerberos)) => kerberos.environment.ports(),
            Some(Login::ByClient(by)) => by.environment.ports(),
            _ => &[],
        });
        let addresses = endpoints.iter().map(Endpoint::to_string);
        let limit = limit.saturating_sub(limit / MARGIN);
        let fixed = [
            ("bootstrap.servers", addresses.collect::<Vec<_>>().join(",")),
            // It goes to the brokers of the order alone then, as long as one of them answers.
            ("enable.sparse.connections", "true".to_owned()),
            // It waits for half of this before it connects at all; 11 ms is the least.
            ("reconnect.backoff.ms", "20".to_owned()),
            ("reconnect.backoff.max.ms", "1000".to_owned()),
            // It would send a report at its end where the cluster asks for such.
            ("enable.metrics.push", "false".to_owned()),
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
                topic: wanted.topic.map(str::to_owned),
                brokers: wanted.brokers,
                ports,
                limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            },
        })
    }
}

impl Plan<'_> {
    /// One order, one process, one answer.
    async fn carry_out(&self) -> io::Result<Answer> {
        let mut process = ClientProcess::start(self.program, CLIENT, &self.environment)?;
        let answer = process.ask(&self.order).await?;
        process.end().await?;
        Ok(answer)
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

/// What MIT's library says inside of librdkafka's error (krb5's `krb5_err.et` and `k5e1_err.et`).
const KERBEROS: [(&str, Code); 10] = [
    ("Cannot contact any KDC", Code::AuthenticateKdcUnreachable),
    ("Cannot find KDC", Code::AuthenticateRealmUnknown),
    ("Clock skew too great", Code::AuthenticateClockSkew),
    ("Client '", Code::AuthenticatePrincipalUnknown),
    ("Client not found", Code::AuthenticatePrincipalUnknown),
    (
        "Decrypt integrity check failed",
        Code::AuthenticateKeytabStale,
    ),
    ("Preauthentication failed", Code::AuthenticateKeytabStale),
    ("encryption type", Code::AuthenticateEncryptionType),
    ("Server not found", Code::AuthenticateServiceUnknown),
    (
        "not found in Kerberos database",
        Code::AuthenticateServiceUnknown,
    ),
];

/// Returns what kind of refused login an error tells of.
fn in_words(text: &str) -> Code {
    let known = KERBEROS.iter().find(|(words, _)| text.contains(words));
    known.map_or(Code::AuthenticateBadCredentials, |(_, code)| *code)
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
    let words = decided.map_or("", |(_, text)| text.as_str());
    let code = match code.as_str() {
        "Authentication" => in_words(words),
        "SSL" if words.contains("certificate verify failed") => Code::TlsUnknownIssuer,
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
    let finding = asked
        .finding(
            code,
            "does not let librdkafka in, the client of the cluster",
        )
        .evidence("client", format!("librdkafka {}", answer.version))
        .evidence("error", shown.join("; "))
        .evidence("log", log.join("; "))
        .hint("the cluster's own client will fail in the same way: its error says what it misses");
    let key = match code {
        Code::AuthenticateKeytabStale | Code::AuthenticateEncryptionType => Some(KEYTAB),
        Code::AuthenticatePrincipalUnknown => Some(PRINCIPAL),
        Code::AuthenticateServiceUnknown => Some(SERVICE),
        // It takes a folder with hashed names, a file, or text.
        Code::TlsUnknownIssuer => Some(CA_FILE),
        _ => None,
    };
    match key {
        Some(key) => finding.key(asked.config.place(key)),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As librdkafka 2.12.1 and MIT Kerberos 1.20 put it.
    #[test]
    fn words_of_kerberos_are_told_apart() {
        for (words, code) in [
            (
                "(Cannot contact any KDC for realm 'LAB.TEST')",
                Code::AuthenticateKdcUnreachable,
            ),
            (
                "(Cannot find KDC for realm \"LAB.TEST\")",
                Code::AuthenticateRealmUnknown,
            ),
            (
                "(Client 'ghost@LAB.TEST' not found in Kerberos database)",
                Code::AuthenticatePrincipalUnknown,
            ),
            (
                "(Server kafkaa/localhost@LAB.TEST not found in Kerberos database)",
                Code::AuthenticateServiceUnknown,
            ),
            (
                "(Decrypt integrity check failed)",
                Code::AuthenticateKeytabStale,
            ),
            (
                "(KDC has no support for encryption type)",
                Code::AuthenticateEncryptionType,
            ),
            (
                "Authentication failed: Invalid username or password",
                Code::AuthenticateBadCredentials,
            ),
        ] {
            assert_eq!(in_words(words), code, "{words}");
        }
    }
}
