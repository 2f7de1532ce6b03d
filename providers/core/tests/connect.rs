//! Connections that do not come about, directly and through a proxy.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can not set itself up has failed"
)]

mod support;

use std::net::{SocketAddr, TcpListener};

use linkdial_core::net::{Net, Proxy};
use linkdial_core::{Code, Stage};
use linkdial_testcontainers::broken::{
    BlackHole, Broken, Fault, RefusedPort, SSH_BANNER, UNREACHABLE,
};
use linkdial_testcontainers::{
    Certificates, ConnectProxy, DnsAnswer, DnsServer, Match, ProxyBehaviour, ScriptedHttp,
};
use support::{climb, climb_tls, climb_to, evidence};

#[tokio::test]
async fn a_closed_port_is_known_at_once() {
    let port = RefusedPort::start();
    let climb = climb_to(Net::default(), port.addr()).await;
    let finding = climb.fails(Code::ConnectRefused);
    assert!(
        evidence(finding, "tried").contains("connection refused"),
        "{finding:#?}"
    );
    climb.at_once();
}

#[tokio::test]
async fn a_dropped_packet_ends_at_the_deadline() {
    let hole = BlackHole::start();
    let climb = climb_to(Net::default(), hole.addr()).await;
    assert_eq!(
        evidence(climb.fails(Code::ConnectTimedOut), "limit"),
        "stage"
    );
    climb.at_the_deadline();
}

#[tokio::test]
async fn the_deadline_does_not_drop_a_refusal() {
    let hole = BlackHole::start();
    // Nothing listens on that port of 127.0.0.2.
    let addresses = ["127.0.0.2".parse().unwrap(), hole.addr().ip()];
    let server = DnsServer::always(DnsAnswer::Addresses(addresses.into()));
    let net = Net::builder().dns_server(server.addr()).build();
    let climb = climb(net, "db.example", hole.addr().port(), None).await;
    let finding = climb.fails(Code::ConnectTimedOut);
    let tried = evidence(finding, "tried");
    assert!(tried.contains("127.0.0.2"), "{finding:#?}");
    assert!(tried.contains("connection refused"), "{finding:#?}");
    climb.at_the_deadline();
}

#[tokio::test]
async fn a_missing_route_is_known_at_once() {
    let address: SocketAddr = format!("{UNREACHABLE}:80").parse().unwrap();
    let climb = climb_to(Net::default(), address).await;
    let finding = climb.fails(Code::ConnectUnreachable);
    assert!(
        evidence(finding, "tried").contains("unreachable"),
        "{finding:#?}"
    );
    climb.at_once();
}

#[tokio::test]
async fn the_next_address_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Nothing listens on that port of 127.0.0.2, nor is there a way to the other one.
    let addresses = ["127.0.0.2", UNREACHABLE, "127.0.0.1"].map(|it| it.parse().unwrap());
    let server = DnsServer::always(DnsAnswer::Addresses(addresses.into()));
    let net = Net::builder().dns_server(server.addr()).build();
    let climb = climb(net, "db.example", port, None).await;
    climb.passes();
    assert_eq!(
        climb.note(Stage::Connect, "address"),
        format!("127.0.0.1:{port}")
    );
    assert!(climb.note(Stage::Connect, "failed").contains("127.0.0.2"));
    climb.at_once();
}

#[tokio::test]
async fn a_reset_in_the_handshake_is_a_reset() {
    let server = Broken::start(Fault::ResetAfterRequest);
    let climb = climb_tls(Net::default(), "127.0.0.1", server.addr().port()).await;
    let steps = &climb.steps;
    let finding = steps.last().unwrap().diagnosis.as_ref().unwrap();
    assert_eq!(finding.code, Code::ConnectReset, "{steps:#?}");
    assert_eq!(evidence(finding, "during"), "TLS handshake");
}

