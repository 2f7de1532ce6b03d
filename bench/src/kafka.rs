//! Kafka links: healthy ones, the faults that a broker answers, and many at once.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use tokio::net::TcpSocket;

use crate::measure::{Spread, command, ends_with, expect_finding, median, time};
use crate::report::{Goal, Report, Row};
use crate::server::Kafka;
use crate::watch::{Held, watch};
use crate::{Programs, Result, script};

/// Processes of each kind, in turn.
const RUNS: usize = 31;
/// Processes of kcat for a fault: it waits for five seconds, whatever the broker says.
const PEER_RUNS: usize = 3;
/// Links that are checked at once.
const LINKS: u32 = 200;
const LINKS_RUNS: usize = 5;
const WATCHED_RUNS: usize = 3;
/// Fewer at once than the 50 that the broker's system keeps waiting for it (its default backlog):
/// a further one is only tried again after a second.
const JOBS: u32 = 40;
/// A fault is named within this time.
const NAMED_MS: f64 = 500.0;
/// The broker keeps the answer to a failed login back for so long.
const HELD_BACK_MS: f64 = 300.0;

/// What both sides dial.
#[derive(Clone, Copy)]
struct Dial<'a> {
    kafka: &'a Kafka,
    at: &'a str,
    topic: &'a str,
    protocol: &'static str,
    mechanism: Option<&'static str>,
    password: &'a str,
    /// Whether the authority of the broker's certificate is named.
    trusts: bool,
}

/// A fault, and what linkdial has to say about it.
struct Fault<'a> {
    name: &'static str,
    dial: Dial<'a>,
    code: &'static str,
    /// Whether kcat can get as far.
    beside: bool,
    at_most: f64,
}

/// Starts a broker and measures all.
pub(crate) fn measure(programs: &Programs, report: &mut Report) -> Result<()> {
    let kafka = Kafka::start(programs)?;
    let scram = healthy(programs, &kafka, report)?;
    faults(programs, &kafka, scram, report)?;
    for dial in [Dial::plaintext(&kafka), Dial::scram(&kafka)] {
        many(programs, &dial, report)?;
    }
    kafka.stop()
}

/// One healthy link of each kind; returns whether kcat can log in with SCRAM.
fn healthy(programs: &Programs, kafka: &Kafka, report: &mut Report) -> Result<bool> {
    let plaintext = Dial::plaintext(kafka);
    beside(programs, &plaintext, &plaintext, "kcat", report)?;
    let scram = Dial::scram(kafka);
    let (_, code) = time(&mut scram.kcat())?;
    if code == 0 {
        beside(programs, &scram, &scram, "kcat", report)?;
    } else {
        // The next best: less work for the peer.
        let tls = Dial::tls(kafka);
        beside(programs, &scram, &tls, "kcat, TLS without a login", report)?;
    }
    Ok(code == 0)
}

fn beside(
    programs: &Programs,
    dial: &Dial<'_>,
    peer: &Dial<'_>,
    name: &str,
    report: &mut Report,
) -> Result<()> {
    let mut ours = dial.verify(programs, "healthy.sql", 1)?;
    let mut kcat = peer.kcat();
    let (mut ours_took, mut kcat_took) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours_took.push(ends_with(&mut ours, 0)?);
        kcat_took.push(ends_with(&mut kcat, 0)?);
    }
    let (ours, kcat) = (Spread::of(ours_took), Spread::of(kcat_took));
    report.add(Row::noted(
        format!("one healthy link, {}", dial.words()),
        ours.to_string(),
        format!("{name}: {kcat}"),
        Some(ours.median / kcat.median),
    ));
    Ok(())
}

