//! Every row of the table in `error.rs`, on real sockets: the exact code, role and guilty key.

mod support;

use std::time::Duration;

use kafka_protocol::messages::{ApiKey, MetadataRequest};
use kafka_protocol::protocol::Decodable as _;
use linkdial_core::net::Net;
use linkdial_core::testing::Link;
use linkdial_core::{Code, Intent, Outcome, Settings, Stage, Step, verdict};
use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort, SSH_BANNER};
use linkdial_testcontainers::{Answer, ScriptedHttp};
use support::peer::{PASSWORD, Peer, Script, TOKEN, Topic, USER};
use support::{
    ask, ask_with, clause, decided, evidence, expect, link, note, pointers, settings, walked,
};

const FAIL: Outcome = Outcome::Fail;
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const DESCRIBE: i32 = 1 << 8;
const NOT_TOLD: i32 = i32::MIN;

fn plain(target: &str) -> Link {
    link(r#"{"security.protocol": "PLAINTEXT"}"#, "{}", Some(target))
}

fn sasl(mechanism: &str, password: &str, target: &str) -> Link {
    let config = clause(&[
        ("security.protocol", "SASL_plaintext"),
        ("sasl.mechanism", mechanism),
    ]);
    let credentials = clause(&[("sasl.username", USER), ("sasl.password", password)]);
    link(&config, &credentials, Some(target))
}

fn bearer(token: &str, target: &str) -> Link {
    let config = r#"{"security.protocol": "sasl_plaintext", "sasl.mechanism": "OAUTHBEARER"}"#;
    let credentials = clause(&[("sasl.oauthbearer.token", token)]);
    link(config, &credentials, Some(target))
}

fn orders(rights: i32) -> Vec<Topic> {
    vec![Topic {
        name: "orders",
        leaders: vec![1, 1],
        rights,
        ..Topic::default()
    }]
}

/// A peer with these mechanisms and the topic `orders`, open to all.
fn broker(mechanisms: &[&'static str]) -> Peer {
    Peer::start(Script {
        mechanisms: (!mechanisms.is_empty()).then(|| mechanisms.to_vec()),
        topics: orders(READ | DESCRIBE),
        ..Script::default()
    })
}

#[tokio::test]
async fn a_healthy_broker_passes_and_nothing_is_created() {
    for newest in [1, 3, 4, 8, 9, 12] {
        let peer = Peer::start(Script {
            topics: orders(READ | DESCRIBE),
            metadata: newest,
            ..Script::default()
        });
        let steps = ask(&plain(&format!("{}/orders", peer.target()))).await;
        assert_eq!(verdict(&steps), Outcome::Pass, "{newest}: {steps:#?}");
        assert_eq!(note(&steps, "brokers"), "1");
        assert_eq!(note(&steps, "partitions"), "2");
        let seen = peer.seen();
        let keys: Vec<i16> = seen.iter().map(|it| it.key).collect();
        assert_eq!(keys, [18, 3], "{newest}");
        let mut asked = seen[1].body.clone();
        let asked = MetadataRequest::decode(&mut asked, seen[1].version).unwrap();
        // Old brokers create what is asked for by its name.
        assert_eq!(asked.topics.is_none(), newest < 4);
        assert_eq!(asked.allow_auto_topic_creation, newest < 4);
    }
}

#[tokio::test]
async fn the_walk_is_told_in_steps_and_notes() {
    let peer = broker(&[]);
    let steps = ask(&plain(&format!("{}/orders", peer.target()))).await;
    let pass = Outcome::Pass;
    assert_eq!(
        walked(&steps),
        [
            (Stage::Define, "", pass),
            (Stage::Resolve, "bootstrap", pass),
            (Stage::Connect, "bootstrap", pass),
            (Stage::Access, "bootstrap", pass),
            (Stage::Access, "bootstrap", pass),
            (Stage::Read, "bootstrap", pass),
            (Stage::Connect, "advertised", pass),
            (Stage::Access, "", Outcome::Skip),
        ]
    );
    assert_eq!(note(&steps, "cluster"), "lab-cluster");
    assert_eq!(note(&steps, "controller"), "1");
    assert_eq!(note(&steps, "metadata_version"), "12 (broker: 0 to 12)");
    assert_eq!(note(&steps, "apis"), "4");
}

#[tokio::test]
async fn every_mechanism_logs_in_with_the_right_secret_and_no_other() {
    let mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
    let peer = broker(&mechanisms);
    for mechanism in mechanisms {
        let steps = ask(&sasl(mechanism, PASSWORD, &peer.target())).await;
        assert_eq!(verdict(&steps), Outcome::Pass, "{mechanism}: {steps:#?}");
        assert_eq!(note(&steps, "mechanism"), mechanism);
        let steps = ask(&sasl(mechanism, "wr0ng-p4ss", &peer.target())).await;
        let found = expect(&steps, FAIL, Code::AuthenticateBadCredentials, "bootstrap");
        assert_eq!(pointers(&found), ["/sasl.password", "/sasl.username"]);
        assert_eq!(
            evidence(&found, "remote_code"),
            "SaslAuthenticationFailed (58)"
        );
        assert!(!format!("{steps:?}").contains("wr0ng"));
    }
}

#[tokio::test]
async fn a_password_in_the_place_of_the_user_is_not_shown() {
    let peer = broker(&["PLAIN", "SCRAM-SHA-256"]);
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let config = clause(&[
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanism", mechanism),
        ]);
        let credentials = clause(&[
            ("sasl.username", "Tr0ub4dor-and-3"),
            ("sasl.password", USER),
        ]);
        let steps = ask(&link(&config, &credentials, Some(&peer.target()))).await;
        let found = expect(&steps, FAIL, Code::AuthenticateBadCredentials, "bootstrap");
        assert!(!format!("{steps:?}").contains("Tr0ub4dor"), "{steps:#?}");
        if mechanism == "PLAIN" {
            let message = evidence(&found, "message");
            assert_eq!(message, "Authentication failed for [redacted]");
        }
    }
}

#[tokio::test]
async fn credentials_win_over_config() {
    let peer = broker(&["PLAIN"]);
    let config = clause(&[
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "somebody"),
        ("sasl.password", "0ld-p4ss"),
    ]);
    let credentials = clause(&[("sasl.username", USER), ("sasl.password", PASSWORD)]);
    let steps = ask(&link(&config, &credentials, Some(&peer.target()))).await;
    expect(&steps, Outcome::Warn, Code::DefineSecretInConfig, "");
    assert_eq!(note(&steps, "mechanism"), "PLAIN");
}

