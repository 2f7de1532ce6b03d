//! What a provider must not touch: files and sockets in `define`, refused addresses, other
//! people's data.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::code::Code;
use crate::diagnosis::Outcome;
use crate::net::{Net, Proxy};
use crate::probe::Step;
use crate::provider::{Driver, verdict};
use crate::settings::Settings;
use crate::stage::Stage;
use crate::target::Intent;
use crate::trail::Trail;

use super::relay::Relay;
use super::server::{Reply, Server, answer};
use super::{
    Fixture, SECRET, STAGE_TIMEOUT, Verdict, WriteFixture, brief, dial_blocking, ensure,
    expect_code, runtime, settings,
};

/// No socket, no read of a file, and the same findings each time. It runs outside of any runtime,
/// where a tokio socket panics.
pub(super) fn define_is_pure(driver: &Driver, fixture: &Fixture) -> Verdict {
    let server = Server::silent();
    let mut definitions = (fixture.faulty)();
    definitions.push((fixture.link)(&server.base(), SECRET).definition);
    for definition in &definitions {
        let open = || driver.open(definition).findings;
        let before = reads();
        let first = catch_unwind(AssertUnwindSafe(open));
        let after = reads();
        let first = first.map_err(|_| "`define` panicked outside of a runtime".to_owned())?;
        ensure(first == open(), || {
            "two readings found different things".to_owned()
        })?;
        if let (Some(before), Some(after)) = (before, after) {
            // The first count itself is read by the calls that the second one sees.
            let own = reads().zip(reads()).map_or(0, |(one, two)| two - one);
            ensure(after - before <= own, || {
                "`define` read from a file or socket".to_owned()
            })?;
        }
    }
    ensure(server.connections() == 0, || {
        "`define` connected to the server".to_owned()
    })
}

/// How many calls of this thread have read from a file or socket; Linux alone counts them.
fn reads() -> Option<u64> {
    let counts = fs::read_to_string("/proc/thread-self/io").ok()?;
    let line = counts.lines().find(|line| line.starts_with("syscr:"))?;
    line.split(' ').nth(1)?.parse().ok()
}

