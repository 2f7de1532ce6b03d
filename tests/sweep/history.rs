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
        assert!(!text.contains("M4rkedS3cret"), "{options:?}: {text}");
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
    fn make_older(&self, days: u32) {
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
    // A clock of the registry's own: all three nights are a year old.
    registered.make_older(365);
    registered
        .sweep(&["--confirm", "0", "--keep", "90d"])
        .expect(1);
    let numbers: Vec<u64> = registered
        .sweeps()
        .iter()
        .map(|(number, _)| *number)
        .collect();
    assert_eq!(numbers, [4, 2]);
    let swept = registered.sweep(&["--confirm", "0"]).expect(1);
    assert_eq!(swept.night()["stories"][0]["green"]["number"], 2);
}
