//! Every row of the table in `error.rs`, on real sockets: the exact code and the guilty key.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::net::{Net, Proxy};
use linkdial_core::testing::decisive;
use linkdial_core::{Code, Outcome, Retry, Settings, Stage, verdict};
use linkdial_testcontainers::broken::{
    Broken, Fault, RefusedPort, SMTP_BANNER, SSH_BANNER, TLS_HANDSHAKE_FAILURE,
};
use linkdial_testcontainers::{
    Answer, Certificates, ConnectProxy, Match, ProxyBehaviour, ScriptedHttp,
};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use support::{API_KEY, BEARER, ask, evidence, finding, pointers, settings};

fn methods(server: &ScriptedHttp) -> Vec<String> {
    server
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect()
}

#[tokio::test]
async fn a_good_answer_passes_and_carries_the_headers() {
    let server = ScriptedHttp::script()
        .on(Match::any().method("GET"), [Answer::status(200).body("{}")])
        .on(Match::any(), [Answer::status(405)])
        .start();
    let steps = ask(BEARER, &format!("{}/score?v=2", server.url()), settings()).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let stages: Vec<Stage> = steps.iter().map(|step| step.stage).collect();
    assert_eq!(
        stages,
        [
            Stage::Define,
            Stage::Resolve,
            Stage::Connect,
            Stage::Authenticate,
            Stage::Access
        ]
    );
    assert_eq!(methods(&server), ["OPTIONS", "HEAD", "GET"]);
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer s3cr3t-token"));
        assert_eq!(
            (request.path.as_str(), request.query.as_str()),
            ("/score", "v=2")
        );
        assert_eq!(
            request.header("host"),
            Some(server.addr().to_string().as_str())
        );
    }
}

#[tokio::test]
async fn tls_is_checked_against_the_given_root() {
    let certificates = Certificates::shared();
    let server = ScriptedHttp::script()
        .on(Match::any(), [Answer::status(200)])
        .start_tls(certificates.server_tls(certificates.good()));
    let steps = ask(BEARER, &server.url(), settings()).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert!(steps.iter().any(|step| step.stage == Stage::Tls));
    let strict = Settings {
        net: Net::default(),
        ..settings()
    };
    let steps = ask(BEARER, &server.url(), strict).await;
    assert_eq!(decisive(&steps), Some(Code::TlsUnknownIssuer));
}

#[tokio::test]
async fn each_status_has_its_code_and_key() {
    let none = "{}";
    let authorization = "/headers/Authorization";
    let rows = [
        (401, BEARER, Code::AuthenticateBadCredentials, authorization),
        (
            401,
            API_KEY,
            Code::AuthenticateBadCredentials,
            "/headers/X-Api-Key",
        ),
        (401, none, Code::AuthenticateRequired, authorization),
        (403, BEARER, Code::AccessDenied, authorization),
        (403, API_KEY, Code::AccessDenied, "/headers/X-Api-Key"),
        (404, BEARER, Code::AccessNotFound, ""),
        (410, BEARER, Code::AccessNotFound, ""),
        (405, BEARER, Code::AccessMethodRefused, ""),
        (400, BEARER, Code::AccessMethodRefused, ""),
        (415, BEARER, Code::AccessMethodRefused, ""),
        (431, BEARER, Code::AccessRequestRefused, authorization),
        (501, BEARER, Code::AccessMethodRefused, ""),
        (407, BEARER, Code::ConnectProxyFailed, ""),
        (408, BEARER, Code::AccessTimedOut, ""),
        (429, BEARER, Code::AccessThrottled, ""),
        (500, BEARER, Code::AccessServerError, ""),
        (502, BEARER, Code::AccessServerError, ""),
        (503, BEARER, Code::AccessServerError, ""),
        (504, BEARER, Code::AccessServerError, ""),
        (511, BEARER, Code::AccessNotThisService, ""),
        (999, BEARER, Code::AccessNotThisService, ""),
    ];
    for (status, credentials, code, key) in rows {
        let server = ScriptedHttp::always([Answer::status(status)]);
        let finding = finding(credentials, &format!("{}/score", server.url())).await;
        assert_eq!(finding.code, code, "{status}: {finding:#?}");
        assert_eq!(finding.outcome, code.outcome(), "{status}");
        assert_eq!(pointers(&finding).join(" "), key, "{status}");
        assert_eq!(evidence(&finding, "status"), status.to_string());
        assert!(finding.hint.is_some(), "{status}");
        assert!(!methods(&server).contains(&"POST".to_owned()), "{status}");
    }
}

