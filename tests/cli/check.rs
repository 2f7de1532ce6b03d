//! `linkdial check` on registries that were filled through the library.

use std::ops::ControlFlow;
use std::sync::Arc;

use linkdial::apply::{ApplyOptions, Outcome, Statements, apply};
use linkdial::linkdial_core::Settings;
use linkdial::registry::{Action, Location, Registry};
use linkdial::script::ScriptOptions;
use linkdial::sweep::Limits;
use linkdial_testcontainers::{Answer, HttpEndpoint, ScriptedHttp};
use sqlx::{Connection as _, SqliteConnection};

use super::*;

const SECRET: &str = "M4rkedS3cretThatNobodyMaySee";

/// A registry of its own for each test.
pub(super) struct Registered {
    pub(super) folder: Folder,
    pub(super) path: String,
}

impl Registered {
    pub(super) fn new() -> Self {
        let folder = Folder::new();
        let path = folder.path("links.db");
        Self { folder, path }
    }

    fn open(&self) -> Registry {
        Registry::open(&Location::Sqlite((&self.path).into()), None).unwrap()
    }

    /// Applies a script and returns what its statements came to.
    pub(super) fn apply(&self, text: &str, defer: bool) -> Vec<Outcome> {
        let statements = Statements::read(
            vec![("links.sql".to_owned(), text.to_owned())],
            ScriptOptions::default(),
        );
        let options = ApplyOptions {
            defer,
            ..ApplyOptions::default()
        };
        let settings = Arc::new(Settings::default());
        let mut outcomes = Vec::new();
        let registry = self.open();
        let ending = apply(
            statements,
            &registry,
            &options,
            &settings,
            &Limits::default(),
            |event| {
                if let linkdial::apply::Event::Applied(applied) = event {
                    outcomes.push(applied.outcome);
                }
                ControlFlow::Continue(())
            },
        );
        assert!(ending.errors.is_empty(), "{:?}", ending.errors);
        assert!(ending.failure.is_none(), "{:?}", ending.failure);
        outcomes
    }

    fn with(text: &str) -> Self {
        let registered = Self::new();
        let outcomes = registered.apply(text, false);
        // A function that comes after its link adds nothing that was not dialled with it.
        let good = [Outcome::Registered, Outcome::Unchanged, Outcome::Granted];
        assert!(outcomes.iter().all(|it| good.contains(it)), "{outcomes:?}");
        registered
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = linkdial(&["check", "--registry", &self.path]);
        command.args(arguments);
        command
    }

