//! The walk through the stages.

use std::sync::Arc;

use linkdial_core::{
    Change, Clauses, Code, Diagnosis, Endpoint, Halt, Key, Kind, Probe, Provider, Stage, Target,
    Wrong, with_scheme,
};
use reqwest::Method;

use crate::config::{Address, Config, KEYS};
use crate::error::{self, Asked};
use crate::wire::{Answer, Client};

/// The provider of HTTP links.
#[derive(Debug)]
pub struct Http {
    config: Config,
    /// Whether the credential is wrong on purpose: one request decides then.
    wrong: bool,
}

impl Provider for Http {
    const KIND: Kind = Kind::Http;
    const KEYS: &'static [Key] = KEYS;

    fn define(clauses: &mut Clauses<'_>) -> Option<Self> {
        let config = Config::read(clauses);
        Some(Self {
            config,
            wrong: false,
        })
    }

    fn endpoint(&self, target: Option<&Target>) -> Option<Endpoint> {
        let address = Address::parse(target?.as_str()).ok()?;
        Some(address.endpoint)
    }

    async fn probe(&self, probe: &mut Probe) -> Result<(), Halt> {
        let address = match probe.target().map(|target| Address::parse(target.as_str())) {
            None => return Err(probe.halt(None, no_target())),
            Some(Err(finding)) => return Err(probe.halt(None, finding)),
            Some(Ok(address)) => address,
        };
        let endpoint = &address.endpoint;
        let reached = match probe.reach(endpoint, address.tls()).await {
            Ok(reached) => reached,
            Err(halt) => {
                self.repair_scheme(probe);
                return Err(halt);
            }
        };

        let settings = Arc::clone(probe.settings());
        let client = Client::new(&settings, &address, &self.config, reached)
            .map_err(|finding| probe.halt(Some(endpoint), finding))?;
        let client = if self.wrong {
            client.on_the_ladder()
        } else {
            client
        };
        let asked = Asked {
            endpoint,
            url: &address.url,
            config: &self.config,
            stream: client.stream(),
        };
        let format = probe
            .target()
            .and_then(|target| target.format().map(str::to_owned));
        let proof = async {
            let (post_empty, format) = (settings.post_empty, format.as_deref());
            if self.wrong {
                ask_once(&client, &asked, post_empty, format).await
            } else {
                examine(&client, &asked, post_empty, format).await
            }
        };
        let answer = probe
            .step(endpoint, &[Stage::Authenticate, Stage::Access], proof)
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(halt) => {
                self.repair_scheme(probe);
                return Err(halt);
            }
        };
        probe.note("method", &answer.method);
        probe.note("status", answer.status);
        probe.note("content_type", answer.header("content-type"));
        Ok(())
    }

    fn with_wrong_secret(&self) -> Wrong<Self> {
        match self.config.with_wrong_credential() {
            None => Wrong::Nothing("the link sends nothing that says who it is"),
            Some(wrong) => wrong.map(|config| Self {
                config,
                wrong: true,
            }),
        }
    }
}

/// Asks with the method that decided, or would have, about the right credential.
async fn ask_once(
    client: &Client,
    asked: &Asked<'_>,
    post_empty: bool,
    format: Option<&str>,
) -> Result<Answer, Diagnosis> {
    let answer = if post_empty {
        client.post_empty(format).await?
    } else {
        client.ask(Method::GET).await?
    };
    error::judge(&answer, asked).map_or(Ok(answer), Err)
}

impl Http {
    /// Adds the URL that the other side wants, where host and path stay as they are.
    fn repair_scheme(&self, probe: &mut Probe) {
        let Some(target) = probe.target().map(|it| it.as_str().to_owned()) else {
            return;
        };
        let repaired = match probe.last_code() {
            Some(Code::ConnectReset | Code::TlsRequired)
                if !target.trim_start().starts_with("https") =>
            {
                with_scheme(&target, "https", None)
            }
            // Headers and parameters travel as they are, and anyone on the way may say that there is no
            // TLS: it is taken away near by alone, from a link that shows nothing.
            Some(Code::TlsNotTls)
                if self.config.headers.is_empty()
                    && probe.is_near()
                    && probe.target().is_some_and(|it| it.secrets().is_empty()) =>
            {
                with_scheme(&target, "http", None)
            }
            _ => None,
        };
        if let Some(repaired) = repaired {
            probe.amend(|finding| finding.repair(Change::Target(repaired)));
        }
    }
}

/// Asks as little as decides: the answer that proves the link, or the finding that one tells.
async fn examine(
    client: &Client,
    asked: &Asked<'_>,
    post_empty: bool,
    format: Option<&str>,
) -> Result<Answer, Diagnosis> {
    client.options().await?;
    let mut answer = client.ask(Method::HEAD).await?;
    if !decides(answer.status) {
        answer = client.ask(Method::GET).await?;
    }
    let mut finding = error::judge(&answer, asked);
    let post_decides = finding.as_ref().is_none_or(|finding| {
        matches!(
            finding.code,
            Code::AccessMethodRefused | Code::AccessNotFound
        )
    });
    if post_empty && post_decides {
        answer = client.post_empty(format).await?;
        finding = error::judge(&answer, asked);
    }
    finding.map_or(Ok(answer), Err)
}

/// A refusal is not asked for twice: an account may be locked, a limit counts every request. All
/// else is asked again with `GET`, which services implement with more care, and with a reason.
const fn decides(status: u16) -> bool {
    matches!(status, 300..=399 | 401 | 403 | 407 | 429 | 503)
}

fn no_target() -> Diagnosis {
    Diagnosis::new(
        Code::DefineNoTarget,
        "the link holds no URL, and no external function uses it",
    )
    .hint("name one with --target 'LINK=URL', or add the CREATE EXTERNAL FUNCTION to the script")
}