#[tokio::test]
async fn a_refusal_is_not_asked_for_twice() {
    for status in [401, 403, 429] {
        let server = ScriptedHttp::always([Answer::status(status)]);
        finding(BEARER, &server.url()).await;
        assert_eq!(methods(&server), ["OPTIONS", "HEAD"], "{status}");
    }
}

#[tokio::test]
async fn a_challenge_says_what_is_wanted() {
    let challenge = |text| Answer::status(401).header("www-authenticate", text);
    let server = ScriptedHttp::always([challenge("Basic realm=\"lab\"")]);
    let wanted = finding(BEARER, &server.url()).await;
    assert_eq!(wanted.code, Code::AuthenticateBadCredentials);
    assert_eq!(evidence(&wanted, "scheme"), "Basic");
    assert_eq!(evidence(&wanted, "realm"), "lab");
    assert!(wanted.hint.unwrap().contains("the link sends Bearer"));

    let expired = "Bearer realm=\"lab\", error=\"invalid_token\", \
                   error_description=\"The access token expired\"";
    let server = ScriptedHttp::always([challenge(expired)]);
    let expired = finding(BEARER, &server.url()).await;
    assert_eq!(expired.code, Code::AuthenticateTokenExpired);
    assert_eq!(evidence(&expired, "error"), "invalid_token");
    assert_eq!(pointers(&expired), ["/headers/Authorization"]);
}

#[tokio::test]
async fn the_servers_own_wait_is_kept() {
    for status in [429, 503] {
        let server = ScriptedHttp::always([Answer::status(status).header("retry-after", "7")]);
        let finding = finding(BEARER, &server.url()).await;
        assert_eq!(finding.code, Code::AccessThrottled);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.retry, Retry::After(Duration::from_secs(7)));
    }
    let long_ago = Answer::status(503).header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
    let server = ScriptedHttp::always([long_ago]);
    assert_eq!(
        finding(BEARER, &server.url()).await.retry,
        Retry::After(Duration::ZERO)
    );
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let elsewhere = ScriptedHttp::always([Answer::status(200)]);
    let to = format!("http://user:pass@{}/login?key=1", elsewhere.addr());
    let server = ScriptedHttp::always([Answer::status(302).header("location", &to)]);
    let away = finding(BEARER, &server.url()).await;
    assert_eq!(away.code, Code::AccessRedirected);
    assert_eq!(
        evidence(&away, "location"),
        format!("http://{}/login", elsewhere.addr())
    );
    assert!(away.hint.unwrap().contains("login page"));
    assert!(elsewhere.requests().is_empty());

    let server =
        ScriptedHttp::always([Answer::status(301).header("location", "https://127.0.0.1/score")]);
    let upgrade = finding(BEARER, &format!("{}/score", server.url())).await;
    assert!(upgrade.hint.unwrap().contains("https://"));
}

#[tokio::test]
async fn a_page_for_people_is_no_service() {
    let page = "<html><form><input name=u><input TYPE=\"password\" name=p></form></html>";
    let server = ScriptedHttp::always([Answer::status(200)
        .header("content-type", "text/html; charset=utf-8")
        .body(page)]);
    assert_eq!(
        finding(BEARER, &server.url()).await.code,
        Code::AccessNotThisService
    );
    // The same words in an answer that is no page are somebody's data.
    let server = ScriptedHttp::always([Answer::status(200)
        .header("content-type", "application/json")
        .body(page)]);
    assert_eq!(
        verdict(&ask(BEARER, &server.url(), settings()).await),
        Outcome::Pass
    );
}

#[tokio::test]
async fn plain_text_on_a_tls_port_is_named() {
    let texts = [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html><h1>400</h1><center>The plain HTTP request was sent to HTTPS port</center></html>",
        "You're speaking plain HTTP to an SSL-enabled server port.",
    ];
    for text in texts {
        let server = ScriptedHttp::always([Answer::status(400).body(text)]);
        assert_eq!(
            finding(BEARER, &server.url()).await.code,
            Code::TlsRequired,
            "{text}"
        );
    }
    let server = Broken::start(Fault::Answers(TLS_HANDSHAKE_FAILURE.to_vec()));
    assert_eq!(finding(BEARER, &server.url()).await.code, Code::TlsRequired);
    let certificates = Certificates::shared();
    let server = ScriptedHttp::script()
        .on(Match::any(), [Answer::status(200)])
        .start_tls(certificates.server_tls(certificates.good()));
    let url = format!("http://{}", server.addr());
    assert_eq!(finding(BEARER, &url).await.code, Code::TlsRequired);
}

#[tokio::test]
async fn a_client_certificate_is_missed() {
    let certificates = Certificates::shared();
    let server = ScriptedHttp::script()
        .on(Match::any(), [Answer::status(200)])
        .start_tls(certificates.mutual_tls(certificates.good()));
    let wanted = finding(BEARER, &server.url()).await;
    assert_eq!(
        wanted.code,
        Code::TlsClientCertificateRequired,
        "{wanted:#?}"
    );
    assert!(server.requests().is_empty());
}

