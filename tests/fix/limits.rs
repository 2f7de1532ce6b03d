//! What is not corrected, and how often a server is asked.

use linkdial_testcontainers::{Answer, LinkStatement, Login, Match, Minio, ScriptedHttp, User};

use crate::bench::{check, pipeline, report};

fn script(link: &LinkStatement, target: &str) -> String {
    format!("{link}{}", pipeline("orders", target))
}

#[test]
fn a_wrong_secret_and_a_strange_key_give_no_correction() {
    let minio = Minio::shared();
    let id = User::ReadOnly.login().access_key_id;
    for login in [
        Login::new(id, "m4rked-wrong"),
        Login::new("AKIANOBODY", "m4rked-wrong"),
    ] {
        let found = report(
            &script(&minio.create_link("orders", &login), "private"),
            &[],
        );
        let check = check(&found);
        assert_eq!(check["stage"], "authenticate", "{check:#}");
        assert!(check["correction"].is_null(), "{check:#}");
    }
    // Nor does one that only shows after a repair.
    let link = minio
        .create_link("orders", &Login::new("AKIANOBODY", "m4rked-wrong"))
        .config("region", "eu-west-3");
    let text = script(&link, "private").replace("\"region\"", "\"regoin\"");
    let found = report(&text, &[]);
    assert!(check(&found)["correction"].is_null(), "{:#}", check(&found));
}

fn wrong_region(named: &str) -> Answer {
    Answer::status(400)
        .header("content-type", "application/xml")
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\
             <Code>AuthorizationHeaderMalformed</Code><Message>wrong region</Message>\
             <Region>{named}</Region></Error>"
        ))
}

fn link_to(server: &ScriptedHttp) -> LinkStatement {
    LinkStatement::new("orders", "S3")
        .credential("aws_access_key_id", "AKIASOMEBODY")
        .credential("aws_secret_access_key", "m4rked-secret")
        .config("endpoint_url", server.url())
        .config("region", "us-east-1")
}

/// A server that names another region each time is believed three times.
#[test]
fn a_server_that_never_is_content_is_asked_no_more_than_promised() {
    let answers = ["r-1", "r-2", "r-3", "r-4", "r-5", "r-6"].map(wrong_region);
    let server = ScriptedHttp::script().on(Match::any(), answers).start();
    let found = report(&script(&link_to(&server), "bucket"), &[]);
    let check = check(&found);
    assert_eq!(check["code"], "access.wrong-region", "{check:#}");
    assert!(check["correction"].is_null(), "{check:#}");
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_refused_identity_ends_it() {
    let refused = Answer::status(403)
        .header("content-type", "application/xml")
        .body("<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>");
    let server = ScriptedHttp::script()
        .on(Match::any(), [wrong_region("eu-west-1"), refused])
        .start();
    let found = report(&script(&link_to(&server), "bucket"), &[]);
    assert!(check(&found)["correction"].is_null());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_a_server_names_is_no_other_host() {
    for named in ["evil.example/", "eu-west-1.evil.example", "", "A B"] {
        let server = ScriptedHttp::script()
            .on(Match::any(), [wrong_region(named)])
            .start();
        let found = report(&script(&link_to(&server), "bucket"), &[]);
        assert!(check(&found)["correction"].is_null(), "{named}");
        assert_eq!(server.requests().len(), 1, "{named}");
    }
}

/// Mended for one bucket, broken for the other: the link stays as it is.
#[test]
fn a_repair_that_another_use_suffers_from_is_none() {
    let server = ScriptedHttp::script()
        .on(Match::path("/far"), [wrong_region("eu-west-1")])
        .on(Match::any(), [wrong_region("us-west-2")])
        .start();
    let minio = Minio::shared();
    let link = minio
        .create_link("orders", &User::ReadOnly.login())
        .config("region", "eu-west-3");
    // The same region mends both.
    let both = format!(
        "{}{}",
        script(&link, "private"),
        pipeline("orders", "sse-s3").replace("PIPELINE p", "PIPELINE q")
    );
    let found = report(&both, &[]);
    for check in found["checks"].as_array().unwrap() {
        assert_eq!(check["correction"]["verdict"], "pass", "{check:#}");
    }
    // Each wants another one.
    let both = format!(
        "{}{}",
        script(&link_to(&server), "far"),
        pipeline("orders", "near").replace("PIPELINE p", "PIPELINE q")
    );
    let found = report(&both, &[]);
    for check in found["checks"].as_array().unwrap() {
        assert!(check["correction"].is_null(), "{check:#}");
    }
}

#[test]
fn nothing_is_proved_when_nothing_may_be_dialled() {
    let server = ScriptedHttp::script()
        .on(Match::any(), [wrong_region("eu-west-1")])
        .start();
    let text = script(&link_to(&server), "bucket").replace("\"region\"", "\"regoin\"");
    for arguments in [&["--offline"][..], &["--until", "access"]] {
        let found = report(&text, arguments);
        assert!(check(&found)["correction"].is_null());
    }
    assert_eq!(server.requests().len(), 1);
}

/// Nothing but the statement with its quotes is to be dialled, and the time is over before.
#[test]
fn a_statement_for_which_no_time_is_left_makes_the_report_incomplete() {
    let server = ScriptedHttp::script()
        .on(Match::any(), [wrong_region("eu-west-1")])
        .start();
    let text = script(&link_to(&server), "bucket").replacen("'{", "‘{", 1);
    let text = text.replacen("}'", "}’", 1);
    for (deadline, complete) in [("1ms", false), ("1m", true)] {
        let found = report(&text, &["--deadline", deadline]);
        assert_eq!(found["errors"][0]["code"], "sql.typographic-quote");
        assert_eq!(found["complete"], complete, "{found:#}");
    }
}

/// What was refused is who the link is: a slip elsewhere is no reason to log in once more.
#[test]
fn a_refused_identity_is_not_tried_again_for_something_else() {
    let refused = Answer::status(403)
        .header("content-type", "application/xml")
        .body("<Error><Code>InvalidAccessKeyId</Code><Message>no</Message></Error>");
    let server = ScriptedHttp::script().on(Match::any(), [refused]).start();
    let link = link_to(&server).config("sufixes", serde_json::json!(["csv"]));
    let found = report(&script(&link, "s3://bucket"), &[]);
    let check = check(&found);
    assert_eq!(check["code"], "authenticate.unknown-key", "{check:#}");
    let codes = check["steps"].as_array().unwrap().iter();
    let warned = codes.filter(|step| step["outcome"] == "warn");
    assert_eq!(warned.count(), 2, "{check:#}");
    assert!(check["correction"].is_null(), "{check:#}");
    assert_eq!(server.requests().len(), 1);
}
