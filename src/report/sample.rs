//! A report made by hand, with a fixed clock, that has one of everything.

use std::fmt::Write as _;
use std::time::Duration;

use linkdial_core::{
    Blame, ClauseName, Code, Endpoint, Intent, Kind, LinkName, Outcome, Retry, Role, Stage, Target,
};

use super::{Check, Finding, Key, Origin, Report, Step};
use crate::script::{Script, ScriptError, ScriptOptions, Skipped};
use crate::sql::{Excerpt, Place};

pub(crate) fn place(line: u32, column: u32) -> Place {
    Place {
        file: "links.sql".into(),
        line,
        column,
    }
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint::new(Role::Endpoint, "127.0.0.1", port)
}

pub(super) fn step(stage: Stage, outcome: Outcome, micros: u64) -> Step {
    Step {
        stage,
        endpoint: (stage > Stage::Define).then(|| endpoint(9000)),
        outcome,
        elapsed: Duration::from_micros(micros),
        notes: Vec::new(),
        finding: None,
    }
}

pub(super) fn finding(code: Code, message: &str) -> Finding {
    Finding {
        code,
        message: message.to_owned(),
        evidence: Vec::new(),
        blame: code.blame(),
        retry: code.retry(),
        hint: None,
        policy: Vec::new(),
        keys: Vec::new(),
        target: None,
        repairs: Vec::new(),
    }
}

pub(super) fn check(
    name: &str,
    kind: Kind,
    target: Option<&str>,
    line: u32,
    steps: Vec<Step>,
) -> Check {
    let (database, name) = name.split_once('.').unwrap();
    Check {
        link: LinkName::new(Some(database), name),
        kind,
        target: target.map(Target::new),
        intent: target.map_or(Intent::default(), |_| Intent::READ),
        place: Some(place(line, 1)),
        elapsed: steps.iter().map(|step| step.elapsed).sum(),
        broken: false,
        correction: None,
        steps,
    }
}

/// Returns a report with one check for each verdict.
pub(crate) fn of(verdicts: &[Outcome]) -> Report {
    let checks = verdicts
        .iter()
        .map(|&outcome| {
            let steps = vec![step(Stage::Connect, outcome, 10)];
            check("shop.a", Kind::Http, None, 1, steps)
        })
        .collect();
    Report {
        errors: Vec::new(),
        skipped: Vec::new(),
        checks,
        ..report()
    }
}

/// Returns what a walk to one server leaves: it passes, or ends with a fault.
pub(crate) fn walk(server: &Endpoint, broker: Option<u32>, fault: Option<Code>) -> Vec<Step> {
    let mut steps = Vec::new();
    for stage in [
        Stage::Resolve,
        Stage::Connect,
        Stage::Tls,
        Stage::Authenticate,
    ] {
        let fault = fault.filter(|code| code.stage() == Some(stage));
        let mut step = step(stage, Outcome::Pass, 1_000);
        step.endpoint = Some(server.clone());
        if let Some(code) = fault {
            step.outcome = code.outcome();
            let mut finding = finding(code, "a fact");
            let broker = broker.map(|id| ("broker", id.to_string()));
            finding.evidence.extend(broker);
            step.finding = Some(finding);
        }
        steps.push(step);
        if fault.is_some() {
            return steps;
        }
    }
    let last = steps.last_mut().unwrap();
    last.notes
        .extend(broker.map(|id| ("broker", id.to_string())));
    steps
}

/// Returns what is left of a server that was dialled before under another role.
pub(crate) fn known(server: &Endpoint, broker: u32) -> Step {
    let mut step = step(Stage::Connect, Outcome::Pass, 0);
    step.endpoint = Some(server.clone());
    step.notes = vec![
        ("broker", broker.to_string()),
        ("known", "it is a bootstrap address".to_owned()),
    ];
    step
}

/// Returns a report with one check that left these steps.
pub(crate) fn stream(steps: Vec<Step>) -> Report {
    let target = Some("b1.example.com:9093/orders");
    Report {
        errors: Vec::new(),
        skipped: Vec::new(),
        checks: vec![check("shop.stream", Kind::Kafka, target, 1, steps)],
        ..report()
    }
}

/// Returns a script that defines these links.
pub(crate) fn script(names: &[&str]) -> Script {
    let mut text = String::new();
    for name in names {
        writeln!(
            text,
            "CREATE LINK {name} AS MONGODB CREDENTIALS '{{}}' CONFIG '{{}}';"
        )
        .unwrap();
    }
    let script = Script::read(vec![("links.sql".into(), text)], &ScriptOptions::default());
    assert!(script.errors.is_empty(), "{:?}", script.errors);
    script
}

