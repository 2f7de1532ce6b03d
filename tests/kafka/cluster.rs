//! Several brokers: which of them has to live.

use std::process::Command;

use linkdial_testcontainers::{KafkaCluster, RefusedPort};

use crate::lab::{evidence, fail, note, pass, report, verify};

#[test]
fn each_broker_counts_and_each_bootstrap_address_does_not() {
    let mut cluster = KafkaCluster::start().unwrap();
    let closed = RefusedPort::start();
    let other = RefusedPort::start();
    let first = cluster.addr(1);
    let link = |name: &str| cluster.create_link(name);
    let checks = verify(
        &[],
        &[
            pass(link("all"), format!("{}/orders", cluster.bootstrap())),
            pass(link("one"), format!("{first}/orders")),
            fail(
                link("half"),
                format!("{},{first}/orders", closed.addr()),
                "connect.refused",
                "bootstrap",
                "",
            )
            .verdict("warn"),
            fail(
                link("none"),
                format!("{},{}/orders", closed.addr(), other.addr()),
                "connect.refused",
                "bootstrap",
                "",
            ),
        ],
    );
    assert_eq!(note(&checks[1], "brokers"), "3");
    let closed = closed.addr().to_string();
    assert_eq!(note(&checks[2], "not_advertised"), closed);

    let dead = cluster.addr(3).to_string();
    let (target, link) = (format!("{first}/orders"), cluster.create_link("l"));
    cluster.kill(3);
    let checks = verify(
        &[],
        &[
            fail(
                link.clone(),
                target.clone(),
                "connect.refused",
                "advertised",
                "",
            ),
            // As a bootstrap address it is one of several, as a broker it is not.
            fail(
                cluster.create_link("m"),
                format!("{}/orders", cluster.bootstrap()),
                "connect.refused",
                "advertised",
                "",
            ),
        ],
    );
    assert_eq!(evidence(&checks[0], "advertised_as"), dead);
    // The field's tool is content.
    let kcat = Command::new("kcat")
        .args(["-L", "-b", &first.to_string(), "-t", "orders"])
        .output()
        .unwrap();
    assert!(kcat.status.success(), "{kcat:?}");
    // For people the brokers are drawn.
    let script = format!("{link}{}", cluster.create_pipeline("p", "orders", &link));
    let output = crate::lab::linkdial(&["verify"], &script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = text
        .lines()
        .find(|line| line.contains("advertised") && line.contains(&dead));
    assert!(row.is_some_and(|row| row.contains('✗')), "{text}");
    let report = report(&[], &script);
    assert_eq!(report["checks"][0]["verdict"], "fail");
}
