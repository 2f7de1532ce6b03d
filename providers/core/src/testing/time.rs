//! How long a check may take, and how much of an answer it may hold.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::code::Code;
use crate::diagnosis::Outcome;
use crate::net::Net;
use crate::provider::{Driver, verdict};
use crate::settings::Settings;
use crate::stage::Stage;
use crate::target::Intent;

use super::server::{Reply, Server, answer};
use super::{
    Fixture, SECRET, SLACK, STAGE_TIMEOUT, Verdict, brief, dial_blocking, ensure, expect_code,
    runtime, settings,
};

/// A closed port on this machine is known within this time; most of it is a debug build's.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Nobody needs more of an answer, in bytes: the bound of the ladder and what sockets buffer.
const MOST: usize = 16 * 1024 * 1024;

/// Silence at each rung ends at the deadline of a stage with the code of that rung.
pub(super) fn a_deadline_on_every_stage(driver: &Driver, fixture: &Fixture) -> Verdict {
    let name_server = UdpSocket::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    let name_server = (
        name_server
            .local_addr()
            .map_err(|error| error.to_string())?,
        name_server,
    );
    let no_names = Net::builder().dns_server(name_server.0).build();
    let full = full_queue()?;
    let silent = Server::silent();
    let drip = Server::start(|_| {
        let bytes = answer("200 OK", "", &"x".repeat(4096));
        Reply::Drip(bytes, Duration::from_millis(20))
    });
    let cases = [
        (
            "http://silent.linkdial.test:80".to_owned(),
            no_names,
            Stage::Resolve,
        ),
        (format!("http://{}", full.0), Net::default(), Stage::Connect),
        (
            format!("https://{}", silent.address()),
            Net::default(),
            Stage::Tls,
        ),
        (silent.base(), Net::default(), Stage::Access),
        (drip.base(), Net::default(), Stage::Access),
    ];
    for (base, net, stage) in cases {
        let link = (fixture.link)(&base, SECRET);
        if stage == Stage::Tls && !knows_tls(fixture, silent.address()) {
            continue;
        }
        let started = Instant::now();
        let steps = dial_blocking(driver, &link, Settings { net, ..settings() }, Intent::READ);
        let elapsed = started.elapsed();
        let wanted = |code: Code| {
            // Who reads no HTTP knows after four slow bytes that this is another service.
            let foreign = base == drip.base() && code == Code::AccessNotThisService;
            if foreign {
                return true;
            }
            let silence = code.as_str().ends_with(".timed-out");
            let later = matches!(
                code.stage(),
                Some(Stage::Authenticate | Stage::Access | Stage::Read)
            );
            silence && (code.stage() == Some(stage) || (stage == Stage::Access && later))
        };
        expect_code(&steps, wanted, &format!("{stage}.timed-out"))?;
        ensure(elapsed < STAGE_TIMEOUT + SLACK, || {
            format!("silence at {stage} took {elapsed:?}, with a deadline of {STAGE_TIMEOUT:?}")
        })?;
    }
    Ok(())
}

/// A kind without TLS makes the same link of both bases.
fn knows_tls(fixture: &Fixture, address: SocketAddr) -> bool {
    let [plain, tls] = ["http", "https"].map(|scheme| {
        let link = (fixture.link)(&format!("{scheme}://{address}"), SECRET);
        format!("{link:?}")
    });
    plain != tls
}

/// A listener whose queue is full: the system answers no further connect.
fn full_queue() -> Result<(SocketAddr, impl Sized), String> {
    let runtime = runtime();
    let _inside = runtime.enter();
    let text = |error: std::io::Error| error.to_string();
    let socket = tokio::net::TcpSocket::new_v4().map_err(text)?;
    socket
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .map_err(text)?;
    let listener = socket.listen(0).map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let mut fillers = Vec::new();
    while let Ok(filler) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100))
    {
        fillers.push(filler);
        ensure(fillers.len() <= 64, || {
            "the queue of a listener does not fill".to_owned()
        })?;
    }
    let listener = listener.into_std().map_err(text)?;
    Ok((address, (listener, fillers)))
}