fn passing() -> Check {
    let mut list = step(Stage::Access, Outcome::Pass, 3_300);
    list.notes = vec![
        ("objects", "0".to_owned()),
        (
            "unproven",
            "no bucket was tried: nothing in the script names one".to_owned(),
        ),
    ];
    let mut write = step(Stage::Write, Outcome::Skip, 0);
    write.endpoint = None;
    write.notes = vec![("reason", "the script only reads".to_owned())];
    let steps = vec![
        step(Stage::Define, Outcome::Pass, 0),
        step(Stage::Connect, Outcome::Pass, 250),
        step(Stage::Authenticate, Outcome::Pass, 3_300),
        list,
        write,
    ];
    check("Orderdb.products", Kind::S3, None, 3, steps)
}

fn failing() -> Check {
    let mut refused = step(Stage::Authenticate, Outcome::Fail, 12_345);
    refused.finding = Some(Finding {
        evidence: vec![
            ("remote_code", "SignatureDoesNotMatch".to_owned()),
            ("status", "403".to_owned()),
            ("server", "MinIO \u{1b}[31m, 50% <off>\n::error::".to_owned()),
        ],
        hint: Some("put the secret that belongs to this key id; it may have been rotated".to_owned()),
        keys: vec![
            Key {
                clause: ClauseName::Credentials,
                pointer: "/aws_secret_access_key".to_owned(),
                place: Some(place(9, 30)),
                excerpt: Some(Excerpt {
                    line: 9,
                    text: r#"  CREDENTIALS '{"aws_secret_access_key": "***", "aws_access_key_id": "***"}'"#
                        .to_owned(),
                    start: 41,
                    width: 5,
                }),
            },
            Key {
                clause: ClauseName::Config,
                pointer: "/region".to_owned(),
                place: None,
                excerpt: None,
            },
        ],
        ..finding(
            Code::AuthenticateBadSecret,
            "the server knows the key id and refuses the signature, so the secret does not belong to it",
        )
    });
    let mut unknown = step(Stage::Define, Outcome::Warn, 0);
    unknown.finding = Some(Finding {
        keys: vec![Key {
            clause: ClauseName::Config,
            pointer: "/regoin".to_owned(),
            place: Some(place(8, 12)),
            excerpt: Some(Excerpt {
                line: 8,
                text: r#"  CONFIG '{"regoin": "eu-central-1"}'"#.to_owned(),
                start: 11,
                width: 8,
            }),
        }],
        hint: Some("did you mean `region`?".to_owned()),
        ..finding(
            Code::DefineUnknownKey,
            "no link of this kind has the key `regoin`",
        )
    });
    let steps = vec![unknown, step(Stage::Connect, Outcome::Pass, 250), refused];
    check("Orderdb.orders", Kind::S3, Some("orders/in"), 7, steps)
}

fn warning() -> Check {
    let mut ignored = step(Stage::Define, Outcome::Pass, 0);
    ignored.notes = vec![(
        "ignored",
        "define.extension-key agreed with the platform team".to_owned(),
    )];
    let mut throttled = step(Stage::Access, Outcome::Warn, 1_000);
    throttled.finding = Some(Finding {
        retry: Retry::After(Duration::from_secs(30)),
        ..finding(
            Code::AccessThrottled,
            "the service asks to wait before the next request",
        )
    });
    check(
        "shop.score",
        Kind::Http,
        Some("https://score.example.com/v1/batch"),
        20,
        vec![ignored, throttled],
    )
}

fn unverified() -> Check {
    let mut unknown = step(Stage::Define, Outcome::Unverified, 0);
    unknown.finding = Some(Finding {
        hint: Some("use a build that has the feature `kafka`".to_owned()),
        blame: Blame::Tool,
        ..finding(
            Code::DefineNotCompiledIn,
            "this build of linkdial can not dial KAFKA links",
        )
    });
    check(
        "shop.events",
        Kind::Kafka,
        Some("kafka:9092/events"),
        30,
        vec![unknown],
    )
}

/// Returns the report with one of everything.
pub(crate) fn report() -> Report {
    Report {
        host: Some("ci-runner-7".to_owned()),
        started: "2026-11-22T16:00:00.25Z".parse().unwrap(),
        elapsed: Duration::from_micros(41_234),
        until: None,
        complete: true,
        origin: Origin::Script,
        errors: vec![ScriptError {
            code: Code::SqlTypographicQuote,
            message: "a typographic quote stands where the grammar wants a straight one".to_owned(),
            hint: Some("replace ‘ by '".to_owned()),
            expected: vec!["a string".to_owned()],
            place: place(40, 8),
            correction: None,
            excerpt: Excerpt {
                line: 40,
                text: "CONFIG ‘{\"region\": \"us-east-1\"}’".to_owned(),
                start: 7,
                width: 1,
            },
        }],
        skipped: vec![
            Skipped {
                statement: "CREATE TABLE".to_owned(),
                count: 3,
                place: place(50, 1),
                warning: None,
            },
            Skipped {
                statement: "CREATE PIPELINE".to_owned(),
                count: 1,
                place: place(60, 1),
                warning: Some("uses link `other`, which the script does not define".to_owned()),
            },
        ],
        checks: vec![passing(), failing(), warning(), unverified()],
        night: None,
    }
}