#[tokio::test]
async fn a_static_token_logs_in_and_a_refused_one_is_explained() {
    let peer = broker(&["OAUTHBEARER"]);
    let steps = ask(&bearer(TOKEN, &peer.target())).await;
    let outcome = (verdict(&steps), decided(&steps).diagnosis.as_ref());
    let extension = outcome.1.map(|it| it.code);
    assert_eq!(
        (outcome.0, extension),
        (Outcome::Warn, Some(Code::DefineExtensionKey))
    );
    let steps = ask(&bearer("another", &peer.target())).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTokenInvalid, "bootstrap");
    assert_eq!(pointers(&found), ["/sasl.oauthbearer.token"]);
    assert_eq!(evidence(&found, "answer"), r#"{"status":"invalid_token"}"#);
    // {"exp":1700000000,"iss":"https://idp"}
    let old = "e30.eyJleHAiOjE3MDAwMDAwMDAsImlzcyI6Imh0dHBzOi8vaWRwIn0.c2ln";
    let steps = ask(&bearer(old, &peer.target())).await;
    let found = expect(&steps, FAIL, Code::AuthenticateTokenExpired, "bootstrap");
    assert_eq!(evidence(&found, "expires"), "2023-11-14T22:13:20Z");
    assert_eq!(evidence(&found, "issuer"), "https://idp");
}

