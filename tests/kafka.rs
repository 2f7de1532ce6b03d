//! A script of Kafka links against a real broker with every kind of listener: exact verdict, code
//! and role of each.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use linkdial_testcontainers::{
    KafkaListener, KafkaUser, SchemaRegistry, SchemaRegistryOptions, SecuredKafka,
    TokenIssuerOptions,
};
use serde_json::Value;

/// A listener, who comes, the topic; what is said, and of which broker.
type Case = (
    KafkaListener,
    KafkaUser,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);

fn verify(script: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.sql");
    fs::write(&path, script).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .args(["verify", "--format", "json", "--timeout", "2s"])
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_listener_of_a_real_broker_is_told_apart() {
    use KafkaListener::{
        ClosedPort, Mute, MutualTls, OauthBearer, Oidc, Plain, Plaintext, ScramSha256, ScramSha512,
        Tls, UnresolvableName,
    };
    use KafkaUser::{Alice, Nobody, Reader, Writer};

    let cases: &[Case] = &[
        (Plaintext, Alice, "orders", "pass", None, None),
        (Tls, Alice, "orders", "pass", None, None),
        (MutualTls, Alice, "orders", "pass", None, None),
        (Plain, Alice, "orders", "pass", None, None),
        (ScramSha256, Alice, "orders", "pass", None, None),
        (ScramSha512, Alice, "orders", "pass", None, None),
        (Oidc, Alice, "orders", "pass", None, None),
        (Oidc, Writer, "orders", "fail", Some("read.denied"), None),
        // An unsigned token proves nothing.
        (
            OauthBearer,
            Alice,
            "orders",
            "fail",
            Some("define.refused-option"),
            None,
        ),
        (Plain, Reader, "orders", "pass", None, None),
        (Plain, Writer, "orders", "fail", Some("read.denied"), None),
        (Plain, Nobody, "orders", "fail", Some("access.denied"), None),
        (Plain, Alice, "secret", "fail", Some("access.denied"), None),
        (
            Plaintext,
            Alice,
            "nowhere",
            "fail",
            Some("access.not-found"),
            None,
        ),
        (
            ClosedPort,
            Alice,
            "orders",
            "fail",
            Some("connect.refused"),
            Some("advertised"),
        ),
        (
            UnresolvableName,
            Alice,
            "orders",
            "fail",
            Some("resolve.not-found"),
            Some("advertised"),
        ),
        (
            Mute,
            Alice,
            "orders",
            "fail",
            Some("access.timed-out"),
            Some("advertised"),
        ),
    ];
    let kafka = SecuredKafka::shared();
    let mut script = String::new();
    for (number, (listener, user, topic, ..)) in cases.iter().enumerate() {
        let link = kafka.create_link_for(&format!("l{number}"), *listener, *user);
        let pipeline = kafka.create_pipeline_for(&format!("p{number}"), *listener, topic, &link);
        write!(script, "{link}{pipeline}").unwrap();
    }
    let report = verify(&script);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), cases.len(), "{report:#}");
    let mut wrong = String::new();
    for (check, (listener, user, topic, verdict, code, role)) in checks.iter().zip(cases) {
        let steps = check["steps"].as_array().unwrap();
        let guilty = steps
            .iter()
            .find(|step| step["diagnosis"]["code"] == check["code"]);
        let found_role = guilty.map_or(&Value::Null, |step| &step["role"]);
        let fits = check["verdict"] == *verdict
            && check["code"].as_str() == *code
            && role.is_none_or(|role| found_role == role);
        if !fits {
            writeln!(
                wrong,
                "{listener:?} {user:?} {topic}: {} {} {found_role}: {}",
                check["verdict"], check["code"], check["diagnosis"]["message"]
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_registry_is_dialled_with_the_pipeline_that_names_it() {
    let kafka = SecuredKafka::shared();
    let (open, locked) = (
        SchemaRegistry::start(),
        SchemaRegistryOptions::default().with_login().start(),
    );
    let target = format!("{}/orders", kafka.bootstrap_of(KafkaListener::Plain));
    let link = |name| kafka.create_link_for(name, KafkaListener::Plain, KafkaUser::Alice);
    let (without, with) = (link("l"), locked.extend_link(link("m")));
    let script = [
        without.to_string(),
        with.to_string(),
        open.create_pipeline("a", &target, &without),
        locked.create_pipeline("b", &target, &without),
        locked.create_pipeline("c", &target, &with),
    ];
    let report = verify(&script.concat());
    let checks = report["checks"].as_array().unwrap();
    let found: Vec<_> = checks
        .iter()
        .map(|check| (check["verdict"].as_str(), check["code"].as_str()))
        .collect();
    let required = (Some("fail"), Some("authenticate.required"));
    let pass = (Some("pass"), None);
    assert_eq!(found, [pass, required, pass], "{report:#}");
    let key = ("CREDENTIALS", "/schema.registry.username");
    assert_eq!(first_key(&checks[1]), key);
    assert!(open.requests().iter().all(|it| it.path == "/subjects"));
}

#[test]
fn a_token_that_does_not_fit_is_told_apart() {
    let kafka = SecuredKafka::shared();
    let options = TokenIssuerOptions::default;
    let same = |options: TokenIssuerOptions| options.start_as(kafka.issuer());
    let cases = [
        (same(options()), None, ""),
        (
            same(options().audience("other")),
            Some("authenticate.token-invalid"),
            "bootstrap",
        ),
        (
            options().start(),
            Some("authenticate.token-invalid"),
            "bootstrap",
        ),
        (
            same(options().life(-60)),
            Some("authenticate.token-expired"),
            "token",
        ),
        (
            options().refusing().start(),
            Some("authenticate.token-endpoint"),
            "token",
        ),
    ];
    let own = kafka.issuer().token_endpoint();
    let mut script = String::new();
    for (number, (issuer, ..)) in cases.iter().enumerate() {
        let link =
            kafka.create_link_for(&format!("l{number}"), KafkaListener::Oidc, KafkaUser::Alice);
        let pipeline =
            kafka.create_pipeline_for(&format!("p{number}"), KafkaListener::Oidc, "orders", &link);
        let link = link.to_string().replace(&own, &issuer.token_endpoint());
        write!(script, "{link}{pipeline}").unwrap();
    }
    let report = verify(&script);
    let checks = report["checks"].as_array().unwrap();
    for (check, (_, code, role)) in checks.iter().zip(&cases) {
        assert_eq!(check["code"].as_str(), *code, "{check:#}");
        let steps = check["steps"].as_array().unwrap();
        let mut failed = steps.iter().filter(|step| step["outcome"] == "fail");
        let found = failed
            .next()
            .map_or("", |step| step["role"].as_str().unwrap());
        assert_eq!(found, *role, "{check:#}");
    }
    let audience = &checks[1]["diagnosis"]["evidence"]["audience"];
    assert_eq!(audience, "other", "{:#}", checks[1]);
}

/// The key of a diagnosis that stands first.
fn first_key(check: &Value) -> (&str, &str) {
    let key = &check["diagnosis"]["keys"][0];
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    (text("clause"), text("pointer"))
}

#[test]
fn a_wrong_setting_is_named_by_its_key() {
    use KafkaListener::{Plain, Plaintext, ScramSha256, ScramSha512, Tls};

    let kafka = SecuredKafka::shared();
    let password = KafkaUser::Reader.password();
    let wrong = ["not", password.as_str()].join("-");
    // A listener, the link of another one that goes there, and a word of it with its replacement.
    let cases = [
        (
            Plain,
            Plain,
            password.as_str(),
            wrong.as_str(),
            "authenticate.bad-credentials",
        ),
        (
            ScramSha256,
            ScramSha256,
            &password,
            &wrong,
            "authenticate.bad-credentials",
        ),
        (
            ScramSha512,
            ScramSha512,
            &password,
            &wrong,
            "authenticate.bad-credentials",
        ),
        (
            Plain,
            ScramSha512,
            "sasl_ssl",
            "sasl_plaintext",
            "authenticate.mechanism-not-offered",
        ),
        (Plain, Plaintext, "", "", "authenticate.required"),
        (Plaintext, Tls, "", "", "tls.not-tls"),
        (Tls, Plaintext, "", "", "tls.required"),
    ];
    let mut script = String::new();
    for (number, (listener, of, from, to, _)) in cases.iter().enumerate() {
        let link = kafka.create_link_for(&format!("l{number}"), *of, KafkaUser::Reader);
        let pipeline = kafka.create_pipeline_for(&format!("p{number}"), *listener, "orders", &link);
        let link = link.to_string();
        let link = if from.is_empty() {
            link
        } else {
            link.replace(from, to)
        };
        write!(script, "{link}{pipeline}").unwrap();
    }
    let report = verify(&script);
    let found: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["code"].as_str().unwrap_or_default(), first_key(check)))
        .collect();
    let expected: Vec<_> = cases.iter().map(|(.., code)| *code).collect();
    let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, expected, "{report:#}");
    let password = ("CREDENTIALS", "/sasl.password");
    assert!(
        found[..3]
            .iter()
            .all(|(_, key)| *key == password || key.1 == "/sasl.username"),
        "{found:?}"
    );
    assert!(!report.to_string().contains(&wrong));
}
