//! Settings that do not fit the listener: the layer, the code and the key.

use linkdial::report::Format;
use linkdial_testcontainers::KafkaListener::{
    MutualTls, Oidc, Plain, Plaintext, ScramSha256, ScramSha512, Tls,
};
use linkdial_testcontainers::KafkaUser::{Alice, Reader};
use linkdial_testcontainers::{
    Certificates, KafkaListener, KafkaOptions, LinkStatement, SecuredKafka,
};
use serde_json::Value;

use crate::lab::{Case, Told, evidence, fail, report, verify};

const PASSWORD: &str = "/sasl.password";
const PROTOCOL: &str = "/security.protocol";
const CA: &str = "/ssl.ca.pem";
const CERTIFICATE: &str = "/ssl.certificate.pem";

fn orders(kafka: &SecuredKafka, listener: KafkaListener) -> String {
    format!("{}/orders", kafka.bootstrap_of(listener))
}

#[test]
fn a_wrong_login_is_named_by_its_key() {
    let kafka = SecuredKafka::shared();
    let link = |name: &str, listener| kafka.create_link_for(name, listener, Reader);
    let wrong = "n0t-the-passw0rd";
    let code = "authenticate.bad-credentials";
    let at = "bootstrap";
    let bad = |name: &str, listener| {
        let link = link(name, listener).credential("sasl.password", wrong);
        fail(link, orders(kafka, listener), code, at, PASSWORD)
    };
    let stranger = link("stranger", ScramSha512).credential("sasl.username", "stranger");
    let mechanism = link("mechanism", Plain).config("sasl.mechanism", "SCRAM-SHA-256");
    let without = link("without", Plaintext);
    let onto = link("onto", ScramSha256).config("security.protocol", "sasl_plaintext");
    let cases: Vec<Case> = vec![
        bad("plain", Plain),
        bad("scram256", ScramSha256),
        bad("scram512", ScramSha512),
        fail(stranger, orders(kafka, ScramSha512), code, at, PASSWORD),
        fail(
            mechanism,
            orders(kafka, Plain),
            "authenticate.mechanism-not-offered",
            at,
            "/sasl.mechanism",
        ),
        fail(
            without,
            orders(kafka, Plain),
            "authenticate.required",
            at,
            PROTOCOL,
        ),
        fail(
            onto,
            orders(kafka, Plaintext),
            "authenticate.mechanism-not-offered",
            at,
            PROTOCOL,
        ),
    ];
    let checks = verify(&[], &cases);
    assert_eq!(evidence(&checks[4], "offered"), "PLAIN");
    assert!(!format!("{checks:?}").contains(wrong));
}

#[test]
fn what_is_wrong_with_tls_is_named_by_its_key() {
    let kafka = SecuredKafka::shared();
    let certificates = Certificates::shared();
    let at = "bootstrap";
    let foreign = certificates.foreign_client();
    let tls = |name: &str| kafka.create_link_for(name, Tls, Alice);
    let mutual = |name: &str| kafka.create_link_for(name, MutualTls, Alice);
    let plain = kafka.create_link_for("plain", Plaintext, Alice);
    let sasl = kafka.create_link_for("sasl", Plain, Alice);
    let scram = kafka.create_link_for("scram", ScramSha512, Alice);
    let to = orders(kafka, Tls);
    let to_mutual = orders(kafka, MutualTls);
    verify(
        &[],
        &[
            fail(
                tls("unknown").config("ssl.ca.pem", certificates.foreign_ca_pem()),
                to.clone(),
                "tls.unknown-issuer",
                at,
                CA,
            ),
            fail(
                tls("system").without("ssl.ca.pem"),
                to.clone(),
                "tls.unknown-issuer",
                at,
                "/ssl.ca.location",
            ),
            fail(
                tls("bare"),
                to_mutual.clone(),
                "tls.client-certificate-required",
                at,
                "/ssl.certificate.location",
            ),
            fail(
                mutual("foreign")
                    .config("ssl.certificate.pem", foreign.certificate_pem())
                    .credential("ssl.key.pem", foreign.key_pem()),
                to_mutual.clone(),
                "tls.client-certificate-refused",
                at,
                CERTIFICATE,
            ),
            fail(
                mutual("pair").credential("ssl.key.pem", foreign.key_pem()),
                to_mutual,
                "define.certificate-key-mismatch",
                "",
                CERTIFICATE,
            ),
            fail(plain, to, "tls.required", at, PROTOCOL),
            fail(
                sasl,
                orders(kafka, ScramSha512),
                "tls.required",
                at,
                PROTOCOL,
            ),
            fail(
                tls("onto"),
                orders(kafka, Plaintext),
                "tls.not-tls",
                at,
                PROTOCOL,
            ),
            fail(scram, orders(kafka, Plain), "tls.not-tls", at, PROTOCOL),
        ],
    );
}

