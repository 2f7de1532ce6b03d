//! A report of a sweep made by hand, with a fixed clock, that has one of everything.

use std::time::Duration;

use linkdial_core::{ClauseName, Code, Endpoint, Kind, Outcome, Policy, Role, Stage};

use super::sample::{check, finding, of, step};
use super::{Check, Finding, Key, Origin, Report, Step};
use crate::history::{
    Cause, Change, ChangeKind, CheckName, Difference, Expiry, ExpiryKind, Incident, Night, Offline,
    Story,
};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn walked(server: &Endpoint, last: Stage, micros: u64) -> Vec<Step> {
    let until = Stage::ALL.into_iter().take_while(|stage| *stage <= last);
    let steps = until.map(|stage| {
        let mut step = step(stage, Outcome::Pass, micros);
        step.endpoint = (stage > Stage::Define).then(|| server.clone());
        match stage {
            Stage::Resolve => step.notes = vec![("addresses", "10.20.0.7".to_owned())],
            Stage::Tls => {
                step.notes = vec![
                    ("version", "TLS 1.3".to_owned()),
                    ("issuer", "CN=Example Root".to_owned()),
                    ("not_after", "2027-03-01T00:00:00Z".to_owned()),
                ];
            }
            _ => {}
        }
        step
    });
    steps.collect()
}

fn stopped(server: &Endpoint, micros: u64, finding: Finding) -> Vec<Step> {
    let stage = finding.code.stage().unwrap();
    let mut steps = walked(server, stage, micros);
    let last = steps.last_mut().unwrap();
    last.outcome = finding.code.outcome();
    last.finding = Some(finding);
    steps
}

fn registered(name: &str, kind: Kind, target: &str, steps: Vec<Step>) -> Check {
    Check {
        place: None,
        ..check(name, kind, Some(target), 1, steps)
    }
}

fn endpoint(host: &str, port: u16) -> Endpoint {
    Endpoint::new(Role::Endpoint, host, port)
}

/// What lets the key list.
const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket"
      ],
      "Resource": "arn:aws:s3:::invoices"
    }
  ]
}"#;