/// A closed port is no reason to wait.
pub(super) fn refused_at_once(driver: &Driver, fixture: &Fixture) -> Verdict {
    let closed = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
        let listener = listener.map_err(|error| error.to_string())?;
        listener.local_addr().map_err(|error| error.to_string())?
    };
    let link = (fixture.link)(&format!("http://{closed}"), SECRET);
    let started = Instant::now();
    let steps = dial_blocking(driver, &link, settings(), Intent::READ);
    let elapsed = started.elapsed();
    expect_code(
        &steps,
        |code| code == Code::ConnectRefused,
        "connect.refused",
    )?;
    ensure(elapsed < AT_ONCE, || {
        format!("a closed port took {elapsed:?}")
    })
}

/// Cancelled in the middle: the check ends, and the record says how far it came.
pub(super) fn cancelled_promptly(driver: &Driver, fixture: &Fixture) -> Verdict {
    let server = Server::silent();
    let link = (fixture.link)(&server.base(), SECRET);
    let opened = driver.open(&link.definition);
    let long = Duration::from_secs(20);
    let settings = Arc::new(Settings {
        stage_timeout: long,
        check_timeout: long,
        ..Settings::default()
    });
    let cancel = CancellationToken::new();
    let work = opened.check(&settings, &cancel, link.target.clone(), Intent::READ);
    let (steps, late) = runtime().block_on(async {
        let stop = async {
            let arrived = std::thread::scope(|_| server.wait_for_client());
            // Lets the client's own tasks run into the silence before they are stopped.
            tokio::time::sleep(Duration::from_millis(50)).await;
            cancel.cancel();
            (arrived, Instant::now())
        };
        let bounded = tokio::time::timeout(Duration::from_secs(3), work);
        let (steps, (arrived, at)) = tokio::join!(bounded, stop);
        (steps.ok().filter(|_| arrived), at.elapsed())
    });
    let Some(steps) = steps else {
        return Err("the check went on after it was cancelled".to_owned());
    };
    ensure(late < Duration::from_millis(100), || {
        format!("it took {late:?} to stop")
    })?;
    let stopped = |code: Code| matches!(code, Code::Interrupted(_));
    expect_code(&steps, stopped, "a step `interrupted`")?;
    ensure(verdict(&steps) == Outcome::Unverified, || brief(&steps))?;
    let kept = [Stage::Resolve, Stage::Connect].iter().all(|stage| {
        steps
            .iter()
            .any(|step| step.stage == *stage && step.outcome == Outcome::Pass)
    });
    ensure(kept, || {
        format!("the steps before are lost: {}", brief(&steps))
    })
}

/// An answer without end is neither read to the end nor held.
pub(super) fn bounded_memory(driver: &Driver, fixture: &Fixture) -> Verdict {
    let head = "HTTP/1.1 200 OK\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let endless = [
        (
            "body",
            format!("{head}content-type: application/xml\r\ntransfer-encoding: chunked\r\n\r\n"),
            chunk,
        ),
        ("header", format!("{head}x-filler: "), "x".repeat(0x10000)),
        (
            "number of headers",
            head.to_owned(),
            "x-filler: x\r\n".repeat(1000),
        ),
    ];
    for (what, start, more) in endless {
        let server = Server::start(move |_| {
            Reply::Endless(start.clone().into_bytes(), more.clone().into_bytes())
        });
        let link = (fixture.link)(&server.base(), SECRET);
        let started = Instant::now();
        let steps = dial_blocking(driver, &link, settings(), Intent::READ);
        let elapsed = started.elapsed();
        ensure(elapsed < STAGE_TIMEOUT * 2 + SLACK, || {
            format!("an endless {what} was read for {elapsed:?}")
        })?;
        ensure(server.sent() < MOST, || {
            format!(
                "the server got rid of {} bytes of an endless {what}",
                server.sent()
            )
        })?;
        ensure(verdict(&steps) == Outcome::Fail, || {
            format!("an endless {what} is no failure: {}", brief(&steps))
        })?;
    }
    Ok(())
}