#[test]
fn a_certificate_of_another_name_is_no_unknown_one() {
    let certificates = Certificates::shared();
    let options = KafkaOptions::default().tls(certificates, certificates.wrong_name());
    let kafka = options.start().unwrap();
    let link = kafka.create_link_for("l", Tls, Alice);
    let checks = verify(
        &[],
        &[fail(
            link,
            orders(&kafka, Tls),
            "tls.name-mismatch",
            "bootstrap",
            "",
        )],
    );
    assert!(!evidence(&checks[0], "names").is_empty());
}

#[test]
fn a_login_that_nothing_switches_on_is_said_before_any_packet() {
    let kafka = SecuredKafka::shared();
    let link = kafka
        .create_link_for("l", Plain, Alice)
        .without("security.protocol")
        .without("sasl.mechanism");
    let script = format!(
        "{link}{}",
        kafka.create_pipeline_for("p", Plain, "orders", &link)
    );
    let first = |report: &Value| {
        let step = report["checks"][0]["steps"][0].clone();
        assert_eq!(step["stage"], "define", "{step:#}");
        assert_eq!(step["diagnosis"]["code"], "define.unused-credentials");
        assert_eq!(step["diagnosis"]["keys"][0]["pointer"], "/sasl.username");
    };
    let dialled = report(&[], &script);
    first(&dialled);
    assert_eq!(
        Told::of(&dialled["checks"][0]).code,
        "authenticate.required"
    );
    let offline = report(&["--offline"], &script);
    first(&offline);
    assert_eq!(offline["checks"][0]["verdict"], "warn");
}

/// What only librdkafka objects to is found by librdkafka.
#[test]
fn a_value_that_the_client_does_not_take_is_named_by_its_key() {
    let kafka = SecuredKafka::shared();
    let link = |name: &str| kafka.create_link_for(name, Plain, Alice);
    let to = orders(kafka, Plain);
    verify(
        &[],
        &[
            fail(
                link("word").config("broker.address.family", "v5"),
                to.clone(),
                "define.invalid-value",
                "bootstrap",
                "/broker.address.family",
            ),
            fail(
                link("range").config("fetch.min.bytes", "0"),
                to,
                "define.invalid-value",
                "bootstrap",
                "/fetch.min.bytes",
            ),
        ],
    );
}

#[test]
fn a_token_endpoint_that_is_down_is_no_broker() {
    let kafka = SecuredKafka::shared();
    let closed = linkdial_testcontainers::broken::RefusedPort::start();
    let url = format!("http://{}/token", closed.addr());
    let link: LinkStatement = kafka
        .create_link_for("l", Oidc, Alice)
        .config("sasl.oauthbearer.token.endpoint.url", url);
    verify(
        &[],
        &[fail(
            link,
            orders(kafka, Oidc),
            "connect.refused",
            "token",
            "/sasl.oauthbearer.token.endpoint.url",
        )],
    );
}

/// Secrets come back in no output, not even where the client library repeats its settings.
#[test]
fn no_output_repeats_a_secret() {
    let kafka = SecuredKafka::shared();
    let secret = "s3cret,with=signs\"and\\slashes";
    let link = kafka
        .create_link_for("l", Plain, Alice)
        .credential("sasl.password", secret)
        .config("fetch.min.bytes", "0");
    let script = format!(
        "{link}{}",
        kafka.create_pipeline_for("p", Plain, "orders", &link)
    );
    for format in Format::ALL.map(Format::as_str) {
        let output = crate::lab::linkdial(&["verify", "-v", "--format", format], &script);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains("s3cret"), "{text}");
    }
}