/// nginx asks, shakes hands all the same, and answers 400 to every request.
#[tokio::test]
async fn a_client_certificate_is_missed_by_an_answer() {
    let known = Certificates::shared();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = Arc::new(known.roots());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![known.good().certificate()], known.good().key())
        .unwrap();
    let text = "<center>No required SSL certificate was sent</center>";
    let server = ScriptedHttp::script()
        .on(Match::any(), [Answer::status(400).body(text)])
        .start_tls(Arc::new(config));
    let wanted = finding(BEARER, &server.url()).await;
    assert_eq!(
        wanted.code,
        Code::TlsClientCertificateRequired,
        "{wanted:#?}"
    );
    assert_eq!(evidence(&wanted, "status"), "400");
}

#[tokio::test]
async fn silence_and_a_broken_line_are_told_apart() {
    let certificates = Certificates::shared();
    let tls = || certificates.server_tls(certificates.good());
    let drip = || Fault::Drip {
        interval: Duration::from_millis(20),
    };
    let rows = [
        (Broken::start(Fault::Silent), Code::AccessTimedOut),
        (
            Broken::start_tls(Fault::Silent, tls()),
            Code::AccessTimedOut,
        ),
        (Broken::start(drip()), Code::AccessTimedOut),
        (Broken::start(Fault::ResetAfterRequest), Code::ConnectReset),
        (Broken::start(Fault::CloseAfterRequest), Code::ConnectReset),
        (
            Broken::start_tls(Fault::CloseAfterRequest, tls()),
            Code::ConnectReset,
        ),
        (
            Broken::start(Fault::CloseAfter { bytes: 20 }),
            Code::ConnectReset,
        ),
        (
            Broken::start(Fault::CloseAfter { bytes: 600 }),
            Code::ConnectReset,
        ),
        (
            Broken::start(Fault::EndlessBody),
            Code::AccessNotThisService,
        ),
        (
            Broken::start_tls(Fault::EndlessBody, tls()),
            Code::AccessNotThisService,
        ),
        (
            Broken::start(Fault::EndlessHeader),
            Code::AccessNotThisService,
        ),
        (
            Broken::start(Fault::HugeHeader { bytes: 1_000_000 }),
            Code::AccessNotThisService,
        ),
        (
            Broken::start(Fault::SpeaksFirst(SSH_BANNER.to_vec())),
            Code::AccessNotThisService,
        ),
        (
            Broken::start(Fault::SpeaksFirst(SMTP_BANNER.to_vec())),
            Code::AccessNotThisService,
        ),
    ];
    for (server, code) in &rows {
        let finding = finding(BEARER, &server.url()).await;
        assert_eq!(finding.code, *code, "{server:?}: {finding:#?}");
    }
    let closed = RefusedPort::start();
    let finding = finding(BEARER, &format!("http://{}", closed.addr())).await;
    assert_eq!(finding.code, Code::ConnectRefused);
}

#[tokio::test]
async fn what_is_no_http_is_named_by_its_first_bytes() {
    for (banner, name) in [(SSH_BANNER, "SSH"), (SMTP_BANNER, "SMTP or FTP")] {
        let server = Broken::start(Fault::SpeaksFirst(banner.to_vec()));
        let finding = finding(BEARER, &server.url()).await;
        assert_eq!(evidence(&finding, "protocol"), name, "{finding:#?}");
    }
}

#[tokio::test]
async fn the_answer_to_options_does_not_matter() {
    let server = ScriptedHttp::script()
        .on(Match::any().method("OPTIONS"), [Answer::status(500)])
        .on(Match::any(), [Answer::status(200)])
        .start();
    assert_eq!(
        verdict(&ask(BEARER, &server.url(), settings()).await),
        Outcome::Pass
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_on_options_is_still_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut heard = Vec::new();
        while heard.len() < 3 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut block = [0; 4096];
            let count = stream.read(&mut block).unwrap();
            let method = String::from_utf8_lossy(&block[..count]);
            let method = method.split(' ').next().unwrap_or_default().to_owned();
            if method != "OPTIONS" {
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).unwrap();
            }
            heard.push(method);
        }
        heard
    });
    let steps = ask(BEARER, &url, settings()).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert_eq!(server.join().unwrap(), ["OPTIONS", "HEAD", "GET"]);
}

