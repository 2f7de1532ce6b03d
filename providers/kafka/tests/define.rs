//! What the clauses of a Kafka link may say. No packet is sent.

mod support;

use linkdial_core::testing::definition;
use linkdial_core::{Code, Driver, Kind, Outcome};
use linkdial_kafka::Kafka;
use linkdial_testcontainers::Certificates;
use support::clause;

type Found = (Code, Outcome, String);

/// Returns code, outcome and first key of every finding.
fn findings(config: &str, credentials: &str) -> Vec<Found> {
    let definition = definition(Kind::Kafka, config, credentials);
    let opened = Driver::of::<Kafka>().open(&definition);
    let findings = opened.findings.into_iter();
    findings
        .map(|it| (it.code, it.outcome, it.keys[0].pointer.clone()))
        .collect()
}

fn only(config: &str, credentials: &str, code: Code, key: &str) {
    let place = format!("/{}", key.replace('/', "~1"));
    assert_eq!(
        findings(config, credentials),
        [(code, code.outcome(), place)],
        "{config} {credentials}"
    );
}

/// A CONFIG with SASL in plain text, and more.
fn sasl(more: &[(&str, &str)]) -> String {
    let mut members = vec![("security.protocol", "sasl_plaintext")];
    members.extend(more);
    clause(&members)
}

#[test]
fn good_links_have_no_finding() {
    let login = r#"{"sasl.username": "u", "sasl.password": "p4ssw0rd"}"#;
    for (config, credentials) in [
        ("", ""),
        (r#"{"security.protocol": "PLAINTEXT"}"#, "{}"),
        (
            r#"{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}"#,
            login,
        ),
        (
            r#"{"security.protocol": "sasl_ssl", "sasl.mechanisms": "SCRAM-SHA-512",
                "sasl.username": "u", "ssl.ca.location": "/etc/ssl/ca.pem"}"#,
            r#"{"sasl.password": "p4ssw0rd"}"#,
        ),
        (
            r#"{"security.protocol": "ssl", "ssl.ca.location": "probe",
                "ssl.certificate.location": "/certs/c.pem", "ssl.key.location": "/certs/c.key"}"#,
            r#"{"ssl.key.password": "p4ssw0rd"}"#,
        ),
        (
            r#"{"security.protocol": "sasl_plaintext", "sasl.mechanism": "GSSAPI",
                "sasl.kerberos.service.name": "kafka",
                "sasl.kerberos.principal": "loader/node-1.example.com@EXAMPLE.COM",
                "sasl.kerberos.keytab": "/etc/security/keytabs/loader.keytab"}"#,
            "{}",
        ),
        (
            r#"{"security.protocol": "sasl_ssl", "sasl.mechanism": "OAUTHBEARER",
                "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "c",
                "sasl.oauthbearer.extensions": "logicalCluster=lkc,identityPoolId=pool",
                "sasl.oauthbearer.token.endpoint.url": "https://idp.example.com/token"}"#,
            r#"{"sasl.oauthbearer.client.secret": "s3cret"}"#,
        ),
        (
            r#"{"spoof.dns": {"b1.internal:9092": "proxy.example.com:19092"},
                "operation.timeout.ms": "5000", "fetch.message.max.bytes": 1000000,
                "enable.ssl.certificate.verification": true, "offset.store.method": "broker"}"#,
            "{}",
        ),
    ] {
        assert_eq!(findings(config, credentials), [], "{config}");
    }
}

#[test]
fn credentials_that_the_protocol_does_not_use_are_a_warning() {
    let login = r#"{"sasl.username": "u", "sasl.password": "p4ssw0rd"}"#;
    let code = Code::DefineUnusedCredentials;
    only("", login, code, "sasl.username");
    only(
        r#"{"security.protocol": "ssl"}"#,
        login,
        code,
        "sasl.username",
    );
    // A published example has this; it works because SASL is off.
    only(
        r#"{"security.protocol": "PLAINTEXT", "sasl.mechanism": "PLAINTEXT"}"#,
        "{}",
        code,
        "sasl.mechanism",
    );
    only(
        r#"{"ssl.ca.location": "/certs/ca.pem"}"#,
        "{}",
        code,
        "ssl.ca.location",
    );
}

