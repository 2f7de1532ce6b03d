use std::time::Duration;

use linkdial_core::{Code, Endpoint, Intent, Kind, LinkName, Outcome, Role, Stage, Target};

use super::*;
use crate::report::{Check, Finding, Step};

fn name(link: &str) -> CheckName {
    CheckName {
        link: LinkName::new(Some("shop"), link),
        target: "bucket/".to_owned(),
        twin: 0,
    }
}

fn past(link: &str, verdict: Outcome, ms: u64, facts: &[(&str, &str)]) -> PastCheck {
    let facts = facts
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    PastCheck {
        name: name(link),
        kind: Kind::S3,
        verdict,
        code: (verdict == Outcome::Fail).then_some(Code::AccessDenied),
        elapsed: Duration::from_millis(ms),
        definition: Some(1),
        facts: Facts(facts.collect()),
        steps: Vec::new(),
    }
}

fn told(before: &[PastCheck], now: &[PastCheck]) -> Vec<String> {
    let changes = diff(before, now).into_iter();
    changes
        .map(|change| {
            let Difference { before, now, .. } = change.difference;
            let (kind, link) = (change.kind.as_str(), change.check.link.name);
            format!("{kind} {link}: {before} -> {now}")
        })
        .collect()
}

#[test]
fn changes_are_told_by_kind_and_name() {
    use Outcome::{Fail, Pass, Unverified, Warn};
    let before = [
        past("b", Pass, 10, &[("certificate x:1", "one")]),
        past("a", Pass, 10, &[("brokers", "x:1, x:2")]),
        past("c", Fail, 10, &[]),
        past("d", Fail, 10, &[]),
        past("e", Warn, 100, &[]),
        past("f", Unverified, 10, &[]),
        past(
            "g",
            Pass,
            10,
            &[("addresses x", "1"), ("expires ticket x", "1")],
        ),
        past("gone", Fail, 10, &[]),
    ];
    let mut now = [
        past("a", Fail, 10, &[("brokers", "x:1")]),
        past("b", Pass, 10, &[("certificate x:1", "two")]),
        past("c", Pass, 10, &[]),
        past("d", Fail, 10, &[]),
        past("e", Pass, 350, &[]),
        past("f", Pass, 10, &[]),
        past(
            "g",
            Pass,
            10,
            &[("addresses x", "2"), ("expires ticket x", "2")],
        ),
        past("new", Fail, 10, &[]),
    ];
    now[5].definition = Some(2);
    assert_eq!(
        told(&before, &now),
        [
            "newly red a: pass -> access.denied",
            "newly red new:  -> access.denied",
            "newly green c: access.denied -> pass",
            "still red d: access.denied -> access.denied",
            "slower e: 100 ms -> 350 ms",
            "certificate changed b: one -> two",
            "brokers changed a: x:1, x:2 -> x:1",
            "definition changed f: change 1 -> change 2",
        ]
    );
    assert_eq!(
        told(&now, &now),
        [
            "still red a: access.denied -> access.denied",
            "still red d: access.denied -> access.denied",
            "still red new: access.denied -> access.denied"
        ]
    );
}

#[test]
fn a_busy_machine_is_no_slower_service() {
    use Outcome::Pass;
    for (before, now, slower) in [
        (10, 200, false),
        (100, 350, true),
        (1000, 1900, false),
        (1000, 2000, true),
        (10, 5, false),
    ] {
        let told = told(
            &[past("a", Pass, before, &[])],
            &[past("a", Pass, now, &[])],
        );
        assert_eq!(!told.is_empty(), slower, "{before} {now}");
    }
}

#[test]
fn a_story_tells_what_differs_and_only_the_brokers_that_came_and_went() {
    let green = past(
        "a",
        Outcome::Pass,
        1,
        &[
            ("brokers", "x:1, x:2, x:3"),
            ("principal", "a@R"),
            ("addresses x", "1"),
        ],
    );
    let mut red = past(
        "a",
        Outcome::Fail,
        1,
        &[("brokers", "x:1, x:3, x:4"), ("principal", "a@R")],
    );
    red.definition = Some(9);
    let started = "2026-11-25T02:00:00Z".parse().unwrap();
    let story = story(
        &red,
        Some((&green, 4, started)),
        Some(started),
        Some("altered by ada"),
    );
    let differences: Vec<_> = (story.differences.iter())
        .map(|it| format!("{}: {} -> {}", it.fact, it.before, it.now))
        .collect();
    assert_eq!(
        differences,
        [
            "definition: change 1 -> altered by ada",
            "brokers: x:2 -> x:4"
        ]
    );
    assert_eq!(story.green, Some((4, started)));
    let nothing = super::story(&red, None, None, None);
    assert_eq!((nothing.green, nothing.differences), (None, Vec::new()));
}

