//! Handshakes: every reason for which one fails has its own code.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can not set itself up has failed"
)]

mod support;

use std::sync::Arc;

use linkdial_core::net::{ClientIdentity, HttpClient, Net, TlsOptions};
use linkdial_core::{
    Code, Diagnosis, Endpoint, Intent, Outcome, Probe, Redactor, Role, Settings, Stage,
};
use linkdial_testcontainers::broken::{
    Broken, Fault, HTTP_BAD_REQUEST, SMTP_BANNER, SSH_BANNER, TLS_HANDSHAKE_FAILURE,
};
use linkdial_testcontainers::{Answer, Certificates, Identity, Match, ScriptedHttp, ServerTls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use support::{Climb, climb_tls, evidence};
use tokio_util::sync::CancellationToken;

fn trusting() -> Net {
    Net::builder()
        .ca_pem(Certificates::shared().ca_pem().as_bytes())
        .unwrap()
        .build()
}

fn serve(tls: ServerTls) -> ScriptedHttp {
    ScriptedHttp::script()
        .on(Match::any(), [Answer::status(200)])
        .start_tls(tls)
}

async fn shows(identity: &Identity, host: &str) -> Climb {
    let server = serve(Certificates::shared().server_tls(identity));
    climb_tls(trusting(), host, server.addr().port()).await
}

#[tokio::test]
async fn a_good_certificate_is_noted() {
    let climb = shows(Certificates::shared().good(), "127.0.0.1").await;
    climb.passes();
    assert_eq!(climb.note(Stage::Tls, "version"), "TLSv1_3");
    assert!(climb.note(Stage::Tls, "names").contains("localhost"));
    assert!(
        climb
            .note(Stage::Tls, "issuer")
            .contains("linkdial test CA")
    );
    let days: i64 = climb.note(Stage::Tls, "days_left").parse().unwrap();
    assert!((363..=365).contains(&days), "{days}");
}

#[tokio::test]
async fn each_bad_certificate_has_its_code() {
    let known = Certificates::shared();
    let rows = [
        (known.expired(), Code::TlsExpired, "not_after"),
        (known.not_yet_valid(), Code::TlsNotYetValid, "not_before"),
        (known.wrong_name(), Code::TlsNameMismatch, "names"),
        (known.unknown_issuer(), Code::TlsUnknownIssuer, "issuer"),
    ];
    for (identity, code, fact) in rows {
        let climb = shows(identity, "localhost").await;
        let finding = climb.fails(code);
        assert!(!evidence(finding, fact).is_empty(), "{finding:#?}");
        assert!(!evidence(finding, "subject").is_empty(), "{finding:#?}");
    }
    let expired = shows(known.expired(), "localhost").await;
    let finding = expired.fails(Code::TlsExpired);
    assert!(
        finding.message.contains("expired 30 days ago"),
        "{}",
        finding.message
    );
    let wrong = shows(known.wrong_name(), "localhost").await;
    let finding = wrong.fails(Code::TlsNameMismatch);
    assert_eq!(evidence(finding, "names"), "other.example");
    assert_eq!(evidence(finding, "asked_for"), "localhost");
}

/// A server whose chain is made here: what it shows, and the root to trust.
struct Chain {
    server: ScriptedHttp,
    root: String,
}

type Change = fn(&mut CertificateParams);

fn parameters(change: Change) -> CertificateParams {
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    change(&mut parameters);
    parameters
}

fn authority(change: Change) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut parameters);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Root, intermediate and leaf, each changed; the server shows the last two.
fn chain(middle: Change, leaf: Change) -> Chain {
    let root = authority(|root| root.distinguished_name.push(DnType::CommonName, "root"));
    let mut parameters_of_middle = CertificateParams::new([]).unwrap();
    parameters_of_middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters_of_middle
        .distinguished_name
        .push(DnType::CommonName, "middle");
    middle(&mut parameters_of_middle);
    let key = KeyPair::generate().unwrap();
    let middle = CertifiedIssuer::signed_by(parameters_of_middle, key, &root).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = parameters(leaf).signed_by(&key, &middle).unwrap();
    let shown = vec![leaf.der().clone(), middle.der().clone()];
    Chain {
        server: serve(with_chain(shown, &key)),
        root: root.pem(),
    }
}