#[test]
fn protocols_and_mechanisms_are_words() {
    only(
        r#"{"security.protocol": "tls"}"#,
        "",
        Code::DefineInvalidValue,
        "security.protocol",
    );
    for wrong in ["PLAINTEXT", "plain", "SCRAM-SHA-1"] {
        only(
            &sasl(&[("sasl.mechanism", wrong)]),
            "",
            Code::DefineInvalidValue,
            "sasl.mechanism",
        );
    }
    only(
        &sasl(&[("sasl.mechanism", "PLAIN"), ("sasl.mechanisms", "GSSAPI")]),
        "",
        Code::DefineConflictingKeys,
        "sasl.mechanism",
    );
    only(&sasl(&[]), "", Code::DefineMissingKey, "sasl.mechanism");
}

#[test]
fn every_mechanism_has_what_it_needs() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let config = sasl(&[("sasl.mechanism", mechanism)]);
        let user = r#"{"sasl.username": "u"}"#;
        only(&config, user, Code::DefineMissingKey, "sasl.password");
        let password = r#"{"sasl.password": "p4ssw0rd"}"#;
        only(&config, password, Code::DefineMissingKey, "sasl.username");
    }
    let oauth = |more: &[(&str, &str)]| {
        let mut members = vec![("sasl.mechanism", "OAUTHBEARER")];
        members.extend(more);
        sasl(&members)
    };
    only(
        &oauth(&[]),
        "",
        Code::DefineMissingKey,
        "sasl.oauthbearer.method",
    );
    let secret = r#"{"sasl.oauthbearer.client.secret": "s3cret"}"#;
    let id = ("sasl.oauthbearer.client.id", "c");
    let method = ("sasl.oauthbearer.method", "oidc");
    only(
        &oauth(&[id, method]),
        secret,
        Code::DefineMissingKey,
        "sasl.oauthbearer.token.endpoint.url",
    );
    let url = ("sasl.oauthbearer.token.endpoint.url", "idp.example.com");
    only(
        &oauth(&[id, method, url]),
        secret,
        Code::DefineInvalidValue,
        "sasl.oauthbearer.token.endpoint.url",
    );
    let token = |token: &str| clause(&[("sasl.oauthbearer.token", token)]);
    let found = findings(&oauth(&[]), &token("Bearer abc"));
    let codes: Vec<Code> = found.iter().map(|it| it.0).collect();
    assert_eq!(codes, [Code::DefineExtensionKey, Code::DefineInvalidValue]);
    let extensions = ("sasl.oauthbearer.extensions", "auth=x");
    let found = findings(&oauth(&[extensions]), &token("abc"));
    assert_eq!(found[1].0, Code::DefineInvalidValue);
    assert_eq!(found[1].2, "/sasl.oauthbearer.extensions");
}

#[test]
fn kerberos_names_can_not_reach_a_shell() {
    for (key, value) in [
        ("sasl.kerberos.principal", "a@B; touch FILE #"),
        ("sasl.kerberos.principal", "a@B@C"),
        ("sasl.kerberos.principal", "-k"),
        ("sasl.kerberos.service.name", "kafka$(id)"),
        ("sasl.kerberos.ccache", "/tmp/a b"),
        ("sasl.kerberos.cache", "/tmp/`id`"),
    ] {
        let kinit = ("sasl.kerberos.disable.kinit", "true");
        let config = sasl(&[("sasl.mechanism", "GSSAPI"), kinit, (key, value)]);
        only(&config, "", Code::DefineInvalidValue, key);
    }
    let keytab = ("sasl.kerberos.keytab", "/k");
    only(
        &sasl(&[("sasl.mechanism", "GSSAPI"), keytab]),
        "",
        Code::DefineMissingKey,
        "sasl.kerberos.principal",
    );
    only(
        &sasl(&[("sasl.mechanism", "GSSAPI")]),
        "",
        Code::DefineMissingKey,
        "sasl.kerberos.keytab",
    );
}

