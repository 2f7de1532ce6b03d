//! Every way into the broker, for each of its users, with a client that others have made.

#![cfg(unix)] // the layout of a Python environment
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/python.rs"]
mod python;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use linkdial_testcontainers::{
    Certificates, KafkaListener, KafkaOptions, KafkaUser, LinkStatement, Scratch, SecuredKafka,
    TokenIssuer, TokenIssuerOptions,
};
use rustls::{AlertDescription, CertificateError, ClientConnection, StreamOwned};
use serde_json::{Map, Value, json};

/// The listeners whose broker can be reached.
const HEALTHY: [KafkaListener; 8] = [
    KafkaListener::Plaintext,
    KafkaListener::Tls,
    KafkaListener::MutualTls,
    KafkaListener::Plain,
    KafkaListener::ScramSha256,
    KafkaListener::ScramSha512,
    KafkaListener::OauthBearer,
    KafkaListener::Oidc,
];

/// The keys of both clauses of a statement.
fn keys(link: &LinkStatement) -> Map<String, Value> {
    let text = link.to_string();
    let clauses = text.lines().filter_map(|line| {
        let (clause, rest) = line.split_once(" '")?;
        ["CREDENTIALS", "CONFIG"].contains(&clause).then_some(rest)
    });
    let objects = clauses.flat_map(|literal| {
        let json = literal.trim_end_matches(';').strip_suffix('\'').unwrap();
        let json = json.replace("''", "'").replace(r"\\", r"\");
        serde_json::from_str::<Map<_, _>>(&json).unwrap()
    });
    objects.collect()
}

/// A case for the client: a link at a listener.
fn case(kafka: &SecuredKafka, listener: KafkaListener, link: &LinkStatement) -> Value {
    let mut settings = keys(link);
    let bootstrap = kafka.bootstrap_of(listener);
    settings.insert("bootstrap.servers".to_owned(), bootstrap.into());
    json!({"settings": settings})
}

/// What the client says of each case.
fn answers(cases: &[Value]) -> Vec<Value> {
    let input = serde_json::to_string(cases).unwrap();
    serde_json::from_str(&python::run_script("kafka.py", &[], &input)).unwrap()
}

#[test]
fn listeners_have_ports_of_their_own() {
    let kafka = SecuredKafka::shared();
    let ports = KafkaListener::ALL.map(|listener| kafka.addr_of(listener).port());
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    ports.dedup();
    // Both kinds of SCRAM share one.
    assert_eq!(ports.len(), KafkaListener::ALL.len() - 1);
    for (topic, partitions) in [("orders", 3), ("empty", 2), ("secret", 2)] {
        let leaders = kafka.topic(topic).unwrap().leaders;
        assert_eq!(leaders, vec![Some(1); partitions], "{topic}");
    }
}

#[test]
fn statements_of_each_listener_let_the_client_in() {
    let kafka = SecuredKafka::shared();
    let alice = KafkaUser::Alice;
    let links = HEALTHY.into_iter().flat_map(|listener| {
        [
            (listener, kafka.create_link_for("x", listener, alice)),
            (listener, kafka.create_link_with_files("x", listener, alice)),
        ]
    });
    let (listeners, cases): (Vec<_>, Vec<_>) = links
        .map(|(listener, link)| (listener, case(kafka, listener, &link)))
        .unzip();
    for (listener, answer) in listeners.into_iter().zip(answers(&cases)) {
        let anonymous = [KafkaListener::Plaintext, KafkaListener::Tls].contains(&listener);
        let topics = if anonymous {
            json!(["empty", "orders", "secret"])
        } else {
            json!(["empty", "orders"])
        };
        assert_eq!(answer, json!({"topics": topics}), "{listener:?}");
    }
}

#[test]
fn users_may_do_what_they_are_made_for() {
    let kafka = SecuredKafka::shared();
    let cases = KafkaUser::ALL.map(|user| {
        let link = kafka.create_link_for("x", KafkaListener::Plain, user);
        let mut case = case(kafka, KafkaListener::Plain, &link);
        case["topic"] = "orders".into();
        case
    });
    let no = "TOPIC_AUTHORIZATION_FAILED";
    let both = ["empty", "orders"];
    let expected = [
        (&["empty", "orders", "secret"][..], "ok", "ok"),
        (&both, "ok", "ok"),
        (&both, no, "ok"),
        (&both, "ok", no),
        (&both, no, no),
        (&[], no, no),
    ];
    for ((user, answer), (topics, write, read)) in
        KafkaUser::ALL.iter().zip(answers(&cases)).zip(expected)
    {
        let expected = json!({"topics": topics, "write": write, "read": read});
        assert_eq!(answer, expected, "{user:?}");
    }
}

#[test]
fn wrong_logins_are_refused() {
    let kafka = SecuredKafka::shared();
    let link = |listener| kafka.create_link_for("x", listener, KafkaUser::Alice);
    let with_password = |listener| link(listener).credential("sasl.password", "not-it");
    let mut cases = [
        KafkaListener::Plain,
        KafkaListener::ScramSha256,
        KafkaListener::ScramSha512,
    ]
    .map(|listener| case(kafka, listener, &with_password(listener)))
    .to_vec();
    // A mechanism of another listener.
    let other = link(KafkaListener::Plain).config("sasl.mechanism", "SCRAM-SHA-256");
    cases.push(case(kafka, KafkaListener::Plain, &other));
    let mut with_token = |listener, token| {
        let link = link(listener)
            .without("enable.sasl.oauthbearer.unsecure.jwt")
            .without("sasl.oauthbearer.method");
        let mut case = case(kafka, listener, &link);
        case["token"] = token;
        cases.push(case);
    };
    let (oauth, oidc) = (KafkaListener::OauthBearer, KafkaListener::Oidc);
    let signed = |seconds| kafka.issuer().token("alice", seconds).into();
    let unsigned = |seconds| KafkaUser::Alice.unsigned_token(seconds).into();
    let foreign = TokenIssuer::start().token("alice", 300).into();
    with_token(oauth, unsigned(-60));
    with_token(oidc, unsigned(300));
    with_token(oidc, signed(-60));
    with_token(oidc, foreign);
    with_token(oauth, unsigned(300));
    with_token(oidc, signed(300));
    let secret = link(oidc).credential("sasl.oauthbearer.client.secret", "not-it");
    let from = |issuer: &TokenIssuer| {
        let link = link(oidc).config(
            "sasl.oauthbearer.token.endpoint.url",
            issuer.token_endpoint(),
        );
        case(kafka, oidc, &link)
    };
    let options = TokenIssuerOptions::default();
    let same = options.clone().start_as(kafka.issuer());
    cases.push(from(&same));
    let expired = options.clone().life(-60).start_as(kafka.issuer());
    let elsewhere = options.audience("elsewhere").start_as(kafka.issuer());
    let refused = [case(kafka, oidc, &secret), from(&expired), from(&elsewhere)];
    let good = cases.split_off(cases.len() - 3);
    for answer in answers(&good) {
        assert_eq!(answer, json!({"topics": ["empty", "orders"]}));
    }
    cases.extend(refused);
    for (case, answer) in cases.iter().zip(answers(&cases)) {
        assert_eq!(answer, json!({"error": "_AUTHENTICATION"}), "{case:#}");
    }
}

#[test]
fn broker_of_another_authority_is_refused() {
    let kafka = SecuredKafka::shared();
    let cases = HEALTHY
        .into_iter()
        .filter(|listener| listener.is_tls())
        .map(|listener| {
            let link = kafka.create_link_for("x", listener, KafkaUser::Alice);
            let foreign = Certificates::shared().foreign_ca_pem();
            case(kafka, listener, &link.config("ssl.ca.pem", foreign))
        });
    let cases: Vec<_> = cases.collect();
    assert_eq!(cases.len(), 6);
    for (case, answer) in cases.iter().zip(answers(&cases)) {
        assert_eq!(answer, json!({"error": "_SSL"}), "{case:#}");
    }
}

/// What kcat says of the topics that it sees with a link's settings. It tries for so many seconds
/// what is refused.
fn kcat(kafka: &SecuredKafka, link: &LinkStatement, patience: &str) -> String {
    let mut kcat = Command::new("timeout");
    kcat.args(["60", "kcat", "-L", "-m", patience]);
    kcat.args(["-b", &kafka.bootstrap_of(KafkaListener::Gssapi)]);
    for (key, value) in keys(link) {
        let value = value.as_str().unwrap().to_owned();
        kcat.args(["-X", &format!("{key}={value}")]);
    }
    let tickets = Scratch::new("tickets").unwrap();
    let output = kcat
        .env("KRB5_CONFIG", kafka.kdc().krb5_conf())
        .env("KRB5CCNAME", tickets.path().join("cache"))
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn kerberos_lets_its_users_in() {
    let kafka = SecuredKafka::shared();
    let listener = KafkaListener::Gssapi;
    let link = |user| kafka.create_link_for("x", listener, user);
    assert_eq!(
        kafka.advertised_by(listener),
        kafka.bootstrap_of(listener),
        "a client must not be sent away from the service's name"
    );
    for (user, topics) in [
        (KafkaUser::Admin, &["orders", "empty", "secret"][..]),
        (KafkaUser::Reader, &["orders", "empty"]),
        (KafkaUser::Nobody, &[]),
    ] {
        let seen = kcat(kafka, &link(user), "20");
        assert!(seen.contains(&kafka.bootstrap_of(listener)), "{seen}");
        for topic in ["orders", "empty", "secret"] {
            let shown = seen.contains(&format!("topic \"{topic}\" with"));
            assert_eq!(shown, topics.contains(&topic), "{user:?}, {topic}: {seen}");
        }
    }
    let kdc = kafka.kdc();
    let keytab = |file: std::path::PathBuf| file.display().to_string();
    for (principal, file, words) in [
        (
            "stranger",
            kdc.unknown_keytab("stranger").unwrap(),
            "not found in Kerberos database",
        ),
        (
            "late",
            kdc.stale_keytab("late").unwrap(),
            "Preauthentication failed",
        ),
    ] {
        let link = link(KafkaUser::Alice)
            .config("sasl.kerberos.principal", kdc.principal(principal))
            .config("sasl.kerberos.keytab", keytab(file));
        let seen = kcat(kafka, &link, "5");
        assert!(seen.contains(words) && !seen.contains("topic \""), "{seen}");
    }
}

#[test]
fn statement_of_kerberos_names_service_principal_and_keytab() {
    let kafka = SecuredKafka::shared();
    let listener = KafkaListener::Gssapi;
    let link = kafka.create_link_with_files("x", listener, KafkaUser::Writer);
    let mut keys = keys(&link);
    let keytab = keys.remove("sasl.kerberos.keytab").unwrap();
    assert!(std::path::Path::new(keytab.as_str().unwrap()).is_file());
    assert_eq!(
        Value::Object(keys),
        json!({
            "security.protocol": "sasl_plaintext",
            "sasl.mechanism": "GSSAPI",
            "sasl.kerberos.service.name": "kafka",
            "sasl.kerberos.principal": "writer@LINKDIAL.TEST",
        })
    );
    let port = kafka.addr_of(listener).port();
    assert_eq!(
        kafka.create_pipeline_for("p", listener, "orders", &link),
        format!("CREATE PIPELINE p AS LOAD DATA LINK x 'localhost:{port}/orders' INTO TABLE t;\n")
    );
}

/// With TLS 1.3 the client hears of it only after its own last word.
#[test]
fn mutual_tls_takes_certificates_of_its_authority_alone() {
    let address = SecuredKafka::shared().addr_of(KafkaListener::MutualTls);
    let certificates = Certificates::shared();
    let foreign = certificates.foreign_client();
    // Newer Javas say that one is missing, older ones that it is bad.
    let missing = [
        AlertDescription::CertificateRequired,
        AlertDescription::BadCertificate,
    ];
    for (tls, expected) in [
        (certificates.client_tls_with(certificates.client()), &[][..]),
        (certificates.client_tls(), &missing),
        (
            certificates.client_tls_with(foreign),
            &[AlertDescription::CertificateUnknown],
        ),
    ] {
        let tls = ClientConnection::new(tls, address.ip().into()).unwrap();
        let mut stream = StreamOwned::new(tls, TcpStream::connect(address).unwrap());
        // ApiVersions, version 0, without a name of the client.
        stream
            .write_all(b"\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff")
            .unwrap();
        match stream.read_exact(&mut [0; 8]) {
            Ok(()) => assert!(expected.is_empty(), "let in: {expected:?}"),
            Err(error) => match *error.into_inner().unwrap().downcast().unwrap() {
                rustls::Error::AlertReceived(alert) => {
                    assert!(expected.contains(&alert), "{alert:?}");
                }
                other => panic!("{other}"),
            },
        }
    }
}

#[test]
fn misleading_listeners_advertise_brokers_that_are_dead() {
    let kafka = SecuredKafka::shared();
    let advertised = |listener| {
        let brokers = kafka.brokers_of(listener).unwrap();
        assert_eq!(brokers, [kafka.advertised_by(listener)]);
        brokers.concat()
    };
    assert_eq!(advertised(KafkaListener::Plaintext), kafka.bootstrap());
    let closed = TcpStream::connect(advertised(KafkaListener::ClosedPort));
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let port = kafka.addr_of(KafkaListener::UnresolvableName).port();
    assert_eq!(
        advertised(KafkaListener::UnresolvableName),
        format!("broker-1.invalid:{port}")
    );
    let mut mute = TcpStream::connect(advertised(KafkaListener::Mute)).unwrap();
    mute.set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert_eq!(
        mute.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn broker_shows_the_certificate_and_has_the_properties_that_were_asked_for() {
    let certificates = Certificates::shared();
    let kafka = KafkaOptions::default()
        .tls(certificates, certificates.expired())
        .property("auto.create.topics.enable", "true")
        .start()
        .unwrap();
    let listener = KafkaListener::Tls;
    let address = kafka.addr_of(listener);
    let tls = certificates.client_tls();
    let mut tls = ClientConnection::new(tls, address.ip().into()).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let error = tls.complete_io(&mut stream).unwrap_err();
    let error = *error.into_inner().unwrap().downcast().unwrap();
    assert!(
        matches!(
            error,
            rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })
        ),
        "{error}"
    );
    // Whoever asks for a topic has it made, though not at once.
    let begin = Instant::now();
    while let Err(error) = kafka.topic("made") {
        assert!(begin.elapsed() < Duration::from_secs(20), "{error}");
    }
}

#[test]
fn pipelines_name_the_listener() {
    let kafka = SecuredKafka::shared();
    let listener = KafkaListener::ScramSha512;
    let link = kafka.create_link_with_files("x", listener, KafkaUser::Reader);
    let text = link.to_string();
    let (head, config) = text.split_once("CONFIG '").unwrap();
    assert_eq!(
        head,
        "CREATE LINK x AS KAFKA\n\
         CREDENTIALS '{\"sasl.username\":\"reader\",\"sasl.password\":\"reader-pw\"}'\n"
    );
    let begin = "{\"security.protocol\":\"sasl_ssl\",\"sasl.mechanism\":\"SCRAM-SHA-512\",\"ssl.ca.location\":";
    assert!(config.starts_with(begin), "{config}");
    assert_eq!(
        kafka.create_pipeline_for("p", listener, "secret", &link),
        format!(
            "CREATE PIPELINE p AS LOAD DATA LINK x '{}/secret' INTO TABLE t;\n",
            kafka.addr_of(listener)
        )
    );
}