fn with_chain(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> ServerTls {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

async fn judged(chain: &Chain) -> Climb {
    let net = Net::builder().ca_pem(chain.root.as_bytes()).unwrap();
    climb_tls(net.build(), "localhost", chain.server.addr().port()).await
}

#[tokio::test]
async fn a_fault_of_the_chain_is_not_that_of_the_leaf() {
    judged(&chain(|_| {}, |_| {})).await.passes();
    let rows: [(Change, Code, &str); 2] = [
        (
            |middle| middle.not_after = rcgen::date_time_ymd(2020, 1, 1),
            Code::TlsExpired,
            "expired",
        ),
        (
            |middle| middle.not_before = rcgen::date_time_ymd(2090, 1, 1),
            Code::TlsNotYetValid,
            "is not valid yet",
        ),
    ];
    for (middle, code, what) in rows {
        let climb = judged(&chain(middle, |_| {})).await;
        let message = &climb.fails(code).message;
        assert!(
            message.starts_with("a certificate in the chain of"),
            "{message}"
        );
        assert!(message.ends_with(what), "{message}");
    }
}

#[tokio::test]
async fn a_certificate_that_can_not_be_a_servers_is_no_unknown_issuer() {
    let client: Change =
        |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let climb = judged(&chain(|_| {}, client)).await;
    let finding = climb.fails(Code::TlsHandshakeFailed);
    assert!(!evidence(finding, "reason").is_empty(), "{finding:#?}");
    assert!(finding.hint.as_ref().unwrap().contains("serverAuth"));

    // What `openssl req -x509` makes.
    let key = KeyPair::generate().unwrap();
    let own: Change = |own| own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = parameters(own).self_signed(&key).unwrap();
    let self_signed = Chain {
        server: serve(with_chain(vec![own.der().clone()], &key)),
        root: own.pem(),
    };
    let climb = judged(&self_signed).await;
    let finding = climb.fails(Code::TlsHandshakeFailed);
    assert!(
        finding
            .message
            .ends_with("is that of a CA, not of a server")
    );
    assert!(finding.hint.as_ref().unwrap().contains("CA:TRUE"));
}

#[tokio::test]
async fn a_certificate_near_its_end_is_a_warning() {
    let climb = shows(Certificates::shared().expires_soon(), "localhost").await;
    let last = climb.steps.last().unwrap();
    let finding = last.diagnosis.as_ref().unwrap();
    assert_eq!(
        (finding.code, last.outcome),
        (Code::TlsExpiresSoon, Outcome::Warn)
    );
    assert!(
        matches!(evidence_days(finding), 9 | 10),
        "{}",
        finding.message
    );
    assert_eq!(climb.step(Stage::Tls).outcome, Outcome::Pass);
}

fn evidence_days(finding: &Diagnosis) -> i64 {
    let mut words = finding.message.rsplit(' ');
    assert_eq!(words.next(), Some("days"));
    words.next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn plain_text_is_named() {
    let rows = [
        (Fault::SpeaksFirst(SSH_BANNER.to_vec()), "SSH"),
        (Fault::SpeaksFirst(SMTP_BANNER.to_vec()), "SMTP or FTP"),
        (Fault::Answers(HTTP_BAD_REQUEST.to_vec()), "HTTP"),
    ];
    for (fault, name) in rows {
        let server = Broken::start(fault);
        let climb = climb_tls(trusting(), "127.0.0.1", server.addr().port()).await;
        let finding = climb.fails(Code::TlsNotTls);
        assert_eq!(evidence(finding, "protocol"), name);
        assert!(!evidence(finding, "first_bytes").is_empty());
    }
}

#[tokio::test]
async fn a_handshake_can_fail_for_other_reasons() {
    let alert = Broken::start(Fault::Answers(TLS_HANDSHAKE_FAILURE.to_vec()));
    let refused = climb_tls(trusting(), "127.0.0.1", alert.addr().port()).await;
    let finding = refused.fails(Code::TlsHandshakeFailed);
    assert_eq!(evidence(finding, "alert"), "HandshakeFailure");
    assert_eq!(evidence(finding, "offered"), "TLS 1.2, TLS 1.3");

    // RFC 8446, section 6: fatal `protocol_version`, as a server of TLS 1.1 sends it.
    let old = Broken::start(Fault::Answers(vec![0x15, 3, 1, 0, 2, 2, 70]));
    let refused = climb_tls(trusting(), "127.0.0.1", old.addr().port()).await;
    let finding = refused.fails(Code::TlsHandshakeFailed);
    assert_eq!(evidence(finding, "alert"), "ProtocolVersion");
    assert!(
        finding
            .hint
            .as_ref()
            .unwrap()
            .contains("older TLS versions")
    );

    let closing = Broken::start(Fault::CloseAfterRequest);
    let closed = climb_tls(trusting(), "127.0.0.1", closing.addr().port()).await;
    assert!(
        closed
            .fails(Code::TlsHandshakeFailed)
            .message
            .contains("closed")
    );
}

#[tokio::test]
async fn silence_in_the_handshake_ends_at_the_deadline() {
    let server = Broken::start(Fault::Silent);
    let climb = climb_tls(trusting(), "127.0.0.1", server.addr().port()).await;
    climb.fails(Code::TlsTimedOut);
    climb.at_the_deadline();
}

/// A server of one version that insists on a client certificate of the test CA.
fn insisting(version: &'static SupportedProtocolVersion) -> ScriptedHttp {
    let known = Certificates::shared();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    let ca = known.roots();
    roots.roots.extend(ca.roots);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![known.good().certificate()], known.good().key())
        .unwrap();
    serve(Arc::new(config))
}

/// Climbs and sends one request: with TLS 1.3 the server's refusal comes only then.
async fn asks(server: &ScriptedHttp, identity: Option<&Identity>) -> Result<u16, Diagnosis> {
    let settings = Settings {
        net: trusting(),
        ..Settings::default()
    };
    let mut probe = Probe::new(
        Arc::new(settings),
        CancellationToken::new(),
        Redactor::default(),
        None,
        Intent::READ,
    );
    let endpoint = Endpoint::new(Role::Endpoint, "127.0.0.1", server.addr().port());
    let options = TlsOptions {
        identity: identity.map(|it| ClientIdentity::new(vec![it.certificate()], it.key()).unwrap()),
        ..TlsOptions::http1()
    };
    let Ok(reached) = probe.reach(&endpoint, Some(options)).await else {
        let last = probe.into_steps().pop().unwrap();
        return Err(last.diagnosis.unwrap());
    };
    let client = HttpClient::new(reached.dialled, reached.dialler);
    let request = http::Request::get("/").header("host", "127.0.0.1");
    let answer = client.send(request.body(String::new()).unwrap()).await?;
    Ok(answer.status().as_u16())
}

#[tokio::test]
async fn a_client_certificate_is_asked_for_in_both_versions() {
    let known = Certificates::shared();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = insisting(version);
        let missing = asks(&server, None).await.unwrap_err();
        assert_eq!(
            missing.code,
            Code::TlsClientCertificateRequired,
            "{missing:#?}"
        );
        let foreign = asks(&server, Some(known.foreign_client()))
            .await
            .unwrap_err();
        assert_eq!(
            foreign.code,
            Code::TlsClientCertificateRefused,
            "{foreign:#?}"
        );
        for finding in [missing, foreign] {
            // A reset can overtake the alert.
            let told = ["alert", "error"].map(|name| evidence(&finding, name));
            assert!(told.iter().any(|it| !it.is_empty()), "{finding:#?}");
        }
        assert!(server.requests().is_empty());
        assert_eq!(asks(&server, Some(known.client())).await.unwrap(), 200);
    }
}

#[tokio::test]
async fn tls_where_plain_text_was_asked_for_is_named() {
    let server = serve(Certificates::shared().server_tls(Certificates::shared().good()));
    let net = Net::default();
    let endpoint = Endpoint::new(Role::Endpoint, "127.0.0.1", server.addr().port());
    let mut probe = Probe::new(
        Arc::new(Settings {
            net,
            ..Settings::default()
        }),
        CancellationToken::new(),
        Redactor::default(),
        None,
        Intent::READ,
    );
    let reached = probe.reach(&endpoint, None).await.unwrap();
    let client = HttpClient::new(reached.dialled, reached.dialler);
    let request = http::Request::get("/").header("host", "127.0.0.1");
    let finding = client
        .send(request.body(String::new()).unwrap())
        .await
        .unwrap_err();
    assert_eq!(finding.code, Code::TlsRequired, "{finding:#?}");
}