#[expect(clippy::too_many_lines, reason = "a table")]
fn checks() -> Vec<Check> {
    let broker = Endpoint::new(Role::Advertised, "b2.kafka.example.com", 9093);
    let refused = || Finding {
        evidence: vec![("broker", "2".to_owned())],
        hint: Some("start the broker, or let the firewall pass its port".to_owned()),
        ..finding(
            Code::ConnectRefused,
            "nothing listens on 10.20.0.12:9093, which the cluster advertises as broker 2",
        )
    };
    let s3 = endpoint("s3.eu-central-1.amazonaws.com", 443);
    let denied = Finding {
        evidence: vec![
            ("remote_code", "AccessDenied".to_owned()),
            ("status", "403".to_owned()),
            ("operation", "ListObjectsV2".to_owned()),
            ("key_id", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ],
        hint: Some("allow `s3:ListBucket` on `arn:aws:s3:::invoices` to this key".to_owned()),
        policy: vec![Policy::json("IAM policy for the user of the key", POLICY)],
        keys: vec![Key {
            clause: ClauseName::Credentials,
            pointer: "/aws_access_key_id".to_owned(),
            place: None,
            excerpt: None,
        }],
        ..finding(
            Code::AccessDenied,
            "the identity is known and may not list `invoices`",
        )
    };
    let score = endpoint("score.example.com", 443);
    let soon = Finding {
        evidence: vec![("not_after", "2026-12-04T12:00:00Z".to_owned())],
        hint: Some("renew the certificate of score.example.com".to_owned()),
        ..finding(
            Code::TlsExpiresSoon,
            "the certificate of score.example.com expires in 12 days",
        )
    };
    let keytab = Finding {
        hint: Some("name a copy of it: `--file /etc/keytabs/stage.keytab=LOCAL_PATH`".to_owned()),
        ..finding(
            Code::DefineFileNotHere,
            "`/etc/keytabs/stage.keytab` lies on the nodes of the cluster and not on this machine",
        )
    };
    let mut deferred = walked(&endpoint("storage.googleapis.com", 443), Stage::Read, 5_100);
    deferred[0]
        .notes
        .push(("deferred", "since 2026-11-19 by deploy".to_owned()));
    vec![
        registered(
            "api.geo",
            Kind::Http,
            "https://geo.example.com/v2/lookup?key=abc",
            walked(&endpoint("geo.example.com", 443), Stage::Access, 61_000),
        ),
        registered(
            "api.score",
            Kind::Http,
            "https://score.example.com/v1/batch",
            stopped(&score, 9_400, soon),
        ),
        registered(
            "dwh.stage",
            Kind::Hdfs,
            "hdfs://warehouse/stage/in",
            stopped(&endpoint("nn1.example.com", 8020), 40, keytab),
        ),
        registered(
            "erp.archive",
            Kind::Gcs,
            "erp-archive/2026",
            walked(&endpoint("storage.googleapis.com", 443), Stage::Read, 5_600),
        ),
        registered("erp.export", Kind::Gcs, "erp-export", deferred),
        registered(
            "erp.invoices",
            Kind::S3,
            "invoices/eu",
            stopped(&s3, 14_200, denied),
        ),
        registered(
            "shop.clicks",
            Kind::Kafka,
            "b1.kafka.example.com:9093/clicks",
            stopped(&broker, 1_900, refused()),
        ),
        registered(
            "shop.events",
            Kind::Kafka,
            "b1.kafka.example.com:9093/events",
            stopped(&broker, 2_100, refused()),
        ),
        registered(
            "shop.orders",
            Kind::S3,
            "orders/in",
            walked(&s3, Stage::Read, 7_700),
        ),
        // As a report shows it, this one is the same as the one before.
        registered(
            "shop.orders",
            Kind::S3,
            "orders/in",
            walked(&s3, Stage::Read, 7_300),
        ),
    ]
}

fn difference(fact: &str, before: &str, now: &str) -> Difference {
    Difference {
        fact: fact.to_owned(),
        before: before.to_owned(),
        now: now.to_owned(),
    }
}

fn change(kind: ChangeKind, check: &CheckName, code: Option<Code>, what: Difference) -> Change {
    Change {
        kind,
        check: check.clone(),
        code,
        difference: what,
        definitions: None,
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn night(names: &[CheckName]) -> Night {
    let [
        geo,
        score,
        _,
        archive,
        export,
        invoices,
        clicks,
        events,
        orders,
        twin,
    ] = names
    else {
        panic!("{names:?}");
    };
    let refused = Some(Code::ConnectRefused);
    let denied = Some(Code::AccessDenied);
    let previous = Some((41, at("2026-11-21T02:00:00Z")));
    let newly_red = |check| {
        let verdicts = difference("verdict", "pass", "connect.refused");
        change(ChangeKind::NewlyRed, check, refused, verdicts)
    };
    let story = |check: &CheckName, green, red_since: &str, differences| Story {
        check: check.clone(),
        green,
        red_since: Some(at(red_since)),
        differences,
    };
    Night {
        sweep: 42,
        names: names.to_vec(),
        soon: Night::SOON,
        previous,
        offline: None,
        changes: vec![
            newly_red(clicks),
            newly_red(events),
            change(
                ChangeKind::NewlyGreen,
                archive,
                None,
                difference("verdict", "authenticate.clock-skew", "pass"),
            ),
            change(
                ChangeKind::StillRed,
                invoices,
                denied,
                difference("verdict", "access.denied", "access.denied"),
            ),
            change(
                ChangeKind::Slower,
                geo,
                None,
                difference("time", "71 ms", "427 ms"),
            ),
            change(
                ChangeKind::CertificateChanged,
                geo,
                None,
                difference(
                    "certificate geo.example.com:443",
                    "CN=geo.example.com, issued by CN=Example Root, until 2026-11-30T00:00:00Z",
                    "CN=geo.example.com, issued by CN=Example Root, until 2027-03-01T00:00:00Z",
                ),
            ),
            change(
                ChangeKind::BrokersChanged,
                clicks,
                refused,
                difference(
                    "brokers",
                    "b1.kafka.example.com:9093, b3.kafka.example.com:9093",
                    "b1.kafka.example.com:9093, b4.kafka.example.com:9093",
                ),
            ),
            change(
                ChangeKind::DefinitionChanged,
                orders,
                None,
                difference("definition", "change 57", "change 63"),
            ),
        ],
        stories: vec![
            story(
                invoices,
                Some((38, at("2026-11-18T02:00:00Z"))),
                "2026-11-19T02:00:00Z",
                vec![difference(
                    "definition",
                    "change 44",
                    "changed by ann on 2026-11-18 16:12 UTC",
                )],
            ),
            story(clicks, previous, "2026-11-22T02:00:00Z", Vec::new()),
            story(
                events,
                previous,
                "2026-11-22T02:00:00Z",
                vec![
                    difference("addresses b2.kafka.example.com", "10.20.0.9", "10.20.0.12"),
                    difference("brokers", "b3.kafka.example.com:9093", ""),
                ],
            ),
        ],
        incidents: vec![
            Incident {
                cause: Cause::Server,
                shared: "b2.kafka.example.com:9093".to_owned(),
                code: Code::ConnectRefused,
                checks: vec![clicks.clone(), events.clone()],
            },
            Incident {
                cause: Cause::Identity,
                shared: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                code: Code::AccessDenied,
                checks: vec![invoices.clone()],
            },
        ],
        expiries: vec![
            Expiry {
                kind: ExpiryKind::Certificate,
                of: "score.example.com:443".to_owned(),
                at: at("2026-12-04T12:00:00Z"),
                links: vec![score.link.clone()],
            },
            Expiry {
                kind: ExpiryKind::Certificate,
                of: "s3.eu-central-1.amazonaws.com:443".to_owned(),
                at: at("2027-03-01T00:00:00Z"),
                links: vec![invoices.link.clone(), twin.link.clone()],
            },
        ],
        promoted: vec![export.link.clone()],
    }
}

/// Returns the report of a sweep with one of everything but a missing network.
pub(super) fn sweep() -> Report {
    let checks = checks();
    let night = night(&CheckName::of_checks(&checks));
    Report {
        started: at("2026-11-22T02:00:00Z"),
        elapsed: Duration::from_millis(1_412),
        origin: Origin::Registry,
        checks,
        night: Some(night),
        ..of(&[])
    }
}

/// Returns the report of a sweep that had no network.
pub(super) fn offline() -> Report {
    let report = sweep();
    let night = Night {
        sweep: 43,
        previous: Some((42, report.started)),
        offline: Some(Offline {
            message: "no server of any link answered from here".to_owned(),
            hosts: vec!["geo.example.com".to_owned(), "score.example.com".to_owned()],
            hint: "connect this machine to the network and sweep again".to_owned(),
        }),
        ..Night::default()
    };
    Report {
        night: Some(night),
        ..report
    }
}

/// Returns the report of a first sweep, in which all is well.
pub(super) fn first() -> Report {
    let mut report = sweep();
    report
        .checks
        .retain(|check| check.verdict() == Outcome::Pass);
    report.night = Some(Night {
        sweep: 1,
        ..Night::default()
    });
    report
}