/// Each finding has a place that the clause can find, or names a key that is not there.
pub(super) fn define_names_its_keys(driver: &Driver, fixture: &Fixture) -> Verdict {
    let faulty = (fixture.faulty)();
    ensure(!faulty.is_empty(), || {
        "the fixture has no faulty link".to_owned()
    })?;
    for definition in &faulty {
        let opened = driver.open(definition);
        ensure(!opened.findings.is_empty(), || {
            "a faulty link of the fixture has no finding".to_owned()
        })?;
        for finding in &opened.findings {
            let code = finding.code;
            ensure(!finding.keys.is_empty(), || format!("{code} names no key"))?;
            ensure(finding.hint.is_some(), || format!("{code} has no hint"))?;
            for place in &finding.keys {
                let clause = match place.clause {
                    crate::clause::ClauseName::Config => &definition.config,
                    crate::clause::ClauseName::Credentials => &definition.credentials,
                };
                let found = clause.locate(place).is_some();
                let pointer = &place.pointer;
                let names_a_key = pointer.len() > 1 && pointer.starts_with('/');
                let missing = matches!(
                    code,
                    Code::DefineMissingKey
                        | Code::DefineConflictingKeys
                        | Code::DefineSseCustomerKey
                        | Code::DefineTemporaryKeyWithoutToken
                );
                ensure(found || (missing && names_a_key), || {
                    format!(
                        "{code} points at `{pointer}`, which is not in {}",
                        place.clause
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Three ways to a refused address; none lets a packet out. Then the pinned way: the name exists
/// nowhere but in `--resolve`, so whoever asks for it again does not arrive.
pub(super) fn no_packet_before_the_policy(driver: &Driver, fixture: &Fixture) -> Verdict {
    let server = Server::silent();
    let port = server.address().port();
    let with = |net: Net| Settings { net, ..settings() };
    let elsewhere = || Net::builder().only("10.0.0.0/8".parse().expect("a network"));
    let loopback = server.address().ip();
    let metadata = "169.254.169.254";
    let named = format!("http://policy.linkdial.test:{port}");
    let refused = [
        (format!("http://{metadata}:{port}"), Net::default()),
        (
            named.clone(),
            Net::builder()
                .resolve(
                    "policy.linkdial.test",
                    metadata.parse().expect("an address"),
                )
                .build(),
        ),
        (server.base(), elsewhere().build()),
        (
            named.clone(),
            elsewhere()
                .resolve("policy.linkdial.test", loopback)
                .build(),
        ),
    ];
    for (base, net) in refused {
        let link = (fixture.link)(&base, SECRET);
        let started = Instant::now();
        let steps = dial_blocking(driver, &link, with(net), Intent::READ);
        let wanted = |code| code == Code::ResolveAddressRefused;
        expect_code(
            &steps,
            wanted,
            &format!("resolve.address-refused for {base}"),
        )?;
        ensure(started.elapsed() < STAGE_TIMEOUT, || {
            format!("{base} was refused late")
        })?;
    }
    ensure(server.connections() == 0, || {
        format!(
            "{} connections reached a refused address",
            server.connections()
        )
    })?;

    let pinned = Server::start(|_| Reply::Bytes(answer("200 OK", "", "{}")));
    let base = format!("http://policy.linkdial.test:{}", pinned.address().port());
    let net = Net::builder()
        .resolve("policy.linkdial.test", loopback)
        .build();
    let link = (fixture.link)(&base, SECRET);
    let steps = dial_blocking(driver, &link, with(net), Intent::READ);
    let lost = steps
        .iter()
        .filter_map(|step| step.diagnosis.as_ref())
        .any(|it| {
            it.code.as_str().starts_with("resolve.") || it.code.as_str().starts_with("connect.")
        });
    ensure(!lost && !pinned.requests().is_empty(), || {
        format!(
            "the client did not use the address of --resolve: {}",
            brief(&steps)
        )
    })
}

/// Whatever the statement's intent: no `--write`, no change.
pub(super) fn nothing_written_unasked(driver: &Driver, fixture: &Fixture) -> Verdict {
    for status in [
        "200 OK",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
    ] {
        let server = Server::start(move |_| Reply::Bytes(answer(status, "", "")));
        let link = (fixture.link)(&server.base(), SECRET);
        let both = Intent::READ.and(Intent::WRITE);
        let steps = dial_blocking(driver, &link, settings(), both);
        let requests = server.requests();
        ensure(!requests.is_empty(), || {
            format!("no request was sent: {}", brief(&steps))
        })?;
        if let Some(request) = requests.iter().find(|request| (fixture.writes)(request)) {
            return Err(format!(
                "sent {} {} without --write",
                request.method, request.target
            ));
        }
    }
    Ok(())
}

/// With `--write` the stage is walked, passes and leaves nothing; so does a check cut short.
pub(super) fn nothing_left_after_a_write(driver: &Driver, fixture: &Fixture) -> Verdict {
    let Some(write) = &fixture.write else {
        return Ok(());
    };
    let settings = || Settings {
        write: true,
        ..(write.settings)()
    };
    let steps = dial_blocking(driver, &write.link, settings(), Intent::WRITE);
    let walked = steps
        .iter()
        .any(|step| step.stage == Stage::Write && step.outcome == Outcome::Pass);
    ensure(walked && verdict(&steps) <= Outcome::Warn, || {
        format!("the write stage did not pass: {}", brief(&steps))
    })?;
    let left = (write.leftovers)();
    ensure(left.is_empty(), || {
        format!("left behind: {}", left.join(", "))
    })?;
    let denied = Settings {
        write: false,
        ..settings()
    };
    let steps = dial_blocking(driver, &write.link, denied, Intent::WRITE);
    ensure((write.leftovers)().is_empty() && steps.len() > 1, || {
        format!("wrote without --write: {}", brief(&steps))
    })?;
    let steps = cut_short(driver, write, &settings())?;
    let left = (write.leftovers)();
    ensure(left.is_empty(), || {
        format!(
            "left behind by a check that was stopped: {} ({})",
            left.join(", "),
            brief(&steps)
        )
    })
}

/// Stops a check after its write, at a server that is slow to delete. A server that speaks TLS
/// hides its requests: there the check runs to its end.
fn cut_short(
    driver: &Driver,
    write: &WriteFixture,
    settings: &Settings,
) -> Result<Vec<Step>, String> {
    let relay = Relay::start();
    let proxy = Proxy::parse(&relay.url()).map_err(|error| error.to_string())?;
    let settings = Arc::new(Settings {
        net: settings.net.through(proxy),
        ..Settings::clone(settings)
    });
    let link = &write.link;
    let opened = driver.open(&link.definition);
    let cancel = CancellationToken::new();
    let trail = Trail::default();
    std::thread::scope(|threads| {
        let check = threads.spawn(|| {
            runtime().block_on(opened.check_on(
                &trail,
                &settings,
                &cancel,
                link.target.clone(),
                Intent::WRITE,
            ));
        });
        let step = Duration::from_millis(20);
        while relay.holds(step) == Err(RecvTimeoutError::Timeout) && !check.is_finished() {}
        cancel.cancel();
        check.join().map_err(|_| "the check panicked".to_owned())
    })?;
    Ok(trail.steps())
}
