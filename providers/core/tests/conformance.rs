//! Providers broken on purpose: each breaks one promise, and the suite says which.
#![expect(
    clippy::disallowed_methods,
    reason = "these providers do what no provider may"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that can not set itself up has failed"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linkdial_core::net::HttpClient;
use linkdial_core::testing::{self, Fixture, Link, WriteFixture};
use linkdial_core::{
    ClauseName, Clauses, Code, Diagnosis, Driver, Endpoint, Halt, Key, KeyPlace, Kind, Probe,
    Provider, Role, Secret, Settings, Shape, Stage, Target, Wrong,
};
use linkdial_testcontainers::{Answer, Match, ScriptedHttp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const HONEST: u8 = 0;
const DEFINE_READS_A_FILE: u8 = 1;
const DEFINE_CHANGES_ITS_MIND: u8 = 2;
const NAMES_NO_KEY: u8 = 3;
const READS_THE_ENVIRONMENT: u8 = 4;
const DIALS_FIRST: u8 = 5;
const WAITS_WITHOUT_DEADLINE: u8 = 6;
const TRIES_AGAIN: u8 = 7;
const DEAF_TO_CANCELLATION: u8 = 8;
const SHOWS_A_PIECE: u8 = 9;
const LOGS: u8 = 10;
const POSTS: u8 = 11;
const LEAVES_ITS_SENTINEL: u8 = 12;
const HOARDS: u8 = 13;
const FORGETS_THE_ADDRESS: u8 = 14;
const STOPS_BEFORE_IT_CLEANS: u8 = 15;
const PROVES_TWICE: u8 = 16;
const PROVES_WITH_THE_RIGHT_SECRET: u8 = 17;

/// A small provider that keeps every promise but one.
#[derive(Debug)]
struct Small<const FAULT: u8> {
    token: Secret,
    wrong: bool,
}

static READINGS: AtomicUsize = AtomicUsize::new(0);

impl<const FAULT: u8> Provider for Small<FAULT> {
    const KIND: Kind = Kind::Http;
    const KEYS: &'static [Key] = &[Key::credential("token", Shape::Text).secret()];

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        if FAULT == DEFINE_READS_A_FILE {
            let read = std::fs::read("/proc/self/status");
            assert!(read.is_ok());
        }
        let reading = READINGS.fetch_add(1, Ordering::SeqCst);
        if clauses.has("wrong") || clauses.secret("token").is_none() {
            if FAULT == NAMES_NO_KEY {
                clauses.add(Diagnosis::new(Code::DefineMissingKey, "no token").hint("add it"));
            } else {
                clauses.missing("token", "the link has no token", "add it");
            }
        }
        if FAULT == DEFINE_CHANGES_ITS_MIND && reading % 2 == 1 {
            clauses.add(
                Diagnosis::new(Code::DefineUnknownKey, "odd")
                    .key(KeyPlace::key(ClauseName::Credentials, "token")),
            );
        }
        let token = clauses.secret("token")?;
        Some(Self {
            token,
            wrong: false,
        })
    }

    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        let (_, place) = target?.as_str().split_once("://")?;
        let (host, port) = place.split('/').next()?.rsplit_once(':')?;
        Some(Endpoint::new(Role::Endpoint, host, port.parse().ok()?))
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        let key = KeyPlace::key(ClauseName::Credentials, "token");
        let token = if FAULT == PROVES_WITH_THE_RIGHT_SECRET {
            Some(self.token.clone())
        } else {
            self.token.changed()
        };
        Wrong::of(token, key, |token| Self { token, wrong: true })
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let target = probe.target().cloned().unwrap();
        let endpoint = Provider::endpoint(self, Some(&target)).unwrap();
        let tls = target.as_str().starts_with("https");
        if FAULT == READS_THE_ENVIRONMENT
            && let Ok(proxy) = std::env::var("HTTP_PROXY")
        {
            let place = proxy.rsplit('@').next().unwrap();
            drop(tokio::net::TcpStream::connect(place).await);
        }
        if FAULT == DIALS_FIRST {
            drop(tokio::net::TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await);
        }
        if FAULT == TRIES_AGAIN {
            for _ in 0..4 {
                drop(tokio::net::TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let reached = probe.reach(&endpoint, tls.then(Default::default)).await?;
        if FAULT == FORGETS_THE_ADDRESS {
            // Stands for a client that resolves the name itself; a real one would send packets.
            if endpoint.host.parse::<std::net::IpAddr>().is_err() {
                return Err(probe.halt(None, Diagnosis::new(Code::ResolveNotFound, "again")));
            }
        }
        if FAULT == HOARDS {
            let mut stream = reached.dialled;
            let mut held = vec![0; 1 << 16];
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            while held.len() < 32 << 20 && stream.read_buf(&mut held).await.unwrap_or(0) > 0 {}
            return Err(probe.halt(None, Diagnosis::new(Code::AccessNotThisService, "long")));
        }
        let client = HttpClient::new(reached.dialled, reached.dialler);
        if FAULT == LOGS {
            tracing::info!(target: "linkdial_broken", token = self.token.expose(), "asking");
        }
        let method = if FAULT == POSTS { "POST" } else { "GET" };
        let work = async {
            if FAULT == PROVES_TWICE && self.wrong {
                self.ask(&client, method).await?;
            }
            self.ask(&client, method).await
        };
        if matches!(FAULT, WAITS_WITHOUT_DEADLINE | DEAF_TO_CANCELLATION) {
            let answer = tokio::time::timeout(Duration::from_secs(2), work).await;
            let silent = Diagnosis::new(Code::AccessTimedOut, "silent");
            return match answer.unwrap_or(Err(silent)) {
                Ok(()) => Ok(()),
                Err(finding) => Err(probe.halt(Some(&endpoint), finding)),
            };
        }
        probe
            .step(&endpoint, &[Stage::Authenticate, Stage::Access], work)
            .await?;
        if probe.may_write() {
            let write = async {
                self.ask(&client, "PUT").await?;
                self.ask(&client, "GET").await?;
                if FAULT == STOPS_BEFORE_IT_CLEANS {
                    self.ask(&client, "DELETE").await?;
                }
                Ok(())
            };
            let walked = probe.step(&endpoint, &[Stage::Write], write).await;
            if !matches!(FAULT, LEAVES_ITS_SENTINEL | STOPS_BEFORE_IT_CLEANS)
                && let Err(left) = probe.cleanup(self.ask(&client, "DELETE")).await
            {
                probe.finding(Some(&endpoint), left);
            }
            walked?;
        }
        Ok(())
    }
}

impl<const FAULT: u8> Small<FAULT> {
    async fn ask(&self, client: &HttpClient<String>, method: &str) -> Result<(), Diagnosis> {
        let request = http::Request::builder()
            .method(method)
            .uri("/")
            .header("host", "small")
            .header("authorization", self.token.expose());
        let response = client.send(request.body(String::new()).unwrap()).await?;
        let status = response.status().as_u16();
        let body = response.into_body().read().await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if status == 200 {
            return Ok(());
        }
        let shown = match FAULT {
            // Cut on both sides before the redactor could know it.
            SHOWS_A_PIECE => format!("{}...", &self.token.expose()[4..15]),
            _ => text,
        };
        Err(Diagnosis::new(Code::AccessDenied, "denied").evidence("answer", shown))
    }
}

fn link(base: &str, secret: &str) -> Link {
    Link {
        definition: testing::definition(Kind::Http, "", &format!(r#"{{"token": "{secret}"}}"#)),
        target: Some(Target::new(format!("{base}/"))),
    }
}

fn fixture(test: &'static str) -> Fixture {
    Fixture {
        test,
        link,
        faulty: || vec![testing::definition(Kind::Http, "", r#"{"tokn": "x"}"#)],
        writes: |request| request.method != "GET",
        write: None,
    }
}

/// A store that remembers one object.
fn with_store(test: &'static str) -> Fixture {
    let server = Arc::new(
        ScriptedHttp::script()
            .on(Match::any(), [Answer::status(200)])
            .start(),
    );
    let known = Mutex::new(Arc::clone(&server));
    Fixture {
        write: Some(WriteFixture {
            link: link(&server.url(), "token"),
            settings: Settings::default,
            leftovers: Box::new(move || {
                let requests = known.lock().unwrap().requests();
                let count = |method: &str| requests.iter().filter(|it| it.method == method).count();
                let left = count("PUT") - count("DELETE");
                vec!["sentinel".to_owned(); left]
            }),
        }),
        ..fixture(test)
    }
}

/// The check fails for the broken provider, and for its reason.
fn bites<const FAULT: u8>(test: &'static str, check: &str, reason: &str) {
    let driver = Driver::of::<Small<FAULT>>();
    if let Some(verdict) = testing::check(check, &driver, &with_store(test)) {
        let said = verdict.expect_err("the check bites");
        assert!(said.contains(reason), "`{check}` fails, but says: {said}");
    }
}

#[test]
fn an_honest_provider_passes() {
    let driver = Driver::of::<Small<HONEST>>();
    testing::conformance(&driver, &with_store("an_honest_provider_passes")).assert();
}

macro_rules! bites {
    ($($test:ident: $fault:ident is found by $check:literal, $reason:literal;)+) => {
        $(#[test]
        fn $test() {
            bites::<$fault>(stringify!($test), $check, $reason);
        })+
    };
}

bites! {
    file: DEFINE_READS_A_FILE is found by "define is pure", "read from a file";
    mind: DEFINE_CHANGES_ITS_MIND is found by "define is pure", "found different things";
    pointer: NAMES_NO_KEY is found by "define names its keys", "names no key";
    environment: READS_THE_ENVIRONMENT is found by "no environment is read", "decided what was dialled";
    policy: DIALS_FIRST is found by "no packet before the policy", "reached a refused address";
    pinned: FORGETS_THE_ADDRESS is found by "no packet before the policy", "--resolve";
    deadline: WAITS_WITHOUT_DEADLINE is found by "a deadline on every stage", "silence at access took";
    refused: TRIES_AGAIN is found by "refused at once", "a closed port took";
    cancelled: DEAF_TO_CANCELLATION is found by "cancelled promptly", "to stop";
    piece: SHOWS_A_PIECE is found by "no secret in any text", "the record shows";
    log: LOGS is found by "no secret in any text", "a log shows";
    post: POSTS is found by "nothing written unasked", "sent POST / without --write";
    leftover: LEAVES_ITS_SENTINEL is found by "nothing left after a write", "left behind: sentinel";
    stopped: STOPS_BEFORE_IT_CLEANS is found by "nothing left after a write", "a check that was stopped";
    twice: PROVES_TWICE is found by "one wrong attempt", "requests with --prove";
    right: PROVES_WITH_THE_RIGHT_SECRET is found by "one wrong attempt", "tried the right secret";
    memory: HOARDS is found by "bounded memory", "got rid of";
}
