//! The scripted HTTP server answers by its rules and keeps what it was asked.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::{Duration, Instant};

use linkdial_testcontainers::{Answer, Certificates, Match, ScriptedHttp};

fn client() -> reqwest::Client {
    // Only the first call of a process installs it; the others say so and are right.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let tls = Certificates::shared().client_tls().as_ref().clone();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

#[tokio::test]
async fn rules_match_and_answers_come_in_turn() {
    let server = ScriptedHttp::script()
        .on(
            Match::path("/bucket").method("GET").query("list-type=2"),
            [
                Answer::status(503).header("retry-after", "7"),
                Answer::status(200).body("<list/>"),
            ],
        )
        .on(Match::path("/bucket").method("PUT"), [Answer::status(409)])
        .start();
    let list = format!("{}/bucket?list-type=2&max-keys=1", server.url());
    let first = client().get(&list).send().await.unwrap();
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    for _ in 0..2 {
        let next = client()
            .get(&list)
            .header("x-mark", "1")
            .send()
            .await
            .unwrap();
        assert_eq!(next.text().await.unwrap(), "<list/>");
    }
    let put = client()
        .put(format!("{}/bucket", server.url()))
        .body("hello")
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 409);
    let other = client()
        .get(format!("{}/bucket", server.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 404);

    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[0].query, "list-type=2&max-keys=1");
    assert_eq!(requests[1].header("x-mark"), Some("1"));
    assert_eq!(
        (requests[3].method.as_str(), &requests[3].body[..]),
        ("PUT", &b"hello"[..])
    );
}

#[tokio::test]
async fn tls_delay_and_silence() {
    let certificates = Certificates::shared();
    let server = ScriptedHttp::script()
        .on(
            Match::path("/late"),
            [Answer::status(200).after(Duration::from_millis(150))],
        )
        .on(Match::path("/mute"), [Answer::silence()])
        .start_tls(certificates.server_tls(certificates.good()));
    let begin = Instant::now();
    assert_eq!(
        client()
            .get(format!("{}/late", server.url()))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert!(begin.elapsed() >= Duration::from_millis(150));
    let mute = client()
        .get(format!("{}/mute", server.url()))
        .timeout(Duration::from_millis(200))
        .send()
        .await
        .unwrap_err();
    assert!(mute.is_timeout(), "{mute:?}");
    assert_eq!(server.requests().len(), 2);
}
