//! The `linkdial` command from outside: exit codes, files, signals, and what it must not say.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bounds;
mod check;
mod key;
mod network;
mod outputs;
mod secret_variables;
mod slips;

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use linkdial::report::Format;

/// Nothing of the machine that runs the tests may reach the command.
fn linkdial(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    linkdial(arguments).output().unwrap()
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

fn s3(name: &str, port: u16) -> String {
    format!(
        "CREATE LINK {name} AS S3 \
         CREDENTIALS '{{\"aws_access_key_id\": \"AKIAIOSFODNN7QUARTZ\", \
         \"aws_secret_access_key\": \"M4rkedS3cretThatNobodyMaySee\"}}' \
         CONFIG '{{\"region\": \"us-east-1\", \"endpoint_url\": \"http://127.0.0.1:{port}\"}}';\n"
    )
}

struct Folder(tempfile::TempDir);

impl Folder {
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
}

/// A port that nothing listens on: it was given out by the system and closed again.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that accepts and says nothing.
struct Silent {
    port: u16,
    accepted: JoinHandle<TcpStream>,
}

impl Silent {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            port: listener.local_addr().unwrap().port(),
            accepted: std::thread::spawn(move || listener.accept().unwrap().0),
        }
    }
}

fn schema() -> jsonschema::Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn report(text: &str) -> serde_json::Value {
    let document = serde_json::from_str(text).unwrap();
    let errors: Vec<_> = schema()
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0], "{text}");
    document
}