fn through(proxy: &str) -> Net {
    Net::builder()
        .ca_pem(Certificates::shared().ca_pem().as_bytes())
        .unwrap()
        .proxy(Proxy::parse(proxy).unwrap())
        .build()
}

#[tokio::test]
async fn a_proxy_carries_the_ladder() {
    let certificates = Certificates::shared();
    let server = ScriptedHttp::script()
        .on(Match::any(), [linkdial_testcontainers::Answer::status(200)])
        .start_tls(certificates.server_tls(certificates.good()));
    let proxy = ConnectProxy::start(ProxyBehaviour::TunnelFor("Basic bWU6czNjcjN0".to_owned()));
    let url = format!("http://me:s3cr3t@{}", proxy.addr());
    let climb = climb_tls(through(&url), "localhost", server.addr().port()).await;
    climb.passes();
    assert_eq!(
        climb.note(Stage::Resolve, "proxy"),
        proxy.addr().to_string()
    );
    assert_eq!(
        proxy.requests()[0].target,
        format!("localhost:{}", server.addr().port())
    );
    assert!(!format!("{:?}", climb.steps).contains("s3cr3t"));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_to_blame() {
    for (status, hint) in [(403, "--proxy"), (407, "user and password")] {
        let proxy = ConnectProxy::start(ProxyBehaviour::Refuse(status));
        let climb = climb(through(&proxy.url()), "db.example", 80, None).await;
        let finding = climb.fails(Code::ConnectProxyFailed);
        assert_eq!(evidence(finding, "status"), status.to_string());
        assert!(
            finding.hint.as_ref().unwrap().contains(hint),
            "{finding:#?}"
        );
        climb.at_once();
    }
}

#[tokio::test]
async fn a_proxy_that_says_nothing_or_hangs_up_is_to_blame() {
    let silent = ConnectProxy::start(ProxyBehaviour::Silent);
    let stuck = climb(through(&silent.url()), "db.example", 80, None).await;
    stuck.fails(Code::ConnectProxyFailed);
    stuck.at_the_deadline();

    let closing = Broken::start(Fault::CloseAfterRequest);
    let closed = climb(through(&closing.url()), "db.example", 80, None).await;
    assert!(
        closed
            .fails(Code::ConnectProxyFailed)
            .message
            .contains("closed")
    );
    closed.at_once();

    let port = RefusedPort::start();
    let refused = climb(
        through(&format!("http://{}", port.addr())),
        "db.example",
        80,
        None,
    )
    .await;
    assert!(
        refused
            .fails(Code::ConnectProxyFailed)
            .message
            .contains("refused")
    );
    refused.at_once();

    let endless = Broken::start(Fault::HugeHeader { bytes: 1_000_000 });
    let long = climb(through(&endless.url()), "db.example", 80, None).await;
    long.fails(Code::ConnectProxyFailed);
}

#[tokio::test]
async fn a_refused_address_does_not_reach_the_proxy() {
    let proxy = ConnectProxy::start(ProxyBehaviour::Tunnel);
    let climb = climb(through(&proxy.url()), "169.254.169.254", 80, None).await;
    climb.fails(Code::ResolveAddressRefused);
    assert!(proxy.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_only_the_proxy_resolves_is_under_the_policy_too() {
    let proxy = ConnectProxy::start(ProxyBehaviour::Refuse(502));
    let only = Net::builder()
        .only("127.0.0.0/8".parse().unwrap())
        .proxy(Proxy::parse(&proxy.url()).unwrap())
        .build();
    for (net, host) in [
        (through(&proxy.url()), "metadata.google.internal"),
        (through(&proxy.url()), "Metadata.Google.Internal."),
        (only, "db.example"),
    ] {
        let climb = climb(net, host, 80, None).await;
        climb.fails(Code::ResolveAddressRefused);
    }
    assert!(proxy.requests().is_empty());
    let named = climb(through(&proxy.url()), "db.example", 80, None).await;
    let note = named.note(Stage::Resolve, "address_policy");
    assert!(note.contains("not checked"), "{:#?}", named.steps);
}

#[tokio::test]
async fn a_proxy_without_an_address_is_to_blame_and_no_key() {
    let server = DnsServer::always(DnsAnswer::NotFound);
    let net = Net::builder()
        .dns_server(server.addr())
        .proxy(Proxy::parse("http://proxy.example:3128").unwrap())
        .build();
    let climb = climb(net, "127.0.0.1", 80, None).await;
    let finding = climb.fails(Code::ConnectProxyFailed);
    assert!(finding.message.contains("proxy.example"), "{finding:#?}");
    assert!(finding.hint.as_ref().unwrap().contains("--proxy"));
    assert!(finding.keys.is_empty());
}

#[tokio::test]
async fn a_proxy_that_repeats_its_login_shows_nothing() {
    let answer = b"HTTP/1.1 403 s3cr3t-pass bWU6czNjcjN0LXBhc3M=\r\ncontent-length: 0\r\n\r\n";
    let proxy = Broken::start(Fault::Answers(answer.to_vec()));
    let url = format!("http://me:s3cr3t-pass@{}", proxy.addr());
    let climb = climb(through(&url), "db.example", 80, None).await;
    let finding = climb.fails(Code::ConnectProxyFailed);
    assert_eq!(evidence(finding, "reason"), "[redacted] [redacted]");
    let shown = format!("{:?}", climb.steps);
    assert!(
        !shown.contains("s3cr3t") && !shown.contains("bWU6"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_peer_that_speaks_first_is_heard_through_the_proxy() {
    let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    answer.extend_from_slice(SSH_BANNER);
    let proxy = Broken::start(Fault::Answers(answer));
    let climb = climb_tls(through(&proxy.url()), "db.example", 22).await;
    let finding = climb.fails(Code::TlsNotTls);
    assert_eq!(evidence(finding, "protocol"), "SSH");
}

#[tokio::test]
async fn the_address_of_a_proxy_is_checked_too() {
    let refused = climb(
        through("http://169.254.169.254:3128"),
        "127.0.0.1",
        80,
        None,
    )
    .await;
    let step = refused.steps.last().unwrap();
    let finding = step.diagnosis.as_ref().unwrap();
    assert_eq!(finding.code, Code::ConnectProxyFailed, "{finding:#?}");
    assert_eq!(evidence(finding, "addresses"), "169.254.169.254");
    let proxy = ConnectProxy::start(ProxyBehaviour::Tunnel);
    let net = Net::builder()
        .only("127.0.0.2/32".parse().unwrap())
        .proxy(Proxy::parse(&proxy.url()).unwrap())
        .build();
    let refused = climb(net, "127.0.0.2", 80, None).await;
    let finding = refused.steps.last().unwrap().diagnosis.as_ref().unwrap();
    assert_eq!(finding.code, Code::ConnectProxyFailed, "{finding:#?}");
    assert!(proxy.requests().is_empty());
}

/// Where the limit is low, this test runs again, in a process of its own.
const STARVED: &str = "LINKDIAL_TEST_STARVED_OF_FILES";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tells the process with the low limit from its parent"
)]
fn a_limit_of_open_files_says_nothing_about_the_link() {
    if std::env::var_os(STARVED).is_none() {
        let status = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 40 && exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg("a_limit_of_open_files_says_nothing_about_the_link")
            .env(STARVED, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let taken: Vec<TcpListener> =
        std::iter::from_fn(|| TcpListener::bind("127.0.0.1:0").ok()).collect();
    let address = taken[0].local_addr().unwrap();
    let climb = runtime.block_on(climb_to(Net::default(), address));
    let finding = climb.steps.last().unwrap().diagnosis.clone().unwrap();
    drop(taken);
    assert_eq!(finding.code, Code::ConnectTooManyFiles, "{finding:#?}");
    assert_eq!(finding.outcome, linkdial_core::Outcome::Unverified);
}