fn faults(programs: &Programs, kafka: &Kafka, scram: bool, report: &mut Report) -> Result<()> {
    // Bound and not listening: nobody else gets the port, and it refuses.
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let closed = socket.local_addr()?.to_string();
    let plaintext = Dial::plaintext(kafka);
    let at = |at| Dial { at, ..plaintext };
    let fault = |name, code, dial| Fault {
        name,
        dial,
        code,
        beside: true,
        at_most: NAMED_MS,
    };
    let refused = |name, code, dial| Fault {
        at_most: NAMED_MS + HELD_BACK_MS,
        ..fault(name, code, dial)
    };
    let plain = Dial {
        protocol: "sasl_plaintext",
        mechanism: Some("PLAIN"),
        ..at(&kafka.plain)
    };
    for fault in [
        fault("a closed port", "connect.refused", at(&closed)),
        refused(
            "a wrong password, PLAIN",
            "authenticate.bad-credentials",
            Dial {
                password: "not-the-password",
                ..plain
            },
        ),
        Fault {
            beside: scram,
            ..refused(
                "a wrong password, SCRAM over TLS",
                "authenticate.bad-credentials",
                Dial {
                    password: "not-the-password",
                    ..Dial::scram(kafka)
                },
            )
        },
        refused(
            "a mechanism that is not offered",
            "authenticate.mechanism-not-offered",
            Dial {
                mechanism: Some("SCRAM-SHA-512"),
                ..plain
            },
        ),
        fault(
            "an unknown authority",
            "tls.unknown-issuer",
            Dial {
                trusts: false,
                ..Dial::tls(kafka)
            },
        ),
        fault("plain text to a TLS port", "tls.required", at(&kafka.tls)),
        fault(
            "TLS to a plain port",
            "tls.not-tls",
            Dial {
                at: &kafka.plaintext,
                ..Dial::tls(kafka)
            },
        ),
        fault(
            "a topic that is not there",
            "access.not-found",
            Dial {
                topic: "nowhere",
                ..plaintext
            },
        ),
        fault(
            "an advertised broker is dead",
            "connect.refused",
            at(&kafka.misleading),
        ),
    ] {
        named(programs, &fault, report)?;
    }
    Ok(())
}

/// How long it takes until a fault is named and the process has ended.
fn named(programs: &Programs, fault: &Fault<'_>, report: &mut Report) -> Result<()> {
    let mut ours = fault.dial.verify(programs, "fault.sql", 1)?;
    expect_finding(programs, &ours, fault.name, fault.code)?;
    let mut kcat = fault.dial.kcat();
    let (mut ours_took, mut kcat_took) = (Vec::new(), Vec::new());
    let mut codes = Vec::new();
    for round in 0..RUNS {
        ours_took.push(ends_with(&mut ours, 1)?);
        if fault.beside && round < PEER_RUNS {
            let (took, code) = time(&mut kcat)?;
            kcat_took.push(took);
            codes.push(code);
        }
    }
    codes.dedup();
    let kcat = if fault.beside {
        format!("kcat: {}, exit code {codes:?}", Spread::of(kcat_took))
    } else {
        "kcat fails with the right one, too".to_owned()
    };
    let ours = Spread::of(ours_took);
    report.add(Row::alone(
        fault.name,
        ours.to_string(),
        kcat.replace(['[', ']'], ""),
        ours.median,
        Goal::AtMostMillis(fault.at_most),
    ));
    Ok(())
}

/// Many links in one run: how fast, and what the processes hold meanwhile.
fn many(programs: &Programs, dial: &Dial<'_>, report: &mut Report) -> Result<()> {
    let mut verify = dial.verify(programs, "many.sql", LINKS)?;
    let mut fewer = dial.verify(programs, "many.sql", LINKS)?;
    for (command, jobs) in [(&mut verify, LINKS), (&mut fewer, JOBS)] {
        let jobs = jobs.to_string();
        command.args(["--jobs", &jobs, "--jobs-per-host", &jobs]);
    }
    let (mut took, mut fewer_took) = (Vec::new(), Vec::new());
    for _ in 0..LINKS_RUNS {
        took.push(ends_with(&mut verify, 0)?);
        fewer_took.push(ends_with(&mut fewer, 0)?);
    }
    for (name, took) in [
        (
            format!("{LINKS} links, {JOBS} at once, {}", dial.words()),
            fewer_took,
        ),
        (format!("{LINKS} links at once, {}", dial.words()), took),
    ] {
        let took = Spread::of(took);
        let rate = f64::from(LINKS) / (took.median / 1e3);
        let ours = format!("{took}, {rate:.0}/s");
        report.add(Row::noted(name, ours, String::new(), None));
    }
    // In runs of their own: who looks needs a processor, too.
    let mut peaks = Vec::new();
    for _ in 0..WATCHED_RUNS {
        let (held, code) = watch(&mut verify)?;
        if code != 0 {
            return Err(format!("exit code {code}: {verify:?}").into());
        }
        peaks.push(held);
    }
    let own = middle(&peaks.iter().map(|it| it.own).collect::<Vec<_>>());
    let children = middle(&peaks.iter().map(|it| it.children).collect::<Vec<_>>());
    let beside = match children.processes {
        0 => "no child processes".to_owned(),
        1 => format!("1 child process: {}", words(&children)),
        count => format!("{count} child processes: {}", words(&children)),
    };
    report.add(Row::noted(
        "what it holds at its peak".to_owned(),
        words(&own),
        beside,
        None,
    ));
    Ok(())
}

