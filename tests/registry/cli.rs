//! `linkdial apply` from outside: exit codes, where the registry lies, signals, pipes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use linkdial_testcontainers::HttpEndpoint;
use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort};
use serde_json::Value;

use super::lab::valid;

/// A folder for data of its own; nothing of the machine that runs the tests reaches the command.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.path().join(name), text).unwrap();
        self.path(name)
    }

    fn apply(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial"));
        command
            .env_clear()
            .env("XDG_DATA_HOME", self.0.path())
            .arg("apply")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.apply(arguments).output().unwrap()
    }

    fn json(&self, statement: &str) -> Value {
        let output = self.run(&["--format", "json", "-e", statement]);
        valid(stdout(&output))
    }

    /// The names of the links of `shop`.
    fn links(&self) -> Vec<String> {
        let shown = self.json("SHOW LINKS ON shop");
        let rows = shown["statements"][0]["rows"].as_array().unwrap().iter();
        rows.map(|row| row["Link"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A link that is stored without a dial.
fn deferred(name: &str) -> String {
    format!("-- linkdial: verify deferred\nCREATE LINK shop.{name} AS KAFKA CREDENTIALS '{{}}';\n")
}

/// A link that is dialled with this URL.
fn dialled(name: &str, url: &str) -> String {
    format!("-- linkdial: target '{url}'\nCREATE LINK shop.{name} AS HTTP CREDENTIALS '{{}}';\n")
}

#[test]
fn what_the_statements_came_to_decides_the_exit_code() {
    let http = HttpEndpoint::start();
    let closed = RefusedPort::start();
    let away = format!("http://{}/", closed.addr());
    let home = Home::new();
    let parsed_not = home.write("broken.sql", "CREATE LINK a AS;");
    let nowhere = home.path("file/links.db");
    fs::write(home.path("file"), "").unwrap();
    let not_one = home.write("not_one.db", "this is no registry and never was");
    let [good, refused] = [dialled("a", &http.url("/")), dialled("b", &away)];
    let stored = "-- linkdial: verify deferred\n".to_owned() + &refused;
    let table: &[(&[&str], i32)] = &[
        (&["-e", &good], 0),
        (&["-e", &good], 0),
        (&["-e", &stored], 0),
        (&["-e", "CHECK LINK shop.a"], 0),
        (&["-e", "CHECK LINK shop.b"], 1),
        (&["-e", "SHOW LINKS ON shop"], 0),
        (&["-e", "INSERT INTO t VALUES (1)"], 0),
        (&["-e", &dialled("c", &away)], 1),
        (&["--defer", "-e", &dialled("c", &away)], 0),
        (&["--plan", "-e", &dialled("d", &away)], 1),
        (&["-e", "DROP LINK shop.nothing"], 2),
        (&["-e", "SHOW LINKS"], 2),
        (&["--database", "shop", "-e", "SHOW LINKS"], 0),
        (&["--user", "ada", "-e", "SHOW LINKS ON shop"], 2),
        (&["-e", &dialled("d", &away), "-e", "DROP LINK shop.x"], 2),
        (&[&parsed_not], 2),
        (&["no-such-file.sql"], 2),
        (&["--no-such-option"], 2),
        (&["--registry", &nowhere, "-e", "SHOW GRANTS"], 3),
        (&["--registry", &not_one, "-e", "SHOW GRANTS"], 3),
    ];
    for (arguments, expected) in table {
        let output = home.run(arguments);
        let page = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(code(&output), *expected, "{arguments:?}: {page}");
    }
}

#[test]
fn statements_come_from_options_files_and_a_pipe() {
    let home = Home::new();
    let file = home.write("links.sql", &deferred("file"));
    // Files come first, then the options in their order; none of the two reads a pipe.
    let output = home.run(&["-e", &deferred("one"), &file, "-e", &deferred("two")]);
    let names: Vec<&str> = stdout(&output)
        .lines()
        .filter(|line| line.starts_with("~ deferred"))
        .filter_map(|line| line.split_whitespace().nth(4))
        .collect();
    assert_eq!(names, ["shop.file", "shop.one", "shop.two"]);
    for arguments in [&[][..], &["-"]] {
        let mut child = home
            .apply(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let name = format!("pipe{}", arguments.len());
        stdin.write_all(deferred(&name).as_bytes()).unwrap();
        drop(stdin);
        assert_eq!(code(&child.wait_with_output().unwrap()), 0);
    }
    assert_eq!(home.links(), ["file", "one", "pipe0", "pipe1", "two"]);
    let output = home.run(&["-e", "DROP LINK shop.nothing"]);
    assert!(
        stdout(&output).contains("--> -e:1:11"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_part_of_the_stages_registers_nothing() {
    let home = Home::new();
    let statement = dialled("a", "http://127.0.0.1:1/");
    for arguments in [&["--offline"][..], &["--until", "tls"]] {
        let mut refused = arguments.to_vec();
        refused.extend(["-e", &statement]);
        let output = home.run(&refused);
        assert_eq!(code(&output), 2);
        assert_eq!(stdout(&output), "");
        for option in ["--plan", "--defer"] {
            assert!(stderr(&output).contains(option), "{}", stderr(&output));
        }
    }
    assert!(!Path::new(&home.path("linkdial")).exists());
    let output = home.run(&["--offline", "--plan", "-e", &statement]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(stdout(&output).contains("would be registered"));
    assert_eq!(home.links(), [""; 0]);
    let output = home.run(&["--offline", "--defer", "-e", &statement]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let shown = home.json("SHOW LINKS ON shop");
    let state = shown["statements"][0]["rows"][0]["State"].as_str().unwrap();
    assert!(state.starts_with("deferred ") && state.ends_with(" by root"));
}

#[test]
fn the_registry_lies_where_somebody_says() {
    let home = Home::new();
    let statement = deferred("a");
    // In the user's folder for data, with a word about the key once.
    let output = home.run(&["-e", &statement]);
    let key = home.path("linkdial/registry.key");
    let warning = stderr(&output);
    assert!(
        warning.starts_with("warning: the new registry"),
        "{warning}"
    );
    assert!(warning.contains(&key), "{warning}");
    assert!(Path::new(&home.path("linkdial/registry.db")).exists());
    assert_eq!(stderr(&home.run(&["-e", &statement])), "");
    // Where the variables say, and where the options do; those win.
    let variables = |command: &mut Command| {
        command
            .env("LINKDIAL_REGISTRY", home.path("variable.db"))
            .env("LINKDIAL_KEY_FILE", home.path("variable.secret"))
            .output()
            .unwrap()
    };
    let output = variables(&mut home.apply(&["-e", &statement]));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let (registry, key) = (home.path("option.db"), home.path("option.secret"));
    let options = [
        "--registry",
        &registry,
        "--key-file",
        &key,
        "-e",
        &statement,
    ];
    let output = variables(&mut home.apply(&options));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for name in [
        "variable.db",
        "variable.secret",
        "option.db",
        "option.secret",
    ] {
        assert!(Path::new(&home.path(name)).exists(), "{name}");
    }
    // A key of another registry opens nothing.
    let other = home.path("variable.secret");
    let output = home.run(&[
        "--registry",
        &registry,
        "--key-file",
        &other,
        "-e",
        "SHOW CREATE LINK shop.a",
    ]);
    assert_eq!(code(&output), 3, "{}{}", stdout(&output), stderr(&output));
    // Nowhere.
    let output = home
        .apply(&["-e", &statement])
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("--registry"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn others_who_may_read_the_key_are_told_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    home.run(&["-e", &deferred("a")]);
    let key = home.path("linkdial/registry.key");
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&key), 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = home.run(&["-e", "SHOW LINKS ON shop"]);
    assert!(stderr(&output).contains("chmod 600"), "{}", stderr(&output));
}

#[test]
fn tables_align() {
    let home = Home::new();
    let script = deferred("short")
        + &deferred("a_much_longer_name")
        + "-- linkdial: verify deferred\n\
           CREATE LINK shop.`漢字` AS S3 CONFIG '{\"region\": \"eu-central-1\"}' DESCRIPTION 'wide 漢';";
    home.run(&["-e", &script]);
    let output = home.run(&[
        "-e",
        "SELECT LINK, DESCRIPTION, TYPE FROM information_schema.LINKS",
    ]);
    assert_eq!(
        stdout(&output),
        "LINK                DESCRIPTION  TYPE\n\
         a_much_longer_name               KAFKA\n\
         short                            KAFKA\n\
         漢字                wide 漢      S3\n"
    );
}

#[test]
fn a_reader_that_goes_away_stops_no_registration() {
    let home = Home::new();
    let mut script: String = (0..50)
        .map(|number| deferred(&format!("a{number:02}")))
        .collect();
    script += "SHOW LINKS ON shop;\nSHOW CREATE LINK shop.a00;\n";
    script += &deferred("last");
    let file = home.write("links.sql", &script);
    for format in ["human", "json"] {
        let mut child = home
            .apply(&["--format", format, &file])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{format}: {}", stderr(&output));
        assert_eq!(home.links().len(), 51, "{format}");
        home.run(&["-e", "DROP LINK shop.last"]);
    }
}

/// A server that accepts and says nothing; the receiver hears of every connection.
fn silent() -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, accepted) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.push(stream.unwrap());
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    (url, accepted)
}

#[test]
fn who_is_interrupted_keeps_what_is_done() {
    for format in ["json", "human"] {
        let http = HttpEndpoint::start();
        let (url, accepted) = silent();
        let home = Home::new();
        // An ALTER is dialled when the CREATE before it is done.
        let script = dialled("first", &http.url("/"))
            + &format!("-- linkdial: target '{url}'\n")
            + "ALTER LINK shop.first SET CREDENTIALS '{\"headers\": {\"X-Shop\": \"1\"}}';\n"
            + &dialled("third", &http.url("/"))
            + "SHOW LINKS ON shop;\nINSERT INTO t VALUES (1);\n";
        let file = home.write("links.sql", &script);
        let arguments = [
            "--timeout",
            "60s",
            "--check-timeout",
            "60s",
            "--format",
            format,
            &file,
        ];
        let child = home
            .apply(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        accepted.recv().unwrap();
        interrupt(child.id());
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 130, "{}{}", stdout(&output), stderr(&output));
        assert_eq!(home.links(), ["first"]);
        let shown = home.run(&["-e", "SHOW CREATE LINK shop.first"]);
        assert!(
            stdout(&shown).contains("CREDENTIALS \"{}\""),
            "{}",
            stdout(&shown)
        );
        if format == "human" {
            let page = stdout(&output);
            assert!(
                page.ends_with("stopped early: the rest was not reached\n"),
                "{page}"
            );
            continue;
        }
        let document = valid(stdout(&output));
        let statements = document["statements"].as_array().unwrap();
        let outcomes: Vec<_> = statements.iter().map(|it| &it["outcome"]).collect();
        assert_eq!(
            outcomes,
            ["registered", "not reached", "not reached", "not reached"]
        );
        assert_eq!(document["complete"], false);
        assert_eq!(document["summary"]["not reached"], 3);
    }
}

fn interrupt(process: u32) {
    // The shell's own: a bare system has no program of that name.
    let kill = format!("kill -INT {process}");
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_deadline_ends_a_run_as_well() {
    let server = Broken::start(Fault::Silent);
    let home = Home::new();
    let script = dialled("first", &server.url()) + &deferred("second");
    let output = home.run(&["--deadline", "200ms", "--format", "json", "-e", &script]);
    let document = valid(stdout(&output));
    assert_eq!(code(&output), 1, "{document:#}");
    assert_eq!(document["complete"], false);
    assert_eq!(document["summary"]["not reached"], 2, "{document:#}");
    assert_eq!(home.links(), [""; 0]);
}

#[test]
fn every_key_of_the_document_is_there() {
    let http = HttpEndpoint::start();
    let home = Home::new();
    let script = dialled("a", &http.url("/"))
        + &dialled("b", &http.url("/404"))
        + "SELECT LINK, TYPE FROM information_schema.LINKS;\nDROP LINK shop.nothing;\n\
           CREATE LINK c AS;\nINSERT INTO t VALUES (1);\n";
    let file = home.write("links.sql", &script);
    let output = home.run(&["--format", "json", "--user", "root", &file]);
    let document = valid(stdout(&output));
    assert_eq!(code(&output), 2);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["tool"]["name"], "linkdial");
    assert_eq!(document["user"], "root");
    assert_eq!(document["plan"], false);
    let statements = &document["statements"];
    assert_eq!(statements[0]["link"], "shop.a");
    assert_eq!(statements[0]["kind"], "HTTP");
    assert_eq!(statements[0]["source"]["line"], 2);
    assert_eq!(statements[0]["checks"][0]["verdict"], "pass");
    assert_eq!(statements[1]["outcome"], "refused");
    assert_eq!(statements[1]["checks"][0]["code"], "access.not-found");
    assert_eq!(
        statements[2]["columns"],
        serde_json::json!(["LINK", "TYPE"])
    );
    let rows = serde_json::json!([{"LINK": "a", "TYPE": "HTTP"}]);
    assert_eq!(statements[2]["rows"], rows);
    assert_eq!(statements[3]["error"]["code"], "sql.no-such-link");
    assert_eq!(document["errors"].as_array().unwrap().len(), 1);
    assert_eq!(document["skipped"][0]["statement"], "INSERT INTO");
    let summary = serde_json::json!({"error": 1, "refused": 1, "registered": 1, "shown": 1});
    assert_eq!(document["summary"], summary);
    assert_eq!(document["complete"], true);
}

#[test]
fn a_secret_is_in_no_output_and_in_no_file() {
    let closed = RefusedPort::start();
    let home = Home::new();
    let script = format!(
        "CREATE LINK shop.a AS S3 CREDENTIALS '{{\"aws_access_key_id\": \"AKIAIOSFODNN7QUARTZ\", \
         \"aws_secret_access_key\": \"${{SECRET}}\"}}' \
         CONFIG '{{\"endpoint_url\": \"http://{}\", \"note\": \"${{SECRET}}\"}}';\n\
         SHOW CREATE LINK shop.a; SHOW LINKS ON shop; CHECK LINK shop.a;",
        closed.addr()
    );
    let file = home.write("links.sql", &script);
    for format in ["human", "json"] {
        let output = home
            .apply(&["--defer", "-v", "--log", "trace", "--vars-env", "SECRET"])
            .args(["--format", format, &file])
            .env("SECRET", "M4rkedS3cretThatNobodyMaySee")
            .output()
            .unwrap();
        assert!(
            stdout(&output).contains("<REDACTED>"),
            "{}",
            stdout(&output)
        );
        assert!(stderr(&output).contains("connect"), "the log is on");
        for text in [stdout(&output), stderr(&output)] {
            assert!(!text.contains("M4rked"), "{text}");
        }
    }
    for entry in fs::read_dir(home.path("linkdial")).unwrap() {
        let mut bytes = Vec::new();
        let path = entry.unwrap().path();
        fs::File::open(&path)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        let holds = bytes.windows(6).any(|window| window == b"M4rked");
        assert!(!holds, "{}", path.display());
    }
}