#[test]
fn what_failed_decides_the_exit_code() {
    let folder = Folder::new();
    let good = folder.write("good.sql", &s3("a", closed_port()));
    let unknown = folder.write("unknown.sql", "CREATE LINK k AS KAFKA CREDENTIALS '{}';");
    let broken = folder.write("broken.sql", "CREATE LINK a AS;");
    let nothing = folder.write("nothing.sql", "CREATE TABLE t (a int);");
    let nowhere = folder.path("no/such/folder/report.json");
    let nowhere = format!("json={nowhere}");
    let table: &[(&[&str], i32)] = &[
        (&["verify", "--offline", &good], 0),
        (&["verify", &good], 1),
        (&["verify", &unknown], 0),
        (&["verify", "--strict", &unknown], 1),
        (&["verify", &nothing], 0),
        (&["verify", "--strict", &nothing], 1),
        (&["verify", "--offline", &broken, &good], 2),
        (&["verify", &broken, &good], 2),
        (&["verify", "--output", &nowhere, &broken], 3),
        (&["explain", "connect.refused"], 0),
        (&["explain", "no.such-code"], 2),
        (&["--version"], 0),
        (&["verify", "--help"], 0),
        (&[], 2),
    ];
    for (arguments, expected) in table {
        let output = run(arguments);
        assert_eq!(
            code(&output),
            *expected,
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn bad_usage_is_said_on_standard_error_alone() {
    let folder = Folder::new();
    let script = folder.write("links.sql", &s3("shop.orders", closed_port()));
    let folder_itself = folder.path("");
    let binary = folder.path("binary.sql");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let tip = format!("`linkdial verify {script}`");
    let no_strings = folder.write("vars.json", r#"{"N": 5}"#);
    let table: &[(&[&str], &str)] = &[
        (
            &["verify", "--offline", "--until", "tls", &script],
            "--until",
        ),
        (&["verify", "--offline", "--write", &script], "--write"),
        (&["verify", "-q", "-v", &script], "--verbose"),
        (
            &["verify", "--format", "xml", &script],
            "human, json, junit, github, sarif, openmetrics, markdown, html",
        ),
        (
            &["verify", "--output", "xml=x", &script],
            "human, json, junit, github, sarif, openmetrics, markdown, html",
        ),
        (&["verify", "--output", "json", &script], "FORMAT=FILE"),
        (&["verify", "--timeout", "5", &script], "500ms"),
        (&["verify", "--timeout", "0s", &script], "more than zero"),
        (
            &["verify", "--jobs", "0", &script],
            "--jobs <N>': write a whole number from 1",
        ),
        (
            &["verify", "--jobs-per-host", "x", &script],
            "--jobs-per-host <N>': write a whole number from 1",
        ),
        (
            &["verify", "--target", "shop.orders=b:wrote", &script],
            "`:wrote` is neither `:read` nor `:write`",
        ),
        (
            &["verify", "--target", "nothing=b", &script],
            "it defines `shop.orders`",
        ),
        (&[&script], &tip),
        (&["no-such.sql"], "`linkdial verify no-such.sql`"),
        (&["verify", "--until", "handshake", &script], "connect"),
        (&["verify", "--target", "orders", &script], "LINK=TARGET"),
        (
            &["verify", "--target", "shop.ordres=b", &script],
            "did you mean `shop.orders`?",
        ),
        (&["verify", "--resolve", "h", &script], "HOST:ADDRESS"),
        (&["verify", "--only-net", "nothing", &script], "10.0.0.0/8"),
        (&["verify", "--var", "A", &script], "NAME=VALUE"),
        (
            &["verify", "--vars-env", "NOT_SET", &script],
            "`NOT_SET` is not set",
        ),
        (
            &["verify", "--vars-env", "NOT_SET,NOR_THIS", &script],
            "`NOT_SET` is not set, `NOR_THIS` is not set",
        ),
        (
            &["verify", "--vars", "/no/such/file", &script],
            "`--vars`: cannot read `/no/such/file`: there is no such file",
        ),
        (
            &["verify", "--ca-file", "/no/such/file", &script],
            "`--ca-file`: cannot read `/no/such/file`: there is no such file",
        ),
        (
            &["verify", "--vars", &no_strings, &script],
            "`N` is no string",
        ),
        (&["verify", "--ca-file", &script, &script], "no certificate"),
        (&["verify", "/no/such/file.sql"], "there is no such file"),
        (&["verify", &folder_itself], "it is a folder"),
        (&["verify", &binary], "not UTF-8"),
        (&["verify", "-", "-"], "`-` stands twice"),
        (&["verify", "--log", "a=b=c", &script], "--log"),
    ];
    assert_refused(table);
}

fn assert_refused(table: &[(&[&str], &str)]) {
    for (arguments, expected) in table {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(
            stderr(&output).contains(expected),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn bad_usage_of_the_other_commands_is_said_there_too() {
    assert_refused(&[
        (&["explain"], "<CODE>"),
        (&["explain", "xyzzy"], "explain --list"),
        (
            &["explain", "tls.unknown-isuer"],
            "did you mean `tls.unknown-issuer`?",
        ),
        (
            &["explain", "bad-secret"],
            "did you mean `authenticate.bad-secret`?",
        ),
        (&["man", "applaud"], "no subcommand `applaud`"),
        (&["sweeep"], "sweeep"),
        (&["sweep", "--until", "tls"], "--until"),
    ]);
}

#[test]
fn offline_sends_no_packet() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = Folder::new();
    let text = s3("a", port)
        + "CREATE LINK f AS HTTP CREDENTIALS '{}' CONFIG '{}';\n"
        + "CREATE PIPELINE p AS LOAD DATA LINK a 'bucket' INTO TABLE t;\n";
    let script = folder.write("links.sql", &text);
    let target = format!("f=http://127.0.0.1:{port}/");
    let offline = [
        "verify",
        "--offline",
        "--target",
        &target,
        "--format",
        "json",
        &script,
    ];
    let output = run(&offline);
    let document = report(stdout(&output));
    assert_eq!(document["until"], "define");
    assert_eq!(document["summary"]["pass"], 2, "{document:#}");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // The same script without the option does reach the listener.
    let online = ["verify", "--timeout", "100ms", "--target", &target, &script];
    assert_eq!(code(&run(&online)), 1);
    assert!(listener.accept().is_ok());
}

#[test]
fn one_run_fills_several_files() {
    let folder = Folder::new();
    let script = folder.write("links.sql", &s3("a", closed_port()));
    let (json, junit, human) = (
        folder.path("a.json"),
        folder.path("a.xml"),
        folder.path("a.txt"),
    );
    let outputs = [
        format!("json={json}"),
        format!("junit={junit}"),
        format!("human={human}"),
    ];
    let mut arguments = vec!["verify", "--color", "always", "--format", "github", &script];
    for output in &outputs {
        arguments.extend(["--output", output]);
    }
    let output = run(&arguments);
    assert_eq!(code(&output), 1);
    assert!(
        stdout(&output).starts_with("::error file="),
        "{}",
        stdout(&output)
    );
    let document = report(&fs::read_to_string(json).unwrap());
    assert_eq!(document["checks"][0]["code"], "connect.refused");
    assert!(fs::read_to_string(junit).unwrap().contains("<failure"));
    let human = fs::read_to_string(human).unwrap();
    assert!(human.contains("connect.refused"), "{human}");
    assert!(
        !human.contains('\u{1b}'),
        "colours are for the terminal: {human}"
    );
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 4);
}

#[test]
fn a_target_of_a_broken_link_does_not_hide_its_error() {
    let folder = Folder::new();
    let text = "CREATE LINK broken AS;\n".to_owned() + &s3("a", closed_port());
    let script = folder.write("links.sql", &text);
    let arguments = [
        "verify",
        "--target",
        "broken=bucket",
        "--target",
        "a=bucket",
        "--format",
        "json",
        &script,
    ];
    let output = run(&arguments);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).starts_with("warning: `--target broken=...`: "),
        "{}",
        stderr(&output)
    );
    let document = report(stdout(&output));
    assert_eq!(document["errors"].as_array().unwrap().len(), 1);
    assert_eq!(document["checks"][0]["target"], "bucket");
    assert_eq!(document["checks"][0]["code"], "connect.refused");
}

#[test]
fn json_on_standard_output_is_one_document() {
    let folder = Folder::new();
    let text = s3("a", closed_port()) + "CREATE LINK b AS;\nCREATE TABLE t (a int);\n";
    let script = folder.write("links.sql", &text);
    let output = run(&["verify", "--format", "json", &script]);
    assert_eq!(code(&output), 2);
    assert_eq!(stderr(&output), "");
    let document = report(stdout(&output));
    assert_eq!(document["errors"].as_array().unwrap().len(), 1);
    assert_eq!(document["skipped"][0]["statement"], "CREATE TABLE");
    assert_eq!(document["checks"].as_array().unwrap().len(), 1);
    let key = &document["checks"][0]["diagnosis"]["keys"][0];
    assert_eq!(key["pointer"], "/endpoint_url", "{document:#}");
    assert_eq!(key["line"], 1);
}

#[test]
fn a_script_comes_from_a_pipe() {
    for arguments in [&["verify", "--offline"][..], &["verify", "--offline", "-"]] {
        let mut child = linkdial(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(s3("shop.a", 1).as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("shop.a"), "{}", stdout(&output));
    }
}

#[test]
fn variables_come_from_all_three_sources() {
    let folder = Folder::new();
    let script = folder.write(
        "links.sql",
        "CREATE LINK a AS S3 CREDENTIALS '{\"aws_access_key_id\": \"${ID}\", \
         \"aws_secret_access_key\": \"${SECRET}\"}' \
         CONFIG '{\"region\": \"${REGION}\", \"endpoint_url\": \"http://127.0.0.1:1\"}';",
    );
    let vars = folder.write(
        "vars.env",
        "# ours\nID=AKIAIOSFODNN7QUARTZ\nREGION='overridden'\n",
    );
    let arguments = [
        "verify",
        "--offline",
        "--vars",
        &vars,
        "--vars-env",
        "SECRET",
        "--var",
        "REGION=us-east-1",
        &script,
    ];
    let output = linkdial(&arguments)
        .env("SECRET", "M4rkedS3cretThatNobodyMaySee")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let output = run(&["verify", "--offline", &script]);
    assert_eq!(code(&output), 2);
    assert!(
        stdout(&output).contains("sql.unbound-variable"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_secret_is_in_no_output_at_any_level() {
    let folder = Folder::new();
    let text = s3("a", closed_port())
        + "CREATE LINK b AS S3 CREDENTIALS '{\"aws_secret_access_key\": \
           \"M4rkedS3cretThatNobodyMaySee\"' CONFIG '{}';\n"
        + "CREATE LINK c AS S3 CREDENTIALS '{\"aws_secret_access_key\": \
           \"M4rkedS3cretThatNobodyMaySee\"}' CONFIG '{\"aws_secret_access_key\": \
           \"M4rkedS3cretThatNobodyMaySee\"}' garbage;\n";
    let script = folder.write("links.sql", &text);
    for format in Format::ALL.map(Format::as_str) {
        let arguments = [
            "verify", "-v", "--log", "trace", "--format", format, &script,
        ];
        let output = run(&arguments);
        assert!(
            stderr(&output).contains("connect"),
            "the log is on: {}",
            stderr(&output)
        );
        for text in [stdout(&output), stderr(&output)] {
            assert!(!text.contains("M4rked"), "{format}: {text}");
        }
    }
}

#[test]
fn colours_are_asked_for() {
    let folder = Folder::new();
    let script = folder.write("links.sql", &s3("a", closed_port()));
    assert!(!stdout(&run(&["verify", &script])).contains('\u{1b}'));
    assert!(stdout(&run(&["verify", "--color", "always", &script])).contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    let text: String = (0..300).fold(String::new(), |text, index| {
        text + &s3(&format!("a{index}"), 1)
    });
    let script = folder.write("links.sql", &text);
    let mut child = linkdial(&["verify", "--offline", "--format", "json", &script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(stderr(&output), "");
}

#[test]
fn pages_completions_and_manuals_are_there() {
    let page = run(&["explain", "TLS.Unknown-Issuer"]);
    assert!(
        stdout(&page).starts_with("# tls.unknown-issuer\n"),
        "{}",
        stdout(&page)
    );
    let list = run(&["explain", "--list"]);
    for line in [
        "connect.refused",
        "STAGE.interrupted",
        "sql.unexpected-token",
    ] {
        assert!(
            stdout(&list).lines().any(|it| it.starts_with(line)),
            "{line}"
        );
    }
    let page = run(&["explain", "STAGE.interrupted"]);
    assert_eq!(stdout(&page), stdout(&run(&["explain", "tls.interrupted"])));
    let list = run(&["explain", "define"]);
    assert!(
        stdout(&list).contains("define.unknown-key"),
        "{}",
        stdout(&list)
    );
    assert!(!stdout(&list).contains("tls."), "{}", stdout(&list));
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert!(stdout(&script).contains("jobs-per-host"), "{shell}");
    }
    assert!(stdout(&run(&["man"])).contains("linkdial"));
    assert!(stdout(&run(&["man", "verify"])).contains("jobs\\-per\\-host"));
    for arguments in [&["--help"][..], &["verify", "--help"]] {
        let help = run(arguments);
        for code in ["Exit codes: 0", "3 linkdial", "130 interrupted"] {
            assert!(stdout(&help).contains(code), "{arguments:?}");
        }
    }
}

#[test]
fn every_page_that_the_manual_refers_to_is_installed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install.sh");
    let installer = fs::read_to_string(path).unwrap();
    let commands = installer
        .lines()
        .find_map(|line| line.strip_prefix("commands='")?.strip_suffix('\''))
        .unwrap();
    let installed: Vec<_> = commands.split(' ').collect();
    let mut referred = references(&[]);
    let mut at = 0;
    while let Some(page) = referred.get(at) {
        at += 1;
        let words: Vec<_> = page.split('-').collect();
        let below = references(&words);
        referred.splice(at..at, below);
    }
    assert_eq!(referred, installed);
}

/// The pages that a manual page refers to, without the program's name in front.
fn references(words: &[&str]) -> Vec<String> {
    let page = run(&[&["man"], words].concat());
    let page = stdout(&page).replace('\\', "");
    assert!(page.contains("\"linkdial 0."), "{page}");
    let references = page.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("linkdial-")?.split_once("(1)")?;
        Some(name.to_owned())
    });
    references.collect()
}