fn words(held: &Held) -> String {
    let mib = held.kib.div_ceil(1024);
    let (threads, descriptors) = (held.threads, held.descriptors);
    format!("{mib} MiB, {threads} threads, {descriptors} descriptors")
}

/// Returns the median of each figure.
fn middle(peaks: &[Held]) -> Held {
    Held {
        processes: median(peaks.iter().map(|it| it.processes)),
        kib: median(peaks.iter().map(|it| it.kib)),
        threads: median(peaks.iter().map(|it| it.threads)),
        descriptors: median(peaks.iter().map(|it| it.descriptors)),
    }
}

impl<'a> Dial<'a> {
    fn plaintext(kafka: &'a Kafka) -> Self {
        Self {
            kafka,
            at: &kafka.plaintext,
            topic: "orders",
            protocol: "plaintext",
            mechanism: None,
            password: &kafka.password,
            trusts: true,
        }
    }

    fn tls(kafka: &'a Kafka) -> Self {
        Self {
            at: &kafka.tls,
            protocol: "ssl",
            ..Self::plaintext(kafka)
        }
    }

    fn scram(kafka: &'a Kafka) -> Self {
        Self {
            at: &kafka.scram,
            protocol: "sasl_ssl",
            mechanism: Some("SCRAM-SHA-512"),
            ..Self::plaintext(kafka)
        }
    }

    fn is_tls(&self) -> bool {
        self.protocol.ends_with("ssl")
    }

    fn words(&self) -> String {
        let protocol = self.protocol.to_uppercase();
        match self.mechanism {
            Some(mechanism) => format!("{protocol} {mechanism}"),
            None => protocol,
        }
    }

    /// Writes a script of so many links, and returns the command that checks it.
    fn verify(&self, programs: &Programs, name: &str, links: u32) -> Result<Command> {
        let mut text = String::new();
        for index in 0..links {
            self.link(&mut text, index)?;
        }
        let script: PathBuf = script::save(programs, name, &text)?;
        let mut verify = command(&programs.linkdial);
        verify.args(["verify", "--strict"]).arg(script);
        Ok(verify)
    }

    fn link(&self, text: &mut String, index: u32) -> Result<()> {
        let (mut config, mut credentials) = (String::new(), String::new());
        write!(config, "\"security.protocol\":\"{}\"", self.protocol)?;
        if let Some(mechanism) = self.mechanism {
            write!(config, ",\"sasl.mechanism\":\"{mechanism}\"")?;
            let (user, password) = (&self.kafka.user, self.password);
            write!(
                credentials,
                "\"sasl.username\":\"{user}\",\"sasl.password\":\"{password}\""
            )?;
        }
        if self.is_tls() && self.trusts {
            write!(config, ",\"ssl.ca.pem\":\"{}\"", self.kafka.authority)?;
        }
        writeln!(text, "-- linkdial: target '{}/{}'", self.at, self.topic)?;
        writeln!(text, "CREATE LINK link_{index:05} AS KAFKA")?;
        writeln!(text, "CREDENTIALS '{{{credentials}}}'")?;
        writeln!(text, "CONFIG '{{{config}}}';")?;
        Ok(())
    }

    /// Lists what the cluster says of itself and the topic.
    fn kcat(&self) -> Command {
        let mut kcat = command("kcat");
        kcat.args(["-L", "-b", self.at, "-t", self.topic]);
        let mut set = |name: &str, value: &str| {
            kcat.args(["-X", &format!("{name}={value}")]);
        };
        set("security.protocol", self.protocol);
        if let Some(mechanism) = self.mechanism {
            set("sasl.mechanism", mechanism);
            set("sasl.username", &self.kafka.user);
            set("sasl.password", self.password);
        }
        if self.is_tls() && self.trusts {
            set("ssl.ca.location", &self.kafka.ca_file);
        }
        kcat
    }
}