    fn check(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The names of the links that are checked.
    pub(super) fn checked(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.check(&[&["--format", "json"], arguments].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        let document = report(stdout(&output));
        let checks = document["checks"].as_array().unwrap().iter();
        checks
            .map(|check| check["link"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Who dialled which link, with verdict and code.
    fn dials(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.open()
            .record(|line| {
                let entry = line.entry;
                if entry.action == Action::Dial {
                    lines.push(format!(
                        "{} {} {} {} {}",
                        entry.who,
                        entry.link.unwrap(),
                        entry.verdict.unwrap(),
                        entry.code.map_or("-", |code| code.as_str()),
                        entry.detail.as_deref().unwrap_or("-"),
                    ));
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        lines
    }

    /// What SHOW LINKS says about the state of every link.
    fn states(&self) -> Vec<String> {
        let mut states = Vec::new();
        self.open()
            .list(None, |link| {
                states.push(format!("{} {:?}", link.name, link.state));
                ControlFlow::Continue(())
            })
            .unwrap();
        states
    }
}

/// A link with a marked secret and a function that calls it at this URL.
fn http(name: &str, url: &str) -> String {
    let function = name.replace('.', "_");
    format!(
        "CREATE LINK {name} AS HTTP CREDENTIALS '{{\"headers\": {{\"X-Api-Key\": \"{SECRET}\"}}}}' \
         CONFIG '{{}}';\n\
         CREATE EXTERNAL FUNCTION {function}_f(a INT) RETURNS INT \
         AS REMOTE SERVICE '{url}' FORMAT JSON LINK {name};\n"
    )
}

/// Links of two databases, all at one server.
fn three(server: &HttpEndpoint) -> String {
    ["ops.orders", "shop.events", "shop.orders"]
        .map(|name| http(name, &server.url("/")))
        .concat()
}

/// Changes a registry behind its back.
pub(super) fn tamper(registered: &Registered, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let address = format!("sqlite://{}", registered.path);
        let mut connection = SqliteConnection::connect(&address).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_link_that_broke_since_is_found() {
    let steady = HttpEndpoint::start();
    let answer = Answer::status;
    // OPTIONS, HEAD and GET of the first dial.
    let answers = [answer(200), answer(200), answer(200), answer(403)];
    let changed = ScriptedHttp::always(answers);
    let text = http("shop.a_good", &steady.url("/")) + &http("shop.broken", &changed.url());
    let registered = Registered::with(&text);
    let (dialled, states) = (registered.dials().len(), registered.states());

    let output = registered.check(&["--format", "json"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let document = report(stdout(&output));
    assert_eq!(document["complete"], true);
    assert_eq!(document["summary"]["pass"], 1, "{document:#}");
    let check = &document["checks"][1];
    assert_eq!(check["link"], "shop.broken");
    assert_eq!(check["code"], "access.denied");
    assert_eq!(check["target"], changed.url());
    assert_eq!(check["source"], serde_json::Value::Null);
    assert_eq!(
        document["checks"][0]["steps"][0]["notes"],
        serde_json::json!({})
    );

    assert_eq!(
        registered.dials()[dialled..],
        [
            "root shop.a_good pass - -",
            "root shop.broken fail access.denied -",
        ]
    );
    assert_eq!(registered.states(), states);
}

#[test]
fn a_deferred_link_is_dialled_and_shown_as_deferred() {
    let server = HttpEndpoint::start();
    let registered = Registered::new();
    let outcomes = registered.apply(&http("shop.score", &server.url("/403")), true);
    assert_eq!(outcomes[0], Outcome::Deferred);
    let states = registered.states();

    let output = registered.check(&[]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let human = stdout(&output);
    let remark = human
        .lines()
        .find(|it| it.starts_with("    deferred: since 20"));
    assert!(
        remark.is_some_and(|it| it.ends_with("Z by root")),
        "{human}"
    );
    assert!(!human.contains("-->"), "no file has this link: {human}");
    let output = registered.check(&["--format", "json"]);
    let document = report(stdout(&output));
    let note = &document["checks"][0]["steps"][0]["notes"]["deferred"];
    assert!(
        note.as_str().unwrap().ends_with("Z by root"),
        "{document:#}"
    );
    assert_eq!(registered.states(), states);
}

#[test]
fn names_are_whole_or_have_wildcards() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    let dialled = registered.dials().len();
    for (arguments, expected) in [
        (&[][..], &["ops.orders", "shop.events", "shop.orders"][..]),
        (&["shop.orders"], &["shop.orders"]),
        (&["shop.orders", "ops.*"], &["ops.orders", "shop.orders"]),
        (&["orders"], &["ops.orders", "shop.orders"]),
        (
            &["orders", "shop.*"],
            &["ops.orders", "shop.events", "shop.orders"],
        ),
        (&["e*"], &["shop.events"]),
        (&["*.order?"], &["ops.orders", "shop.orders"]),
        (&["--database", "shop"], &["shop.events", "shop.orders"]),
        (&["--database", "ops", "orders"], &["ops.orders"]),
        (&["--database", "ops", "shop.events"], &["shop.events"]),
    ] {
        let arguments = [&["--offline"], arguments].concat();
        assert_eq!(registered.checked(&arguments), expected, "{arguments:?}");
    }
    assert_eq!(registered.dials().len(), dialled, "nothing was dialled");
    assert_eq!(
        registered.checked(&["--until", "connect", "ops.*"]),
        ["ops.orders"]
    );
    assert_eq!(
        registered.dials()[dialled..],
        ["root ops.orders pass - until connect"]
    );
}

#[test]
fn what_matches_no_link_is_bad_usage() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    let dialled = registered.dials().len();
    for (arguments, expected) in [
        (
            &["shop.ordres"][..],
            "error: no link matches `shop.ordres`; did you mean `shop.orders`? \
             (the registry holds 3 links)\n",
        ),
        (
            &["shop.orders", "Shop.orders", "evnts"],
            "error: no link matches `Shop.orders`; did you mean `ops.orders`? \
             (the registry holds 3 links)\n\
             no link matches `evnts`; did you mean `shop.events`? (the registry holds 3 links)\n",
        ),
        (
            &["--database", "ops", "e*"],
            "error: no link matches `ops.e*` (the registry holds 3 links)\n",
        ),
        (
            &["--database", "opps"],
            "error: no link matches `opps.*` (the registry holds 3 links)\n",
        ),
        (
            &["--target", "shop.evnts=http://127.0.0.1:1/"],
            "error: a target for `shop.evnts`: no link of this name is checked; \
             did you mean `shop.events`?\n",
        ),
        (
            &["--target", "ops.orders=http://127.0.0.1:1/", "shop.*"],
            "error: a target for `ops.orders`: no link of this name is checked; \
             did you mean `shop.orders`?\n",
        ),
        (
            &["--target", "orders=http://127.0.0.1:1/"],
            "error: a target for `orders`: links of this name stand in several databases: \
             ops.orders, shop.orders\n",
        ),
    ] {
        let output = registered.check(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert_eq!(stderr(&output), expected, "{arguments:?}");
    }
    assert_eq!(registered.dials().len(), dialled, "nothing was dialled");
}

#[test]
fn a_user_sees_the_links_of_its_databases() {
    let server = HttpEndpoint::start();
    let grant = "GRANT SHOW LINK ON shop.* TO 'bob';\nGRANT CREATE LINK ON ops.* TO 'bob';\n";
    let registered = Registered::with(&(three(&server) + grant));
    let dialled = registered.dials().len();
    let of_shop = ["shop.events", "shop.orders"];
    assert_eq!(registered.checked(&["--user", "bob"]), of_shop);
    assert_eq!(
        registered.dials()[dialled..],
        ["bob shop.events pass - -", "bob shop.orders pass - -"]
    );
    assert_eq!(
        registered.checked(&["--offline", "--user", "bob", "orders"]),
        ["shop.orders"]
    );
    let refused = |database: &str, user: &str| {
        format!(
            "error: user `{user}` has no permission SHOW LINK in database `{database}` \
             (sql.not-permitted)\n\
             hint: root gives it with GRANT SHOW LINK ON {database}.* TO '{user}'\n"
        )
    };
    let nothing_near = "error: no link matches `shop.xyz` (the registry holds 2 links that `bob` \
                        may see)\n";
    for (arguments, expected) in [
        (&["--user", "bob", "ops.orders"][..], refused("ops", "bob")),
        // Whether it exists is not told.
        (&["--user", "bob", "ops.xyz"], refused("ops", "bob")),
        (&["--user", "bob", "ops.*"], refused("ops", "bob")),
        (
            &["--user", "bob", "--database", "ops"],
            refused("ops", "bob"),
        ),
        (&["--user", "bob", "shop.xyz"], nothing_near.to_owned()),
        (&["--user", "eve"], refused("ops", "eve")),
    ] {
        let output = registered.check(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert_eq!(stderr(&output), expected, "{arguments:?}");
    }
}

#[test]
fn a_target_is_added_for_one_run() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    let stored = server.url("/");
    let further = server.url("/404");
    let targets = |arguments: &[&str]| {
        let output = registered.check(&[&["--format", "json", "shop.orders"], arguments].concat());
        let document = report(stdout(&output));
        let checks = document["checks"].as_array().unwrap().iter();
        let mut targets: Vec<_> = checks
            .map(|check| (check["target"].clone(), check["code"].clone()))
            .collect();
        targets.sort_by_key(|(target, _)| target.to_string());
        (code(&output), targets)
    };
    let passes = (stored.clone().into(), serde_json::Value::Null);
    let missing = (further.clone().into(), "access.not-found".into());
    let added = format!("shop.orders={further}");
    let both = (1, vec![passes.clone(), missing]);
    assert_eq!(targets(&["--target", &added]), both);
    let bare = format!("orders={further}");
    assert_eq!(targets(&["--database", "shop", "--target", &bare]), both);
    let again = format!("shop.orders={stored}:write");
    assert_eq!(targets(&["--target", &again]), (0, vec![passes.clone()]));
    assert_eq!(targets(&[]), (0, vec![passes]));
}

#[test]
fn strict_wants_every_link_proved() {
    let empty = Registered::new();
    drop(empty.open());
    for (arguments, expected) in [(&[][..], 0), (&["--strict"], 1)] {
        let output = empty.check(arguments);
        assert_eq!(code(&output), expected);
        assert_eq!(
            stdout(&output),
            "nothing to check: the registry holds no link\n"
        );
        assert_eq!(stderr(&output), "");
    }
    let output = empty.check(&["shop.orders"]);
    assert_eq!(code(&output), 2);
    assert_eq!(
        stderr(&output),
        "error: no link matches `shop.orders` (the registry holds no link)\n"
    );

    let unverified = Registered::new();
    let outcomes = unverified.apply("CREATE LINK a.k AS KAFKA CREDENTIALS '{}';", true);
    assert_eq!(outcomes, [Outcome::Deferred]);
    assert_eq!(code(&unverified.check(&[])), 0);
    assert_eq!(code(&unverified.check(&["--strict"])), 1);
}

#[test]
fn every_format_copes_with_a_link_without_a_file_and_shows_no_secret() {
    let server = HttpEndpoint::start();
    let registered = Registered::new();
    let text = http("shop.score", &server.url("/echo-401")) + &s3("shop.store", closed_port());
    registered.apply(&text, true);
    for format in Format::ALL.map(Format::as_str) {
        let output = registered.check(&["-v", "--log", "trace", "--format", format]);
        assert_eq!(code(&output), 1, "{format}: {}", stderr(&output));
        assert!(stderr(&output).contains("connect"), "the log is on");
        for text in [stdout(&output), stderr(&output)] {
            assert!(!text.contains("M4rked"), "{format}: {text}");
        }
        let text = stdout(&output);
        match format {
            "json" => drop(report(text)),
            "junit" => {
                assert!(text.contains("<testsuite name=\"shop.store\""), "{text}");
                assert!(text.contains("deferred: since 20"), "{text}");
                assert!(!text.contains("\"source\""), "{text}");
            }
            "github" => {
                let titles = "::error title=shop.store%3A connect.refused::";
                assert!(text.lines().any(|line| line.starts_with(titles)), "{text}");
                assert!(!text.contains("file="), "{text}");
            }
            "sarif" => assert!(!text.contains("physicalLocation"), "{text}"),
            "openmetrics" => {
                let series =
                    "linkdial_probe_success{link=\"shop.store\",kind=\"S3\",target=\"\"} 0\n";
                assert!(text.contains(series), "{text}");
            }
            "markdown" => assert!(text.contains("| ✗ fail | `shop.store` | S3 |"), "{text}"),
            "html" => assert!(text.contains("<h1>2 of 2 checks failed</h1>"), "{text}"),
            _ => assert!(!text.contains("-->"), "{text}"),
        }
    }
    let bytes = fs::read(&registered.path).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("M4rked"));
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_the_record_of_what_ended() {
    let (server, silent) = (HttpEndpoint::start(), Silent::start());
    let url = format!("http://127.0.0.1:{}/", silent.port);
    // Without a function: that would be dialled when it is applied.
    let silently = http("shop.silent", &url);
    let silently = silently.lines().next().unwrap();
    let text = http("shop.a_good", &server.url("/")) + "-- linkdial: verify deferred\n" + silently;
    let registered = Registered::new();
    let outcomes = registered.apply(&text, false);
    assert_eq!(outcomes[2], Outcome::Deferred);
    let dialled = registered.dials().len();
    let target = format!("shop.silent={url}");
    let arguments = [
        "--jobs",
        "1",
        "--timeout",
        "1m",
        "--check-timeout",
        "1m",
        "--target",
        &target,
    ];
    let mut command = registered.command(&arguments);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    // One at a time and in order: the first check has ended.
    let _connection = silent.accepted.join().unwrap();
    network::signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130);
    assert!(
        stdout(&output).ends_with("this report is partial\n"),
        "{}",
        stdout(&output)
    );
    assert_eq!(registered.dials()[dialled..], ["root shop.a_good pass - -"]);
}

#[test]
fn a_damaged_link_hides_no_other() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    tamper(
        &registered,
        "UPDATE links SET sealed = 'AAAA' WHERE database_name = 'ops'",
    );
    let output = registered.check(&["--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let document = report(stdout(&output));
    assert_eq!(document["summary"]["pass"], 2, "{document:#}");
    let check = &document["checks"][0];
    assert_eq!(check["link"], "ops.orders");
    assert_eq!(check["verdict"], "unverified");
    assert_eq!(
        check["diagnosis"]["message"],
        "the stored definition of link `ops.orders` is damaged"
    );
    assert_eq!(
        check["diagnosis"]["hint"],
        "create the link anew with `CREATE OR REPLACE LINK`"
    );
    assert_eq!(code(&registered.check(&["--strict"])), 1);
}

#[test]
fn what_can_not_be_recorded_is_still_told() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    tamper(
        &registered,
        "CREATE TRIGGER stop BEFORE INSERT ON record BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    let output = registered.check(&["--format", "json"]);
    assert_eq!(code(&output), 3);
    assert_eq!(report(stdout(&output))["summary"]["pass"], 3);
    assert!(
        stderr(&output).starts_with("error: cannot record the checks: "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_output_does_not_overwrite_the_registry_or_its_key() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    let key = registered.folder.path("links.key");
    let before = fs::read(&key).unwrap();
    let keytab = registered.folder.write("a.keytab", "");
    let keytab_option = format!("/etc/a.keytab={keytab}");
    for (file, role) in [
        (&registered.path, "the registry"),
        (&key, "the key of the registry"),
        (&keytab, "the file of `--file`"),
        (&format!("{key}.lock"), "a file of the registry"),
        (
            &format!("{}-wal", registered.path),
            "a file of the registry",
        ),
    ] {
        let output = format!("json={file}");
        let refused = registered.check(&["--file", &keytab_option, "--output", &output]);
        assert_eq!(code(&refused), 2, "{}", stderr(&refused));
        let expected = format!("`--output json={file}` would overwrite {role} `{file}`");
        assert!(stderr(&refused).contains(&expected), "{}", stderr(&refused));
    }
    assert_eq!(fs::read(&key).unwrap(), before);
    assert_eq!(registered.checked(&["--offline"]).len(), 3);
}

#[test]
fn a_registry_that_does_not_open_is_no_verdict() {
    let server = HttpEndpoint::start();
    let registered = Registered::with(&three(&server));
    fs::remove_file(registered.folder.path("links.key")).unwrap();
    let output = registered.check(&[]);
    assert_eq!(code(&output), 3);
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("is missing\nhint: put the key file back"),
        "{}",
        stderr(&output)
    );
}
