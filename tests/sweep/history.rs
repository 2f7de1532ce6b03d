//! `linkdial history`.

use linkdial_testcontainers::{HttpEndpoint, Switch};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::*;

#[test]
fn the_history_of_a_link_is_told_from_the_newest() {
    let server = HttpEndpoint::start();
    let switch = Switch::start(server.addr());
    let url = format!(
        "http://{}/?token=M4rkedS3cretThatNobodyMaySee",
        switch.addr()
    );
    let registered = Registered::with(&http("a", &url));
    registered.sweep(&[]).expect(0);
    switch.turn_to(None);
    registered.sweep(&["--confirm", "0"]).expect(1);
    let document = registered.history(&["shop.a"]);
    let checks = document["checks"].as_array().unwrap();
    let lines: Vec<String> = (checks.iter())
        .map(|check| {
            format!(
                "{} {} {}",
                check["sweep"],
                word(&check["verdict"]),
                check["code"]
            )
        })
        .collect();
    assert_eq!(lines, ["2 fail \"connect.reset\"", "1 pass null"]);
    assert_eq!(checks[1]["facts"]["addresses 127.0.0.1"], "127.0.0.1");
    assert!(checks[1]["steps"].as_array().unwrap().len() > 2);

    for options in [&[][..], &["shop.*"], &["--diff"], &["--sweep", "1"]] {
        let output = registered.command("history", options).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{options:?}: {text}");
        let secret = text.contains("M4rkedS3cretThat");
        assert!(!secret, "{options:?}: {text}");
    }
    let files = fs::read_dir(registered.0.path()).unwrap();
    for file in files.map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|it| it == "sql") {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(12).any(|window| window == b"M4rkedS3cret");
        assert!(!found, "{}", file.display());
    }

    let output = registered.command("history", &["nobody"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("no sweep has dialled `nobody`"),
        "{}",
        said(&output)
    );
    let output = registered
        .command("history", &["--diff", "1", "9"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("there is no sweep 9"),
        "{}",
        said(&output)
    );
}

impl Registered {
    /// Lets all sweeps have started so many days earlier.
    pub(super) fn make_older(&self, days: u32) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(self.registry());
            let mut connection = options.connect().await.unwrap();
            sqlx::query("UPDATE sweeps SET started = strftime('%Y-%m-%dT%H:%M:%SZ', started, $1)")
                .bind(format!("-{days} days"))
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    }
}

#[test]
fn what_is_older_is_forgotten_but_for_the_last_green_night() {
    let server = HttpEndpoint::start();
    let switch = Switch::start(server.addr());
    let registered = Registered::with(&http("a", &format!("http://{}/", switch.addr())));
    registered.sweep(&[]).expect(0);
    registered.sweep(&[]).expect(0);
    switch.turn_to(None);
    registered.sweep(&["--confirm", "0"]).expect(1);
    // All three nights are a year old, and the next one comes after a year: it may be the clock that
    // has jumped.
    registered.make_older(365);
    let keep = ["--confirm", "0", "--keep", "90d"];
    registered.sweep(&keep).expect(1);
    assert_eq!(registered.sweeps().len(), 4);
    registered.sweep(&keep).expect(1);
    // The last green night, and the first red one after it, are where the story starts.
    let numbers = |registered: &Registered| -> Vec<u64> {
        let sweeps = registered.sweeps().into_iter();
        sweeps.map(|(number, _)| number).collect()
    };
    assert_eq!(numbers(&registered), [5, 4, 3, 2]);
    let swept = registered.sweep(&keep).expect(1);
    let story = &swept.night()["stories"][0];
    assert_eq!(story["green"]["number"], 2);
    let year_ago = word(&story["green"]["started"]);
    assert!(word(&story["red_since"])[..7] == year_ago[..7], "{story:#}");
    // Green again, there is no story to keep them for.
    switch.turn_to(Some(server.addr()));
    registered.sweep(&keep).expect(0);
    registered.make_older(365);
    registered.sweep(&keep).expect(0);
    registered.sweep(&keep).expect(0);
    assert_eq!(numbers(&registered), [9, 8]);
}

#[test]
fn a_partial_sweep_takes_nothing_from_the_next_comparison() {
    let server = HttpEndpoint::start();
    let (first, second) = (Switch::start(server.addr()), Switch::start(server.addr()));
    let script = http("a", &format!("http://{}/", first.addr()))
        + &http("b", &format!("http://{}/", second.addr()));
    let registered = Registered::with(&script);
    first.turn_to(None);
    registered.sweep(&["--confirm", "0"]).expect(1);
    registered.sweep(&["--confirm", "0", "b"]).expect(0);
    let swept = registered.sweep(&["--confirm", "0"]).expect(1);
    let still = ["still red: shop.a connect.reset -> connect.reset"];
    assert_eq!(swept.changes(), still);
    let diff = registered.history(&["--diff"]);
    assert_eq!(changes(&diff["changes"]), still);
}

#[test]
fn targets_that_look_alike_keep_their_histories() {
    let good = HttpEndpoint::start();
    let switch = Switch::start(good.addr());
    let base = format!("http://{}/", switch.addr());
    let function = |name: &str, token: &str| {
        format!(
            "CREATE EXTERNAL FUNCTION shop.{name}(a INT) RETURNS INT AS REMOTE SERVICE \
             '{base}?sig={token}' FORMAT JSON LINK shop.a;\n"
        )
    };
    let script = "CREATE LINK shop.a AS HTTP CREDENTIALS '{}';\n".to_owned()
        + &function("f", "AAAAAAAAAA")
        + &function("g", "BBBBBBBBBB");
    let registered = Registered::with(&script);
    registered.sweep(&[]).expect(0);
    let names = |swept: &Swept| -> Vec<(String, u64)> {
        let document = registered.history(&["--sweep", &swept.night()["number"].to_string()]);
        let checks = document["checks"].as_array().unwrap().iter();
        let name = |check: &Value| {
            let target = word(&check["target"]).to_owned();
            (target, check["twin"].as_u64().unwrap())
        };
        checks.map(name).collect()
    };
    let swept = registered.sweep(&[]).expect(0);
    let both = names(&swept);
    assert_eq!(both[0].0, both[1].0, "they look alike");
    assert_eq!((both[0].1, both[1].1), (0, 1));
    let output = registered.apply("DROP FUNCTION shop.f;", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let swept = registered.sweep(&[]).expect(0);
    assert_eq!(
        names(&swept),
        both[1..],
        "the second one stays the second one"
    );
}
