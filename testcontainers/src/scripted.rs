use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ServerTls;
use crate::web::{Answer, Recorded, WebServer};

/// Which requests a list of answers is for; every part that is not given matches.
#[derive(Debug, Clone, Default)]
pub struct Match {
    method: Option<String>,
    path: Option<String>,
    query: Option<String>,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests for exactly this path.
    pub fn path(path: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::default()
        }
    }

    /// Narrows to one method, as `GET`.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Narrows to requests whose query contains this text, as `list-type=2`.
    #[must_use]
    pub fn query(mut self, part: impl Into<String>) -> Self {
        self.query = Some(part.into());
        self
    }

    fn matches(&self, request: &Recorded) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && self.path.as_ref().is_none_or(|path| *path == request.path)
            && self
                .query
                .as_ref()
                .is_none_or(|part| request.query.contains(part))
    }
}

#[derive(Debug)]
struct Rule {
    wanted: Match,
    answers: Vec<Answer>,
    given: AtomicUsize,
}

/// Rules for a [`ScriptedHttp`]; the first rule that matches answers.
#[derive(Debug, Default)]
pub struct Script {
    rules: Vec<Rule>,
}

impl Script {
    /// Answers matching requests with these in turn; the last one repeats.
    ///
    /// # Panics
    ///
    /// When there is no answer in the list.
    #[must_use]
    pub fn on(mut self, wanted: Match, answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a rule needs an answer");
        self.rules.push(Rule {
            wanted,
            answers,
            given: AtomicUsize::new(0),
        });
        self
    }

    /// Starts the server in plain text.
    pub fn start(self) -> ScriptedHttp {
        self.launch(None)
    }

    /// Starts the server with TLS; [`Certificates`](crate::Certificates) makes what it takes.
    pub fn start_tls(self, tls: ServerTls) -> ScriptedHttp {
        self.launch(Some(tls))
    }

    fn launch(self, tls: Option<ServerTls>) -> ScriptedHttp {
        ScriptedHttp(WebServer::start(tls, move |request| self.answer(request)))
    }

    fn answer(&self, request: &Recorded) -> Answer {
        let Some(rule) = self.rules.iter().find(|rule| rule.wanted.matches(request)) else {
            return Answer::status(404).body("no rule of the script matches\n");
        };
        let turn = rule
            .given
            .fetch_add(1, Ordering::SeqCst)
            .min(rule.answers.len() - 1);
        rule.answers[turn].clone()
    }
}

/// An HTTP server inside the process that answers by a script and records what it was asked.
#[derive(Debug)]
pub struct ScriptedHttp(WebServer);

impl ScriptedHttp {
    /// An empty script; a request that no rule matches gets 404.
    pub fn script() -> Script {
        Script::default()
    }

    /// Starts a server in plain text that answers every request with these in turn.
    pub fn always(answers: impl IntoIterator<Item = Answer>) -> Self {
        Script::default().on(Match::any(), answers).start()
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.0.address
    }

    /// The address as a URL without a path.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.requests()
    }
}