fn red(link: &str, code: Code, role: Role, host: &str, evidence: &[(&'static str, &str)]) -> Check {
    let evidence = evidence
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let stage = code.stage().unwrap();
    Check {
        link: LinkName::new(Some("shop"), link),
        kind: Kind::Kafka,
        target: Some(Target::new("bucket/")),
        intent: Intent::READ,
        place: None,
        elapsed: Duration::ZERO,
        broken: false,
        correction: None,
        steps: vec![Step {
            stage,
            endpoint: Some(Endpoint::new(role, host, 9092)),
            outcome: code.outcome(),
            elapsed: Duration::ZERO,
            notes: Vec::new(),
            finding: Some(Finding {
                code,
                message: "a fact".to_owned(),
                evidence: evidence.collect(),
                blame: code.blame(),
                retry: code.retry(),
                hint: None,
                policy: Vec::new(),
                keys: Vec::new(),
                target: None,
                repairs: Vec::new(),
            }),
        }],
    }
}

#[test]
fn reds_fold_by_what_they_share() {
    use Role::{Advertised, Endpoint as Service, Kdc};
    let checks = [
        red("a", Code::ResolveTimedOut, Service, "one.example", &[]),
        red("b", Code::ResolveTimedOut, Service, "two.example", &[]),
        red("c", Code::ResolveNotFound, Service, "one.example", &[]),
        red("d", Code::ConnectRefused, Advertised, "b1", &[]),
        red("e", Code::ConnectRefused, Advertised, "b1", &[]),
        red("f", Code::ConnectRefused, Advertised, "b2", &[]),
        red(
            "g",
            Code::TlsUnknownIssuer,
            Service,
            "x",
            &[("issuer", "CN=Old")],
        ),
        red(
            "h",
            Code::TlsUnknownIssuer,
            Service,
            "y",
            &[("issuer", "CN=Old")],
        ),
        red(
            "i",
            Code::AuthenticateBadSecret,
            Service,
            "x",
            &[("key_id", "AKIA")],
        ),
        red(
            "j",
            Code::AuthenticateBadSecret,
            Service,
            "y",
            &[("key_id", "AKIA")],
        ),
        red("k", Code::AuthenticateTimedOut, Kdc, "kdc", &[]),
        red(
            "l",
            Code::AccessNotFound,
            Service,
            "x",
            &[("resource", "landing/a/")],
        ),
        red(
            "m",
            Code::AccessNotFound,
            Service,
            "x",
            &[("resource", "landing/b/")],
        ),
        red("n", Code::DefineMissingKey, Service, "x", &[]),
        red("o", Code::AccessThrottled, Service, "x", &[]),
    ];
    let folded: Vec<String> = (fold(&checks, &CheckName::of_checks(&checks)).iter())
        .map(|it| {
            let links: Vec<_> = it
                .checks
                .iter()
                .map(|name| name.link.name.as_str())
                .collect();
            format!("{} [{}] {}", it.cause.as_str(), it.shared, links.concat())
        })
        .collect();
    assert_eq!(
        folded,
        [
            "resolver [the name servers] ab",
            "server [b1:9092] de",
            "issuer [CN=Old] gh",
            "identity [AKIA] ij",
            "resource [landing] lm",
            "name [one.example] c",
            "server [b2:9092] f",
            "kdc [kdc:9092] k",
            "definition [shop.n] n",
        ]
    );
}

#[test]
fn dates_are_read_from_the_notes_and_back_from_the_facts() {
    let now = "2026-11-26T02:10:00Z".parse().unwrap();
    let mut check = red(
        "a",
        Code::AccessThrottled,
        Role::Endpoint,
        "db.example",
        &[],
    );
    let step = |stage, notes: &[(&'static str, &str)]| Step {
        stage,
        notes: notes
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        finding: None,
        outcome: Outcome::Pass,
        ..check.steps[0].clone()
    };
    let steps = vec![
        step(
            Stage::Define,
            &[
                ("client_subject", "CN=me"),
                ("client_not_after", "2026-12-24T00:00:00Z"),
            ],
        ),
        step(
            Stage::Tls,
            &[("issuer", "CN=ca"), ("not_after", "2027-01-01T00:00:00Z")],
        ),
        step(
            Stage::Authenticate,
            &[("account", "lake"), ("sas_hours_left", "20")],
        ),
        step(
            Stage::Authenticate,
            &[
                ("principal", "etl@R"),
                ("key_expires", "2026-12-01T00:00:00Z"),
            ],
        ),
        step(
            Stage::Authenticate,
            &[
                ("principal", "etl@R"),
                ("from", "ticket cache"),
                ("ticket_ends", "2026-11-26T09:00:00Z"),
            ],
        ),
        step(
            Stage::Authenticate,
            &[
                ("token_subject", "app"),
                ("token_ends", "2026-11-30T00:00:00Z"),
            ],
        ),
        // A login by keytab makes a new ticket each time.
        step(
            Stage::Authenticate,
            &[
                ("principal", "bob@R"),
                ("ticket_ends", "2026-11-26T09:00:00Z"),
            ],
        ),
    ];
    check.steps = steps;
    let lines = |expiries: Vec<Expiry>| -> Vec<String> {
        let line = |it: &Expiry| format!("{} {} of {}", it.at, it.kind.as_str(), it.of);
        expiries.iter().map(line).collect()
    };
    let expected = [
        "2026-11-26T09:00:00Z ticket of etl@R",
        "2026-11-26T22:00:00Z shared access signature of lake",
        "2026-11-30T00:00:00Z token of app",
        "2026-12-01T00:00:00Z keytab of etl@R",
        "2026-12-24T00:00:00Z client certificate of CN=me",
        "2027-01-01T00:00:00Z certificate of db.example:9092",
    ];
    assert_eq!(lines(expiries(std::slice::from_ref(&check), now)), expected);
    let past = PastCheck::of(name("a"), &check, None, now);
    assert_eq!(lines(expiries_of_past([&past])), expected);
    assert_eq!(
        past.facts.0["certificate db.example:9092"],
        ", issued by CN=ca, until 2027-01-01T00:00:00Z"
    );
}

#[test]
fn checks_that_look_alike_are_told_apart() {
    let link = LinkName::new(Some("shop"), "a");
    let (one, two) = (
        Target::new("https://x/?token=a"),
        Target::new("https://x/?token=b"),
    );
    let names = CheckName::all([(&link, Some(&one)), (&link, Some(&two)), (&link, None)]);
    assert_eq!(names[0].target, names[1].target);
    assert_eq!((names[0].twin, names[1].twin, names[2].twin), (0, 1, 0));
}