#[test]
fn dangerous_options_are_refused_with_a_reason() {
    for (option, value, reason) in [
        ("plugin.library.paths", "/tmp/x.so", "run code"),
        ("sasl.kerberos.kinit.cmd", "touch FILE", "run code"),
        ("ssl.engine.location", "/tmp/x.so", "run code"),
        ("offset.store.path", "/etc/passwd", "write files"),
        ("offset.store.method", "file", "write files"),
        ("ssl.keystore.location", "/certs/k.p12", "can not check"),
        (
            "sasl.oauthbearer.metadata.authentication.type",
            "azure_imds",
            "identity of the machine",
        ),
        ("enable.ssl.certificate.verification", "false", "weakens"),
        ("ssl.endpoint.identification.algorithm", "none", "weakens"),
        ("enable.sasl.oauthbearer.unsecure.jwt", "true", "signed"),
        ("debug", "all", "own tests"),
        ("test.mock.num.brokers", "3", "own tests"),
        ("resolve_cb", "x", "takes a function"),
    ] {
        let config = clause(&[(option, value)]);
        only(&config, "", Code::DefineRefusedOption, option);
        let opened = Driver::of::<Kafka>().open(&definition(Kind::Kafka, &config, ""));
        let message = &opened.findings[0].message;
        assert!(message.contains(reason), "{message}");
        assert!(opened.provider.is_none());
    }
}

#[test]
fn addresses_in_the_clauses_are_checked() {
    for wrong in ["b1:", "b1:99999", "kafka://b1:9092"] {
        only(
            &clause(&[("bootstrap.servers", wrong)]),
            "",
            Code::DefineInvalidValue,
            "bootstrap.servers",
        );
    }
    for (entry, pointer) in [
        (r#""a": "b:1""#, "/spoof.dns/a"),
        (r#""a/x:1": "b""#, "/spoof.dns/a~1x:1"),
    ] {
        let found = findings(&format!(r#"{{"spoof.dns": {{{entry}}}}}"#), "");
        let wanted = (Code::DefineInvalidValue, Outcome::Fail, pointer.to_owned());
        assert_eq!(found, [wanted]);
    }
}

#[test]
fn certificate_and_key_belong_together() {
    let certificates = Certificates::shared();
    let (client, other) = (certificates.client(), certificates.foreign_client());
    let with = |members: &[(&str, &str)], key: &str| {
        let mut config = vec![("security.protocol", "ssl")];
        config.extend(members);
        findings(&clause(&config), &clause(&[("ssl.key.pem", key)]))
    };
    let certificate = ("ssl.certificate.pem", client.certificate_pem());
    assert_eq!(with(&[certificate], client.key_pem()), []);
    let one = |code: Code, key: &str| [(code, Outcome::Fail, format!("/{key}"))];
    assert_eq!(
        with(&[certificate], other.key_pem()),
        one(Code::DefineCertificateKeyMismatch, "ssl.certificate.pem")
    );
    assert_eq!(
        with(&[certificate], client.certificate_pem()),
        one(Code::DefineInvalidValue, "ssl.key.pem")
    );
    assert_eq!(
        with(&[("ssl.certificate.pem", "MIIB")], client.key_pem()),
        one(Code::DefineInvalidValue, "ssl.certificate.pem")
    );
    assert_eq!(
        with(&[("ssl.ca.pem", "x"), certificate], client.key_pem()),
        one(Code::DefineInvalidValue, "ssl.ca.pem")
    );
    assert_eq!(
        with(&[], client.key_pem()),
        one(Code::DefineMissingKey, "ssl.certificate.location")
    );
    let file = r#"{"security.protocol": "ssl", "ssl.certificate.location": "/c.pem"}"#;
    only(file, "", Code::DefineMissingKey, "ssl.key.location");
    let both = [
        ("security.protocol", "ssl"),
        ("ssl.ca.pem", certificates.ca_pem()),
        ("ssl.ca.location", "/ca.pem"),
    ];
    only(
        &clause(&both),
        "",
        Code::DefineConflictingKeys,
        "ssl.ca.location",
    );
}

#[test]
fn secrets_in_config_are_a_warning_and_unknown_keys_too() {
    let config = sasl(&[
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "u"),
        ("sasl.password", "p4ssw0rd"),
    ]);
    only(&config, "", Code::DefineSecretInConfig, "sasl.password");
    only(
        r#"{"sasl.kerberos.cash": "x"}"#,
        "",
        Code::DefineUnknownKey,
        "sasl.kerberos.cash",
    );
}
