//! What a provider does when a wrong secret is tried: one attempt, and nothing else.

use crate::code::Code;
use crate::diagnosis::Outcome;
use crate::probe::Step;
use crate::provider::Driver;
use crate::settings::Settings;
use crate::stage::Stage;
use crate::target::Intent;

use super::server::{Reply, Server, answer};
use super::{Fixture, Request, SECRET, Verdict, brief, dial_blocking, ensure, settings};

/// One request more where the link has logged in, with another secret, and none where it has not. At
/// a real server it says what came of it, once, and leaves nothing.
pub(super) fn one_wrong_attempt(driver: &Driver, fixture: &Fixture) -> Verdict {
    for status in ["200 OK", "401 Unauthorized", "403 Forbidden"] {
        let dial = |prove| -> (Vec<Step>, Vec<Request>) {
            let server = Server::start(move |_| Reply::Bytes(answer(status, "", "")));
            let link = (fixture.link)(&server.base(), SECRET);
            let settings = Settings {
                prove,
                ..settings()
            };
            let both = Intent::READ.and(Intent::WRITE);
            let steps = dial_blocking(driver, &link, settings, both);
            (steps, server.requests())
        };
        let (plain, before) = dial(false);
        let (proved, after) = dial(true);
        let is_login =
            |step: &Step| step.stage == Stage::Authenticate && step.outcome == Outcome::Pass;
        let wanted = before.len() + usize::from(plain.iter().any(is_login));
        ensure(after.len() == wanted, || {
            format!(
                "sent {} requests with --prove and {} without, at a server that answers {status}: {}",
                after.len(),
                before.len(),
                brief(&proved)
            )
        })?;
        for request in after.iter().skip(before.len()) {
            ensure(!request.head.contains(SECRET), || {
                "tried the right secret in the place of a wrong one".to_owned()
            })?;
        }
        if let Some(request) = after.iter().find(|request| (fixture.writes)(request)) {
            return Err(format!("sent {} with --prove", request.method));
        }
    }
    let Some(write) = &fixture.write else {
        return Ok(());
    };
    let settings = Settings {
        prove: true,
        write: true,
        ..(write.settings)()
    };
    let steps = dial_blocking(driver, &write.link, settings, Intent::WRITE);
    let notes = steps.iter().flat_map(|step| &step.notes);
    let told =
        notes.filter(|(name, text)| *name == "wrong_secret" || text.contains("wrong secret"));
    let found = steps.iter().filter_map(|step| step.diagnosis.as_ref());
    let found = found.filter(|finding| finding.code == Code::AuthenticateNotEnforced);
    let count = told.count() + found.count();
    ensure(count == 1, || {
        format!("said {count} times what came of it: {}", brief(&steps))
    })?;
    let left = (write.leftovers)();
    ensure(left.is_empty(), || {
        format!("left behind: {}", left.join(", "))
    })
}
