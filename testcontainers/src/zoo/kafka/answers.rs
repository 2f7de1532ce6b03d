//! Answers of the protocol that a healthy broker does not give.

use super::super::{Expected, Family, Fault, Kind, Seeded};
use super::broker::{ScriptedBroker, Words};
use super::{USERNAME, found, link};

const GUIDE: &str = "Apache Kafka, Protocol guide: error codes";

fn row(
    name: &str,
    expected: Expected,
    source: &'static str,
    words: impl Fn() -> Words + Send + Sync + 'static,
) -> Fault {
    let leaves = expected.code == "resolve.address-refused";
    Fault::new(
        Kind::Kafka,
        Family::Service,
        name,
        "scripted broker",
        expected,
        source,
        move |mark| {
            let broker = ScriptedBroker::start(words());
            let target = format!("{}/orders", broker.addr());
            let mut seeded = Seeded::read(mark, link(mark, false), target).hold(broker);
            if leaves {
                seeded.untold = Some("it may leave this machine");
            }
            Ok(seeded)
        },
    )
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn faults() -> Vec<Fault> {
    let words = Words::default;
    vec![
        row(
            "answer-leader-not-available",
            found("access.leader-missing"),
            GUIDE,
            move || Words {
                topic: 5,
                ..words()
            },
        ),
        row(
            "answer-partition-without-leader",
            found("access.leader-missing"),
            GUIDE,
            move || Words {
                partition: (5, -1),
                ..words()
            },
        ),
        row(
            "answer-invalid-topic",
            found("access.not-found"),
            GUIDE,
            move || Words {
                topic: 17,
                ..words()
            },
        ),
        row(
            "answer-unknown-server-error",
            found("access.server-error"),
            GUIDE,
            move || Words {
                topic: -1,
                ..words()
            },
        ),
        row(
            "answer-unknown-topic",
            found("access.not-found"),
            GUIDE,
            move || Words {
                topic: 3,
                ..words()
            },
        ),
        row(
            "answer-topic-not-authorized",
            found("access.denied"),
            GUIDE,
            move || Words {
                topic: 29,
                ..words()
            },
        ),
        row(
            "answer-describe-alone",
            found("read.denied").key(USERNAME),
            "Apache Kafka, KIP-430: authorized operations",
            move || Words {
                rights: 1 << 8,
                ..words()
            },
        ),
        row(
            "answer-without-brokers",
            found("access.server-error"),
            "Apache Kafka, Protocol guide: Metadata, the list of brokers",
            move || Words {
                brokers: Vec::new(),
                ..words()
            },
        ),
        row(
            "answer-metadata-address",
            Expected::fail("resolve.address-refused").at("advertised"),
            "RFC 3927, 2.7: link-local addresses are of no use beyond the link",
            move || Words {
                brokers: vec![("169.254.169.254", 9092)],
                ..words()
            },
        ),
        row(
            "controller-in-its-place",
            found("access.not-this-service"),
            "Apache Kafka, KIP-919: controllers answer ApiVersions and know no Metadata",
            move || Words {
                metadata: false,
                ..words()
            },
        ),
        row(
            "answer-login-disabled",
            found("authenticate.bad-credentials").key(super::PASSWORD),
            GUIDE,
            move || Words {
                login: (0, 58),
                ..words()
            },
        ),
        row(
            "answer-login-out-of-turn",
            found("authenticate.mechanism-not-offered")
                .key(super::PROTOCOL)
                .mended(),
            GUIDE,
            move || Words {
                login: (34, 0),
                ..words()
            },
        ),
    ]
}
