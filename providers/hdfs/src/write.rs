//! The right to write, proved without a trace; and the sentinel, where that is asked for.

use bytes::Bytes;
use linkdial_core::store::{self, Deleted, Object, Put, SENTINEL, Store, Written};
use linkdial_core::{Code, Diagnosis, Halt, Probe, Stage, shell_word};

use crate::client::{Answer, Failure, Kind, Question};
use crate::config::Config;
use crate::datanode::judge_level;
use crate::error::Asked;
use crate::namenode::Session;

/// Proves the right to write to a folder: by a sentinel where the caller allows it, else by a file in a
/// folder that is not there. The `NameNode` looks at the right before it looks for the folder.
///
/// # Errors
///
/// When there is no such right; the record says why.
pub(crate) async fn write(
    probe: &mut Probe,
    config: &Config,
    session: &Session,
    folder: &str,
) -> Result<(), Halt> {
    let prefix = format!("{}/", folder.trim_end_matches('/'));
    // A file has a folder around it.
    let there = session.looked.is_some();
    // Where it is written to is the NameNode's choice, which the client dials by itself.
    let free = probe.settings().net.is_the_systems();
    if probe.may_write() && there && free {
        let store = Files { config, session };
        return Box::pin(store::write(probe, &session.endpoint, &store, &prefix)).await;
    }
    let asked = Asked {
        endpoint: &session.endpoint,
        config,
        stage: Stage::Write,
        call: "create",
        path: folder,
    };
    let path = format!("{prefix}.linkdial-{:016x}/x", store::random());
    let mut left = false;
    let work = async {
        let question = Question::ProveWrite { path: path.clone() };
        match session.client.ask(question).await? {
            Ok(Answer::Left) => {
                left = true;
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(failure) if is_allowed(&failure) => Ok(()),
            Err(failure) => Err(asked.explain(&failure)),
        }
    };
    let proved = probe.step(&session.endpoint, &[Stage::Write], work).await;
    // An answer that came too late may have made it all the same.
    let unknown = proved.is_err() && !matches!(probe.last_code(), Some(Code::WriteDenied));
    if left || unknown {
        let files = Files { config, session };
        if let Err(reason) = probe.cleanup(files.delete(&path, None)).await
            && (left || reason.code == Code::AccessTimedOut)
        {
            let finding = Diagnosis::new(
                Code::WriteLeftover,
                format!("`{path}` may be there, and could not be deleted"),
            )
            .evidence("resource", &path)
            .evidence("reason", &reason.message)
            .hint(files.leftover_hint(&path, None));
            probe.finding(Some(&session.endpoint), finding);
        }
    }
    proved?;
    probe.note(
        "proof",
        "the NameNode would let the user make a file; nothing was written",
    );
    probe.note("unproven", "no DataNode was asked to take a block");
    if probe.may_write() {
        let reason = if there {
            "no sentinel was written: the client would not go by --resolve, --dns-server or --only-net"
        } else {
            "no sentinel was written: the folder is not there yet"
        };
        probe.note("unproven", reason);
    }
    Ok(())
}

/// The right was looked at, and then the folder was missing.
fn is_allowed(failure: &Failure) -> bool {
    failure.kind == Kind::Exception && failure.class.ends_with("FileNotFoundException")
}

/// The files of a session, one by one.
struct Files<'a> {
    config: &'a Config,
    session: &'a Session,
}

impl Files<'_> {
    fn asked<'b>(&'b self, call: &'static str, path: &'b str) -> Asked<'b> {
        Asked {
            endpoint: &self.session.endpoint,
            config: self.config,
            stage: Stage::Write,
            call,
            path,
        }
    }
}

impl Store for Files<'_> {
    type Answer = ();

    fn resource(&self, key: &str) -> String {
        key.to_owned()
    }

    async fn read(&self, _object: &Object) -> Result<(), Diagnosis> {
        // Blocks are read from where the ladder has been.
        Ok(())
    }

    async fn put(&self, key: &str) -> Put {
        let question = Question::Put {
            path: key.to_owned(),
            text: String::from_utf8_lossy(SENTINEL).into_owned(),
        };
        match self.session.client.ask(question).await {
            Ok(Ok(Answer::Written(challenge))) => {
                let asked = self.asked("writeBlock", key);
                let finding = challenge.and_then(|it| judge_level(&asked, &it));
                Put::Written(Written::default(), finding)
            }
            Ok(Ok(_)) => Put::Unanswered(self.asked("create", key).explain(&Failure::foreign())),
            Ok(Err(failure)) => {
                let diagnosis = self.asked("create", key).explain(&failure);
                // An answer to the call that makes it, and what is refused is not there.
                if !failure.made && matches!(failure.kind, Kind::Exception | Kind::Fatal) {
                    Put::Refused(diagnosis)
                } else {
                    Put::Unanswered(diagnosis)
                }
            }
            Err(diagnosis) => Put::Unanswered(diagnosis),
        }
    }

    async fn fetch(&self, key: &str) -> Result<Bytes, Diagnosis> {
        let question = Question::Fetch {
            path: key.to_owned(),
            // One byte more than was written shows whether there is one.
            most: SENTINEL.len() + 1,
        };
        match self.session.client.ask(question).await? {
            Ok(Answer::Text(text)) => Ok(Bytes::from(text)),
            Ok(_) => Err(self.asked("readBlock", key).explain(&Failure::foreign())),
            Err(failure) => Err(self.asked("readBlock", key).explain(&failure)),
        }
    }

    async fn delete(&self, key: &str, _written: Option<&Written>) -> Result<Deleted, Diagnosis> {
        let question = || Question::Delete {
            path: key.to_owned(),
        };
        let answer = match self.session.client.ask(question()).await {
            Ok(answer) => answer,
            // The client has ended, and what it wrote has not.
            Err(_) => self.session.another().await?.ask(question()).await?,
        };
        match answer {
            Ok(Answer::Deleted(true)) => Ok(Deleted::Gone(Vec::new())),
            Ok(Answer::Deleted(false)) => Ok(Deleted::Absent),
            Ok(_) => Err(self.asked("delete", key).explain(&Failure::foreign())),
            Err(failure) => Err(self.asked("delete", key).explain(&failure)),
        }
    }

    fn leftover_hint(&self, resource: &str, _written: Option<&Written>) -> String {
        format!(
            "delete it by hand: `hdfs dfs -rm -skipTrash {}`",
            shell_word(resource)
        )
    }
}
