//! Two writers of one registry.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use linkdial::apply::Outcome;
use linkdial::linkdial_core::{Code, LinkName};
use linkdial::registry::Registry;
use sqlx::{Connection as _, SqliteConnection};

use super::lab::{Lab, Run};

/// An HTTP service that lets somebody else act before its first answer.
struct Hook {
    url: String,
    acted: JoinHandle<()>,
}

impl Hook {
    fn start(act: impl FnOnce() + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, acted) = std::sync::mpsc::channel();
        // It goes on answering until the process ends.
        std::thread::spawn(move || {
            let mut act = Some(act);
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                // A check may connect and say nothing.
                if stream.read(&mut request).unwrap_or_default() == 0 {
                    continue;
                }
                if let Some(act) = act.take() {
                    act();
                    sender.send(()).unwrap();
                }
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let acted = std::thread::spawn(move || acted.recv().unwrap());
        Self { url, acted }
    }
}

fn create(or_replace: &str, header: &str) -> String {
    format!(
        "CREATE {or_replace} LINK shop.score AS HTTP \
         CREDENTIALS '{{\"headers\": {{\"X-From\": \"{header}\"}}}}';\n"
    )
}

fn deferred(registry: &Lab, text: &str) {
    let text = format!("-- linkdial: verify deferred\n{text}");
    let ran = registry.run("before.sql", &text, &Run::default());
    assert_eq!(ran.outcomes(), ["deferred"], "{}", ran.page);
}

/// Runs statements through a handle of its own.
fn elsewhere(lab: &Lab, text: String) -> impl FnOnce() + Send + use<> {
    let other = lab.second();
    move || {
        let ran = Lab::run_on(&other, "other.sql", &text, &Run::default());
        assert_eq!(ran.ending.count(Outcome::Error), 0, "{}", ran.page);
    }
}

fn credentials(registry: &Registry) -> String {
    let name = LinkName {
        database: Some("shop".to_owned()),
        name: "score".to_owned(),
    };
    let link = registry.read(&name).unwrap().link.unwrap();
    link.credentials.expose().to_owned()
}

#[test]
fn who_comes_second_is_told_and_changes_nothing() {
    for (before, other, mine) in [
        // Both create it.
        ("", create("", "other"), create("", "me")),
        // Both replace it.
        (
            "before",
            create("OR REPLACE", "other"),
            create("OR REPLACE", "me"),
        ),
        // One alters it, one puts it to use.
        (
            "verified",
            "ALTER LINK shop.score SET CREDENTIALS '{\"headers\": {\"X-From\": \"other\"}}';"
                .to_owned(),
            "CREATE EXTERNAL FUNCTION shop.f(a INT) RETURNS INT AS REMOTE SERVICE '{url}' \
             FORMAT JSON LINK shop.score;"
                .to_owned(),
        ),
    ] {
        let lab = Lab::new();
        match before {
            "" => {}
            "verified" => {
                let url = lab.http.url("/");
                let text = format!("-- linkdial: target '{url}'\n{}", create("", before));
                let ran = lab.run("before.sql", &text, &Run::default());
                assert_eq!(ran.outcomes(), ["registered"], "{}", ran.page);
            }
            before => deferred(&lab, &create("", before)),
        }
        let other = format!("-- linkdial: verify deferred\n{other}");
        let hook = Hook::start(elsewhere(&lab, other));
        let mine = if mine.contains("{url}") {
            mine.replace("{url}", &hook.url)
        } else {
            format!("-- linkdial: target '{}'\n{mine}", hook.url)
        };
        let ran = lab.run("mine.sql", &mine, &Run::default());
        hook.acted.join().unwrap();
        assert_eq!(ran.outcomes(), ["error"], "{}", ran.page);
        let error = ran.statements[0].error.as_ref().unwrap();
        assert_eq!(error.code, Code::SqlConflict);
        assert_eq!(ran.json["statements"][0]["error"]["code"], "sql.conflict");
        assert!(ran.page.contains("their change stands"), "{}", ran.page);
        assert!(credentials(&lab.registry).contains("other"));
        assert!(!lab.holds().contains(&hook.url), "{}", lab.holds());
    }
}

#[test]
fn who_wants_the_same_joins_what_was_first() {
    let lab = Lab::new();
    let text = create("", "both");
    let other = format!("-- linkdial: verify deferred\n{text}");
    let hook = Hook::start(elsewhere(&lab, other));
    let text = format!("-- linkdial: target '{}'\n{text}", hook.url);
    let ran = lab.run("mine.sql", &text, &Run::default());
    hook.acted.join().unwrap();
    // It passed here, and brings a target.
    assert_eq!(ran.outcomes(), ["registered"], "{}", ran.page);
    assert!(lab.holds().contains(&hook.url), "{}", lab.holds());
    let again = lab.run("mine.sql", &text, &Run::default());
    assert_eq!(again.outcomes(), ["unchanged"], "{}", again.page);
}

#[test]
fn no_target_is_lost_when_two_use_a_link_at_once() {
    let lab = Lab::new();
    let url = lab.http.url("/");
    let text = format!("-- linkdial: target '{url}'\n{}", create("", "both"));
    let ran = lab.run("before.sql", &text, &Run::default());
    assert_eq!(ran.outcomes(), ["registered"], "{}", ran.page);
    let function = |name: &str, url: &str| {
        format!(
            "CREATE EXTERNAL FUNCTION shop.{name}(a INT) RETURNS INT AS REMOTE SERVICE '{url}' \
             FORMAT JSON LINK shop.score;"
        )
    };
    let theirs = lab.http.url("/echo");
    let hook = Hook::start(elsewhere(&lab, function("g", &theirs)));
    let ran = lab.run("mine.sql", &function("h", &hook.url), &Run::default());
    hook.acted.join().unwrap();
    assert_eq!(ran.outcomes(), ["registered"], "{}", ran.page);
    let holds = lab.holds();
    for url in [&url, &theirs, &hook.url] {
        assert!(holds.contains(url.as_str()), "{url} in {holds}");
    }
}

/// Links are dialled ahead of their statements; what was dialled for another definition is not
/// taken for this one.
#[test]
fn a_link_that_changed_since_it_was_dialled_is_dialled_again() {
    let lab = Lab::new();
    deferred(&lab, &create("", "before"));
    let other = format!(
        "-- linkdial: verify deferred\n{}",
        create("OR REPLACE", "other")
    );
    let hook = Hook::start(elsewhere(&lab, other));
    let url = lab.http.url("/");
    let text = format!(
        "-- linkdial: target '{}'\nCREATE LINK shop.first AS HTTP CREDENTIALS '{{}}';\n\
         -- linkdial: target '{url}'\nALTER LINK shop.score SET CONFIG '{{\"headers\": {{\"X-A\": \"1\"}}}}';\n",
        hook.url
    );
    let ran = lab.run("mine.sql", &text, &Run::default());
    hook.acted.join().unwrap();
    assert_eq!(ran.outcomes(), ["registered", "registered"], "{}", ran.page);
    let sent = lab.http.requests();
    let sent: Vec<_> = sent.iter().map(|it| it.header("x-from")).collect();
    assert!(sent.contains(&Some("other")), "{sent:?}");
    assert!(credentials(&lab.registry).contains("other"));
}

/// Changes what is stored for every link, as an editor of the file would.
fn damage(lab: &Lab) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let path = lab.folder.path().join("links.db");
    runtime.block_on(async {
        let address = format!("sqlite://{}", path.display());
        let mut connection = SqliteConnection::connect(&address).await.unwrap();
        let damage = "UPDATE links SET sealed = 'AAAA'";
        sqlx::query(damage).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_damaged_link_stops_no_other_and_can_be_stored_anew() {
    let lab = Lab::new();
    let url = lab.http.url("/");
    let link = |words: &str, name: &str| {
        format!(
            "-- linkdial: target '{url}'\nCREATE {words} LINK shop.{name} AS HTTP CREDENTIALS '{{}}';\n"
        )
    };
    let text = link("", "a") + &link("", "b");
    let ran = lab.run("before.sql", &text, &Run::default());
    assert_eq!(ran.outcomes(), ["registered", "registered"], "{}", ran.page);
    damage(&lab);
    let text = [
        "CHECK LINK shop.a;",
        "ALTER LINK shop.a SET CONFIG '{}';",
        "SHOW CREATE LINK shop.a;",
        &format!("CREATE PIPELINE shop.p AS LOAD DATA LINK shop.a '{url}' INTO TABLE t;"),
        &link("", "a"),
        &link("OR REPLACE", "a"),
        "DROP LINK shop.b;",
        &link("", "c"),
    ]
    .join("\n");
    let ran = lab.run("after.sql", &text, &Run::default());
    let outcomes = [
        "error",
        "error",
        "error",
        "error",
        "error",
        "registered",
        "dropped",
        "registered",
    ];
    assert_eq!(ran.outcomes(), outcomes, "{}", ran.page);
    for statement in &ran.statements[..5] {
        let error = statement.error.as_ref().unwrap();
        assert_eq!(error.code, Code::SqlLinkDamaged);
    }
    let again = lab.run("again.sql", "CHECK LINK shop.a;", &Run::default());
    assert_eq!(again.outcomes(), ["checked"], "{}", again.page);
}
