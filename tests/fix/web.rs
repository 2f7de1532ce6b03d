//! Links to services behind URLs.

use linkdial_testcontainers::{Answer, HttpEndpoint, LinkStatement, Match, Nginx, ScriptedHttp};

use crate::bench::{Case, check, report};

fn function(url: &str) -> String {
    format!(
        "CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE \"{url}\" FORMAT JSON LINK score;\n"
    )
}

fn bearer() -> LinkStatement {
    HttpEndpoint::create_link("score", [HttpEndpoint::bearer()])
}

fn token() -> String {
    HttpEndpoint::bearer().1
}

#[test]
fn a_url_of_an_nginx_that_wants_tls() {
    let nginx = Nginx::shared_tls();
    let url = nginx.url("/bearer").replace("https:", "http:");
    let token = token();
    Case {
        link: bearer().to_string(),
        uses: function(&url),
        edits: &[("http:", "https:")],
        changes: &["the target becomes `https://"],
        secrets: &[("authorization", &token)],
        arguments: &[],
    }
    .holds();
}

#[test]
fn a_url_with_tls_of_a_service_without() {
    let service = HttpEndpoint::start();
    let url = service.url("/").replace("http:", "https:");
    Case {
        link: HttpEndpoint::create_link("score", [])
            .with_empty_credentials()
            .to_string(),
        uses: function(&url),
        edits: &[("https:", "http:")],
        changes: &["the target becomes `http://"],
        secrets: &[],
        arguments: &[],
    }
    .holds();
}

#[test]
fn a_line_feed_behind_a_header() {
    let service = HttpEndpoint::start();
    let token = token();
    let link = HttpEndpoint::create_link("score", [("Authorization", format!(" {token}\n"))]);
    Case {
        link: link.to_string(),
        uses: function(&service.url("/bearer")),
        edits: &[(&format!(" {token}\\\\n\""), &format!("{token}\""))],
        changes: &["the value of `headers/Authorization`"],
        secrets: &[("authorization", &token)],
        arguments: &[],
    }
    .holds();
}

#[test]
fn headers_stand_in_the_wrong_clause_and_its_quotes_are_double() {
    let service = HttpEndpoint::start();
    let token = token();
    let json = format!(r#"{{\"headers\": {{\"Authorization\": \"{token}\"}}}}"#);
    Case {
        link: format!("CREATE LINK score AS HTTP CONFIG \"{json}\" CREDENTIALS '';\n"),
        uses: function(&service.url("/bearer")),
        edits: &[
            (&json, "{}"),
            (
                "CREDENTIALS ''",
                &format!(r#"CREDENTIALS '{{"headers": {{"Authorization": "{token}"}}}}'"#),
            ),
        ],
        changes: &["`headers` moves to CREDENTIALS"],
        secrets: &[("authorization", &token)],
        arguments: &[],
    }
    .holds();
}

#[test]
fn no_header_goes_where_the_link_does_not_send_it() {
    let service = HttpEndpoint::start();
    let url = service.url("/bearer").replace("http:", "https:");
    let elsewhere = service.url("/redirect");
    for url in [url, elsewhere] {
        let found = report(&format!("{}{}", bearer(), function(&url)), &[]);
        assert_eq!(check(&found)["verdict"], "fail");
        assert!(check(&found)["correction"].is_null(), "{:#}", check(&found));
    }
    let asked = service.requests();
    assert!(asked.iter().all(|it| it.path == "/redirect"), "{asked:?}");
}

/// A parameter with a secret is shown to whoever reads along, so that TLS stays.
#[test]
fn a_secret_in_a_url_keeps_its_tls() {
    let service = HttpEndpoint::start();
    let url = service.url("/?code=m4rked-code-of-a-function");
    let url = url.replace("http:", "https:");
    let link = "CREATE LINK score AS HTTP CREDENTIALS '{}';\n";
    let found = report(&format!("{link}{}", function(&url)), &[]);
    assert_eq!(check(&found)["code"], "tls.not-tls");
    assert!(check(&found)["correction"].is_null(), "{:#}", check(&found));
    assert!(service.requests().is_empty());
}

/// One refusal is one attempt; a header in quotes of its own gives one more.
#[test]
fn attempts_are_counted() {
    let refused = || Answer::status(401).header("www-authenticate", "Bearer");
    for (value, attempts) in [("Bearer m4rked-wrong", 1), ("\"Bearer m4rked-wrong\"", 2)] {
        let server = ScriptedHttp::script().on(Match::any(), [refused()]).start();
        let link = HttpEndpoint::create_link("score", [("Authorization", value.to_owned())]);
        let found = report(&format!("{link}{}", function(&server.url())), &[]);
        assert_eq!(check(&found)["verdict"], "fail");
        assert!(check(&found)["correction"].is_null(), "{:#}", check(&found));
        let sent = server.requests();
        let asked = sent.iter().filter(|it| it.method == "HEAD");
        assert_eq!(asked.count(), attempts, "{value}: {sent:?}");
    }
}
