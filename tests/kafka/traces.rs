//! A check leaves nothing on the cluster.

use linkdial_testcontainers::KafkaListener::{Gssapi, Plain, Plaintext, ScramSha512};
use linkdial_testcontainers::KafkaUser::Admin;
use linkdial_testcontainers::{KafkaOptions, SecuredKafka};

use crate::lab::{Case, fail, pass, path, verify};

#[test]
fn nothing_is_left_on_a_cluster_not_even_where_topics_make_themselves() {
    let options = KafkaOptions::default().property("auto.create.topics.enable", "true");
    let kafka: SecuredKafka = options.start().unwrap();
    let before = kafka.contents().unwrap();
    let to = |listener, topic: &str| format!("{}/{topic}", kafka.bootstrap_of(listener));
    // The administrator may do everything, also make topics and groups.
    let link = |name: &str, listener| kafka.create_link_for(name, listener, Admin);
    let grouped = link("grouped", ScramSha512)
        .config("group.id", "linkdial-must-not-join")
        .config("transactional.id", "linkdial-must-not-begin")
        .config("allow.auto.create.topics", "true")
        .config("enable.idempotence", "true");
    let missing = |name: &str, listener| -> Case {
        let target = to(listener, "made-by-nobody");
        fail(
            link(name, listener),
            target,
            "access.not-found",
            "bootstrap",
            "",
        )
    };
    let conf = kafka.kdc().krb5_conf();
    verify(
        &["--krb5-conf", path(&conf), "--write"],
        &[
            pass(link("a", Plaintext), to(Plaintext, "orders")),
            pass(link("b", Gssapi), to(Gssapi, "orders")),
            pass(link("c", Plain), to(Plain, "secret")),
            pass(grouped, to(ScramSha512, "orders")),
            missing("d", Plaintext),
            missing("e", Plain),
            missing("f", Gssapi),
        ],
    );
    assert_eq!(kafka.contents().unwrap(), before);
}