#[tokio::test]
async fn a_mechanism_that_is_not_offered_is_named_before_any_secret_goes_out() {
    let peer = broker(&["SCRAM-SHA-512"]);
    let steps = ask(&sasl("PLAIN", PASSWORD, &peer.target())).await;
    let code = Code::AuthenticateMechanismNotOffered;
    let found = expect(&steps, FAIL, code, "bootstrap");
    assert_eq!(evidence(&found, "offered"), "SCRAM-SHA-512");
    assert_eq!(pointers(&found), ["/sasl.mechanism"]);
    assert!(peer.seen().iter().all(|it| it.key != 36));

    let without = broker(&[]);
    let steps = ask(&sasl("PLAIN", PASSWORD, &without.target())).await;
    let found = expect(&steps, FAIL, code, "bootstrap");
    assert_eq!(pointers(&found), ["/security.protocol"]);
    assert!(found.hint.unwrap().contains("plaintext"));
    assert!(without.seen().iter().all(|it| it.key != 36));
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_no_broker() {
    let peer = Peer::start(Script {
        mechanisms: Some(vec!["SCRAM-SHA-256"]),
        impostor: true,
        ..Script::default()
    });
    let steps = ask(&sasl("SCRAM-SHA-256", PASSWORD, &peer.target())).await;
    let found = expect(&steps, FAIL, Code::AccessNotThisService, "bootstrap");
    assert!(found.message.contains("without proof"), "{found:?}");
}

#[tokio::test]
async fn a_listener_that_wants_a_login_hangs_up_on_a_link_without_one() {
    let peer = broker(&["PLAIN"]);
    let steps = ask(&plain(&peer.target())).await;
    let found = expect(&steps, FAIL, Code::AuthenticateRequired, "bootstrap");
    assert_eq!(pointers(&found), ["/security.protocol"]);
    assert!(found.hint.unwrap().contains("sasl_plaintext"));
}

#[tokio::test]
async fn what_speaks_instead_is_named() {
    let http = ScriptedHttp::always([Answer::status(400)]);
    let ssh = Broken::start(Fault::SpeaksFirst(SSH_BANNER.to_vec()));
    let alert = Broken::start(Fault::Answers(vec![0x15, 3, 3, 0, 2, 2, 80]));
    let controller = Peer::start(Script {
        controller: true,
        ..Script::default()
    });
    let other = Code::AccessNotThisService;
    for (target, code, word) in [
        (http.addr().to_string(), other, "speaks HTTP"),
        (ssh.addr().to_string(), other, "speaks SSH"),
        (alert.addr().to_string(), Code::TlsRequired, "speaks TLS"),
        (controller.target(), other, "a controller"),
    ] {
        let steps = ask(&plain(&target)).await;
        let found = expect(&steps, FAIL, code, "bootstrap");
        assert!(found.message.contains(word), "{found:?}");
    }
    let steps = ask(&sasl("PLAIN", PASSWORD, &alert.addr().to_string())).await;
    let found = expect(&steps, FAIL, Code::TlsRequired, "bootstrap");
    assert_eq!(pointers(&found), ["/security.protocol"]);
    assert!(found.hint.unwrap().contains("sasl_ssl"));
}

/// Makes a link to a peer.
type Make<'a> = &'a dyn Fn(&Peer) -> Link;

#[tokio::test]
async fn silence_and_hanging_up_are_told_apart() {
    let peer = |mute, closes, mechanisms| {
        Peer::start(Script {
            mechanisms,
            mute,
            closes,
            ..Script::default()
        })
    };
    let (hello, metadata) = (Some(ApiKey::ApiVersions), Some(ApiKey::Metadata));
    let login = Some(ApiKey::SaslAuthenticate);
    let sasl_only = || Some(vec!["PLAIN"]);
    let with = |peer: &Peer| sasl("PLAIN", PASSWORD, &peer.target());
    let without = |peer: &Peer| plain(&peer.target());
    let rows: [(Peer, Make<'_>, Code); 7] = [
        (peer(hello, None, None), &without, Code::AccessTimedOut),
        (peer(metadata, None, None), &without, Code::AccessTimedOut),
        (
            peer(hello, None, sasl_only()),
            &with,
            Code::AuthenticateTimedOut,
        ),
        (
            peer(login, None, sasl_only()),
            &with,
            Code::AuthenticateTimedOut,
        ),
        (peer(None, hello, None), &without, Code::ConnectReset),
        (
            peer(None, login, sasl_only()),
            &with,
            Code::AuthenticateBadCredentials,
        ),
        (peer(None, metadata, sasl_only()), &with, Code::ConnectReset),
    ];
    for (peer, link, code) in rows {
        let steps = ask(&link(&peer)).await;
        expect(&steps, FAIL, code, "bootstrap");
    }
}

#[tokio::test]
async fn the_links_own_timeout_is_shorter_than_that_of_a_stage() {
    let peer = Peer::start(Script {
        mute: Some(ApiKey::ApiVersions),
        ..Script::default()
    });
    let config = r#"{"operation.timeout.ms": "50"}"#;
    let steps = ask(&link(config, "{}", Some(&peer.target()))).await;
    let found = expect(&steps, FAIL, Code::AccessTimedOut, "bootstrap");
    assert_eq!(evidence(&found, "waited_ms"), "50");
}

#[tokio::test]
async fn an_answer_that_lies_about_its_length_is_not_believed() {
    let mut lies = vec![0, 0, 0, 0];
    lies.extend([0xff, 0xff, 0xff, 0xff, 0x07]);
    for garbage in [lies, Vec::new(), vec![0xff; 64]] {
        let peer = Peer::start(Script {
            garbage: Some(garbage),
            ..Script::default()
        });
        let steps = ask(&plain(&peer.target())).await;
        expect(&steps, FAIL, Code::AccessNotThisService, "bootstrap");
    }
    for answer in [
        // Says that two billion versions follow.
        &[0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0x7f, 0xff, 0xff, 0xff][..],
        &[0, 0, 0, 4, 0, 0, 0, 9],
        &[0, 0, 0, 3, 0, 0, 0],
    ] {
        let peer = Broken::start(Fault::Answers(answer.to_vec()));
        let steps = ask(&plain(&peer.addr().to_string())).await;
        expect(&steps, FAIL, Code::AccessNotThisService, "bootstrap");
    }
}

async fn about_topic(topics: Vec<Topic>, intent: Intent) -> Vec<Step> {
    let peer = Peer::start(Script {
        mechanisms: Some(vec!["PLAIN"]),
        topics,
        ..Script::default()
    });
    let link = sasl("PLAIN", PASSWORD, &format!("{}/orders", peer.target()));
    ask_with(&link, settings(), intent).await
}

#[tokio::test]
async fn topics_are_judged_by_their_errors_and_leaders() {
    let topic = |error, leaders: &[i32]| {
        vec![Topic {
            name: "orders",
            error,
            leaders: leaders.to_vec(),
            rights: READ | DESCRIBE,
        }]
    };
    for (topics, code) in [
        (Vec::new(), Code::AccessNotFound),
        (topic(29, &[]), Code::AccessDenied),
        (topic(5, &[]), Code::AccessLeaderMissing),
        (topic(0, &[1, -1, 1]), Code::AccessLeaderMissing),
        (topic(17, &[]), Code::AccessNotFound),
        (topic(-1, &[]), Code::AccessServerError),
    ] {
        let steps = about_topic(topics, Intent::READ).await;
        expect(&steps, FAIL, code, "bootstrap");
    }
    let steps = about_topic(topic(0, &[1, -1, 1]), Intent::READ).await;
    let found = support::finding(&steps);
    assert_eq!(evidence(&found, "partitions"), "1");
    assert!(found.message.contains("1 of 3 partitions"), "{found:?}");
}

#[tokio::test]
async fn rights_are_those_that_the_statements_need() {
    let both = Intent::READ.and(Intent::WRITE);
    let reader = READ | DESCRIBE;
    let writer = WRITE | DESCRIBE;
    for (rights, intent, code) in [
        (reader, Intent::READ, None),
        (writer, Intent::WRITE, None),
        (reader | writer, both, None),
        (NOT_TOLD, both, None),
        (reader, Intent::WRITE, Some(Code::WriteDenied)),
        (reader, both, Some(Code::WriteDenied)),
        (writer, Intent::READ, Some(Code::ReadDenied)),
        (DESCRIBE, Intent::READ, Some(Code::ReadDenied)),
    ] {
        let steps = about_topic(orders(rights), intent).await;
        let Some(code) = code else {
            assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
            continue;
        };
        let found = expect(&steps, FAIL, code, "bootstrap");
        assert_eq!(pointers(&found), ["/sasl.username"]);
        assert_eq!(evidence(&found, "topic"), "orders");
    }
    let steps = about_topic(orders(NOT_TOLD), Intent::READ).await;
    assert!(note(&steps, "unproven").contains("does not tell"));
    assert!(steps.iter().all(|step| step.stage != Stage::Read));
}

#[tokio::test]
async fn one_dead_bootstrap_address_warns_and_all_of_them_fail() {
    let peer = broker(&[]);
    let (dead, other) = (RefusedPort::start(), RefusedPort::start());
    for target in [
        format!("{},{}", dead.addr(), peer.target()),
        format!("{},{}", peer.target(), dead.addr()),
    ] {
        let steps = ask(&plain(&target)).await;
        expect(&steps, Outcome::Warn, Code::ConnectRefused, "bootstrap");
        assert_eq!(note(&steps, "brokers"), "1");
    }
    let steps = ask(&plain(&format!("{},{}", dead.addr(), other.addr()))).await;
    expect(&steps, FAIL, Code::ConnectRefused, "bootstrap");
    let refused = steps.iter().filter(|step| step.outcome == FAIL);
    assert_eq!(refused.count(), 2);
}

#[tokio::test]
async fn every_advertised_broker_is_dialled() {
    let dead = RefusedPort::start();
    let second = broker(&[]);
    let brokers = vec![
        (1, "127.0.0.1".to_owned(), i32::from(second.port())),
        (2, "127.0.0.1".to_owned(), i32::from(dead.addr().port())),
    ];
    let peer = Peer::start(Script {
        brokers,
        ..Script::default()
    });
    let steps = ask(&plain(&peer.target())).await;
    let found = expect(&steps, FAIL, Code::ConnectRefused, "advertised");
    assert_eq!(evidence(&found, "broker"), "2");
    assert_eq!(evidence(&found, "advertised_as"), dead.addr().to_string());
    assert_eq!(evidence(&found, "advertised_by"), peer.target());
    assert_eq!(second.seen().len(), 1);

    for (host, port) in [
        ("", 9092),
        ("b\u{1b}[2J", 9092),
        ("127.0.0.1", 0),
        ("127.0.0.1", 99_999),
    ] {
        let peer = Peer::start(Script {
            brokers: vec![(7, host.to_owned(), port)],
            ..Script::default()
        });
        let steps = ask(&plain(&peer.target())).await;
        let found = expect(&steps, FAIL, Code::AccessServerError, "bootstrap");
        assert!(found.message.contains("broker 7"), "{found:?}");
    }
}

#[tokio::test]
async fn a_broker_that_sends_its_clients_home_is_told_apart() {
    let dead = RefusedPort::start();
    let peer = Peer::start(Script {
        brokers: vec![(1, "localhost".to_owned(), i32::from(dead.addr().port()))],
        ..Script::default()
    });
    let net = Net::builder().resolve("broker.linkdial.test", [127, 0, 0, 1].into());
    let settings = Settings {
        net: net.build(),
        ..settings()
    };
    let link = plain(&format!("broker.linkdial.test:{}", peer.port()));
    let steps = ask_with(&link, settings, Intent::READ).await;
    let found = expect(&steps, FAIL, Code::ConnectRefused, "advertised");
    assert!(found.hint.unwrap().contains("which is each client itself"));
}

#[tokio::test]
async fn spoofed_names_are_dialled_where_the_link_says() {
    let second = broker(&[]);
    let peer = Peer::start(Script {
        brokers: vec![(1, "inner.linkdial.test".to_owned(), 9092)],
        ..Script::default()
    });
    let config =
        |dialled: &str| format!(r#"{{"spoof.dns": {{"inner.linkdial.test:9092": "{dialled}"}}}}"#);
    let link_to = |dialled: &str| link(&config(dialled), "{}", Some(&peer.target()));
    let steps = ask(&link_to(&second.target())).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert_eq!(second.seen().len(), 1);
    let dead = RefusedPort::start();
    let steps = ask(&link_to(&dead.addr().to_string())).await;
    let found = expect(&steps, FAIL, Code::ConnectRefused, "advertised");
    assert_eq!(pointers(&found), ["/spoof.dns/inner.linkdial.test:9092"]);
    assert_eq!(
        evidence(&found, "advertised_as"),
        "inner.linkdial.test:9092"
    );
}

#[tokio::test]
async fn brokers_of_the_link_itself_are_dialled_without_a_target() {
    let peer = broker(&[]);
    let config = clause(&[("bootstrap.servers", &peer.target())]);
    let steps = ask(&link(&config, "{}", None)).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let dead = RefusedPort::start();
    let config = clause(&[("metadata.broker.list", &dead.addr().to_string())]);
    let steps = ask(&link(&config, "{}", None)).await;
    let found = expect(&steps, FAIL, Code::ConnectRefused, "bootstrap");
    assert_eq!(pointers(&found), ["/metadata.broker.list"]);
    let steps = ask(&link("{}", "{}", None)).await;
    expect(&steps, Outcome::Unverified, Code::DefineNoTarget, "");
}

#[tokio::test]
async fn a_ticket_that_stays_on_the_nodes_is_walked_up_to_its_mechanism() {
    let peer = broker(&["GSSAPI"]);
    let config = clause(&[
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", "GSSAPI"),
        ("sasl.kerberos.disable.kinit", "true"),
    ]);
    let steps = ask(&link(&config, "{}", Some(&peer.target()))).await;
    assert_eq!(verdict(&steps), Outcome::Unverified, "{steps:#?}");
    let found: Vec<_> = steps
        .iter()
        .filter_map(|it| it.diagnosis.as_ref())
        .collect();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found
            .iter()
            .all(|it| it.code == Code::DefineIdentityNotHere)
    );
    assert_eq!(evidence(found[1], "mechanism"), "GSSAPI");
}

#[tokio::test]
async fn a_stage_beyond_until_is_not_walked() {
    let peer = broker(&["PLAIN"]);
    let link = sasl("PLAIN", PASSWORD, &format!("{}/orders", peer.target()));
    for (until, requests) in [
        (Stage::Connect, 0),
        (Stage::Authenticate, 3),
        (Stage::Access, 4),
    ] {
        let before = peer.seen().len();
        let settings = Settings {
            until,
            stage_timeout: Duration::from_millis(800),
            ..Settings::default()
        };
        let steps = ask_with(&link, settings, Intent::READ).await;
        assert_eq!(verdict(&steps), Outcome::Pass, "{until}: {steps:#?}");
        assert_eq!(peer.seen().len() - before, requests, "{until}");
        assert!(steps.iter().all(|step| step.stage != Stage::Read));
    }
}
