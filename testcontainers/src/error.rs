//! Why a server for tests is not there.

use std::io;
use std::time::Duration;

/// The reason why a server for tests is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, a pipe or a socket failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A backend could not be put into the cache folder.
    #[error("cannot install {what}: {reason}")]
    Install {
        /// The backend, with its version.
        what: String,
        /// What went wrong, with the end of the installer's own words.
        reason: String,
    },
    /// A server did not answer in time, or ended before it did.
    #[error("{server} is not ready after {after:?}: {reason}\n--- the end of its log ---\n{log}")]
    NotReady {
        /// The server's name.
        server: String,
        /// How long it was waited for.
        after: Duration,
        /// The last answer, or the lack of one.
        reason: String,
        /// The last lines that the server wrote.
        log: String,
    },
    /// A variable of the environment has a value that means nothing.
    #[error("{variable}: {reason}")]
    Settings {
        /// The variable.
        variable: &'static str,
        /// Its value, and what it takes.
        reason: String,
    },
    /// A container engine did not do its part.
    #[error("cannot {doing}: {reason}")]
    Container {
        /// What was being done.
        doing: String,
        /// What went wrong, with the engine's own words.
        reason: String,
    },
    /// A server answered a call of its set-up with something else than success.
    #[error("{doing}: {answer}")]
    Refused {
        /// What was being done.
        doing: String,
        /// The answer, shortened.
        answer: String,
    },
}

impl Error {
    /// The code in the XML of a server that refused a call, such as `AccessDenied`, or the reason in
    /// the JSON of Google's, such as `notFound`.
    pub fn remote_code(&self) -> Option<&str> {
        let Self::Refused { answer, .. } = self else {
            return None;
        };
        let between = |begin, end| Some(answer.split_once(begin)?.1.split_once(end)?.0);
        between("<Code>", "</Code>").or_else(|| between("\"reason\":\"", "\""))
    }

    /// Whether a server accepted a call of its set-up and never answered.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::TimedOut)
    }

    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
