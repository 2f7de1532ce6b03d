//! Every way into a real broker, with settings that fit it, and the listeners that mislead.

use linkdial_testcontainers::KafkaListener::{
    ClosedPort, Gssapi, Mute, MutualTls, OauthBearer, Oidc, Plain, Plaintext, ScramSha256,
    ScramSha512, Tls, UnresolvableName,
};
use linkdial_testcontainers::KafkaUser::{Alice, Describer, Nobody, Reader, Writer};
use linkdial_testcontainers::{KafkaListener, KafkaUser, SecuredKafka};

use crate::lab::{Case, fail, note, pass, path, verify};

fn target(kafka: &SecuredKafka, listener: KafkaListener, topic: &str) -> String {
    format!("{}/{topic}", kafka.bootstrap_of(listener))
}

#[test]
fn right_settings_pass_at_every_listener_and_librdkafka_says_the_same() {
    let kafka = SecuredKafka::shared();
    let all = [
        Plaintext,
        Tls,
        MutualTls,
        Plain,
        ScramSha256,
        ScramSha512,
        Oidc,
        Gssapi,
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (number, listener) in all.into_iter().enumerate() {
        let to = target(kafka, listener, "orders");
        let inline = kafka.create_link_for(&format!("a{number}"), listener, Alice);
        let files = kafka.create_link_with_files(&format!("b{number}"), listener, Alice);
        cases.extend([pass(inline, to.clone()), pass(files, to)]);
    }
    let conf = kafka.kdc().krb5_conf();
    let checks = verify(&["--krb5-conf", path(&conf)], &cases);
    for check in &checks {
        assert!(
            note(check, "client").starts_with("librdkafka "),
            "{check:#}"
        );
        assert_eq!(note(check, "leads"), "3");
    }
    assert_eq!(note(&checks[15], "mechanism"), "GSSAPI");
}

/// The listener takes tokens that nobody has signed, which the extension key can hold.
#[test]
fn a_token_in_the_link_passes_with_a_warning() {
    let kafka = SecuredKafka::shared();
    let link = |name| {
        kafka
            .create_link_for(name, OauthBearer, Alice)
            .without("enable.sasl.oauthbearer.unsecure.jwt")
            .without("sasl.oauthbearer.config")
    };
    let to = target(kafka, OauthBearer, "orders");
    let good = link("good").credential("sasl.oauthbearer.token", Alice.unsigned_token(600));
    let old = link("old").credential("sasl.oauthbearer.token", Alice.unsigned_token(-600));
    let refused = kafka.create_link_for("refused", OauthBearer, Alice);
    let key = "/sasl.oauthbearer.token";
    verify(
        &[],
        &[
            fail(good, to.clone(), "define.extension-key", "", key).verdict("warn"),
            fail(
                old,
                to.clone(),
                "authenticate.token-expired",
                "bootstrap",
                key,
            ),
            fail(
                refused,
                to,
                "define.refused-option",
                "",
                "/enable.sasl.oauthbearer.unsecure.jwt",
            ),
        ],
    );
}

#[test]
fn what_a_user_may_not_do_is_said() {
    let kafka = SecuredKafka::shared();
    let user = "/sasl.username";
    let case = |name: &str, who: KafkaUser, topic: &str, code, key| {
        let link = kafka.create_link_for(name, Plain, who);
        fail(link, target(kafka, Plain, topic), code, "bootstrap", key)
    };
    let plain = kafka.create_link_for("plain", Plaintext, Alice);
    let reader = kafka.create_link_for("reader", Plain, Reader);
    let mutual = kafka.create_link_for("mutual", MutualTls, Alice);
    let checks = verify(
        &[],
        &[
            pass(reader, target(kafka, Plain, "empty")),
            case("writer", Writer, "orders", "read.denied", user),
            case("describer", Describer, "orders", "read.denied", user),
            case("nobody", Nobody, "orders", "access.denied", ""),
            case("alice", Alice, "secret", "access.denied", ""),
            fail(
                mutual,
                target(kafka, MutualTls, "secret"),
                "access.denied",
                "bootstrap",
                "",
            ),
            fail(
                plain,
                target(kafka, Plaintext, "nowhere"),
                "access.not-found",
                "bootstrap",
                "",
            ),
        ],
    );
    assert_eq!(note(&checks[0], "allowed"), "Read, Describe");
}

#[test]
fn an_advertised_broker_that_nobody_reaches_fails() {
    let kafka = SecuredKafka::shared();
    let case = |name: &str, listener, code| {
        let link = kafka.create_link_for(name, listener, Alice);
        fail(
            link,
            target(kafka, listener, "orders"),
            code,
            "advertised",
            "",
        )
    };
    let checks = verify(
        &[],
        &[
            case("closed", ClosedPort, "connect.refused"),
            case("nameless", UnresolvableName, "resolve.not-found"),
            case("mute", Mute, "access.timed-out"),
        ],
    );
    for check in &checks {
        let evidence = &check["diagnosis"]["evidence"];
        assert_eq!(evidence["broker"], "1", "{check:#}");
        assert!(evidence["advertised_by"].is_string());
    }
    // Both are told without a retry, whatever a client library would make of them.
    for check in &checks[..2] {
        let elapsed = check["elapsed_ms"].as_f64().unwrap();
        assert!(elapsed < 2_500.0, "{check:#}");
    }
}