#[tokio::test]
async fn post_only_when_asked_for_and_with_zero_rows() {
    let server = ScriptedHttp::script()
        .on(
            Match::any().method("POST"),
            [Answer::status(200).body(r#"{"data":[]}"#)],
        )
        .on(Match::any(), [Answer::status(405).header("allow", "POST")])
        .start();
    let unproven = finding(BEARER, &server.url()).await;
    assert_eq!(unproven.code, Code::AccessMethodRefused);
    assert_eq!(evidence(&unproven, "allow"), "POST");
    assert_eq!(methods(&server), ["OPTIONS", "HEAD", "GET"]);

    let allowed = Settings {
        post_empty: true,
        ..settings()
    };
    let steps = ask(BEARER, &server.url(), allowed).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let requests = server.requests();
    let post = requests.last().unwrap();
    assert_eq!(post.method, "POST");
    assert_eq!(post.body, r#"{"data":[]}"#);
    assert_eq!(post.header("content-type"), Some("application/json"));
    assert_eq!(
        requests
            .iter()
            .filter(|request| request.method == "POST")
            .count(),
        1
    );
}

#[tokio::test]
async fn the_proxy_is_the_one_given() {
    let certificates = Certificates::shared();
    let server = ScriptedHttp::script()
        .on(Match::any(), [Answer::status(200)])
        .start_tls(certificates.server_tls(certificates.good()));
    let through = |proxy: &ConnectProxy| Settings {
        net: Net::builder()
            .ca_pem(certificates.ca_pem().as_bytes())
            .unwrap()
            .proxy(Proxy::parse(&proxy.url()).unwrap())
            .build(),
        ..settings()
    };
    let proxy = ConnectProxy::start(ProxyBehaviour::Tunnel);
    let steps = ask(BEARER, &server.url(), through(&proxy)).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    let tunnels = proxy.requests();
    assert!(
        tunnels.len() > 1
            && tunnels
                .iter()
                .all(|it| it.target == server.addr().to_string())
    );
    for status in [403, 407] {
        let proxy = ConnectProxy::start(ProxyBehaviour::Refuse(status));
        let steps = ask(BEARER, &server.url(), through(&proxy)).await;
        assert_eq!(decisive(&steps), Some(Code::ConnectProxyFailed));
    }
}

#[tokio::test]
async fn a_plain_url_goes_through_a_proxy_that_only_tunnels() {
    let server = ScriptedHttp::script()
        .on(
            Match::any().method("GET"),
            [Answer::status(200).body("x".repeat(100_000))],
        )
        .on(
            Match::any().method("POST"),
            [Answer::status(200).body(r#"{"data":[]}"#)],
        )
        .on(Match::any(), [Answer::status(405)])
        .start();
    let proxy = ConnectProxy::start(ProxyBehaviour::Tunnel);
    let through = |post_empty| Settings {
        net: Net::builder()
            .proxy(Proxy::parse(&proxy.url()).unwrap())
            .build(),
        post_empty,
        ..settings()
    };
    for post_empty in [false, true] {
        let steps = ask(BEARER, &server.url(), through(post_empty)).await;
        assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    }
    assert_eq!(
        methods(&server),
        ["OPTIONS", "HEAD", "GET", "OPTIONS", "HEAD", "GET", "POST"]
    );
    let requests = server.requests();
    for request in &requests {
        assert_eq!(request.header("authorization"), Some("Bearer s3cr3t-token"));
        assert_eq!(request.header("accept"), Some("*/*"));
    }
    let post = requests.last().unwrap();
    assert_eq!(post.body, r#"{"data":[]}"#);
    assert_eq!(post.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn silence_on_options_alone_does_not_matter() {
    let server = ScriptedHttp::script()
        .on(Match::any().method("OPTIONS"), [Answer::silence()])
        .on(Match::any(), [Answer::status(200)])
        .start();
    let steps = ask(BEARER, &server.url(), settings()).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert_eq!(methods(&server), ["OPTIONS", "HEAD", "GET"]);
}

#[tokio::test]
async fn a_second_connection_that_is_refused_is_named_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Nobody listens any more when OPTIONS is answered.
        drop(listener);
        let heard = stream.read(&mut [0; 4096]).unwrap();
        assert!(heard > 0);
        let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).unwrap();
    });
    let refused = finding(BEARER, &url).await;
    server.join().unwrap();
    assert_eq!(refused.code, Code::ConnectRefused, "{refused:#?}");
}

#[tokio::test]
async fn until_stops_before_the_first_request() {
    let server = ScriptedHttp::always([Answer::status(200)]);
    let until = Settings {
        until: Stage::Connect,
        ..settings()
    };
    let steps = ask(BEARER, &server.url(), until).await;
    assert_eq!(verdict(&steps), Outcome::Pass, "{steps:#?}");
    assert!(server.requests().is_empty());
}
