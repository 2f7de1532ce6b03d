//! What a sweep's options for the network and for time do.

use linkdial_testcontainers::broken::{Broken, Fault};
use linkdial_testcontainers::{Certificates, HttpEndpoint};

use super::*;

#[test]
fn the_deadline_of_the_run_cuts_the_sweep() {
    let silent = Broken::start(Fault::Silent);
    let good = HttpEndpoint::start();
    let registered = Registered(TempDir::new().unwrap());
    let script = http("a", &good.url("/")) + &http("b", &silent.url());
    registered.apply(&script, &["--defer", "--offline"]);
    let swept = registered
        .sweep(&["--deadline", "1s", "--confirm", "0"])
        .expect(0);
    assert_eq!(swept.report["complete"], false);
    assert_eq!(swept.verdicts()[0], "shop.a pass -");
    assert_eq!(swept.verdicts()[1], "shop.b unverified access.interrupted");
    assert_eq!(registered.sweeps(), [(1, "cut".to_owned())]);
}

#[test]
fn what_expires_soon_can_decide_the_exit_code() {
    let certificates = Certificates::shared();
    let tls = certificates.server_tls(certificates.good());
    let server = HttpEndpoint::start_tls(tls);
    let registered = Registered(TempDir::new().unwrap());
    let url = format!("https://localhost:{}/", server.addr().port());
    let ca = certificates.ca_file().to_str().unwrap();
    registered.apply(&http("a", &url), &["--ca-file", ca]);
    let options = ["--ca-file", ca, "--expires-within"];
    let with = |within| registered.sweep(&[&options[..], &[within]].concat());
    with("1h").expect(0);
    let swept = with("3660d").expect(1);
    assert_eq!(swept.stderr, "");
    // For people it says what, also where only what is urgent is wanted.
    let quiet = ["--quiet", "--expires-within", "3660d", "--ca-file", ca];
    let output = registered.command("sweep", &quiet).output().unwrap();
    assert!(
        said(&output).contains("certificate of localhost:"),
        "{}",
        said(&output)
    );
    // From the history alone, too.
    let history = |within| {
        let options = ["--expires-within", within];
        registered.command("history", &options).output().unwrap()
    };
    assert_eq!(history("1h").status.code(), Some(0));
    let output = history("3660d");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("certificate of localhost:"),
        "{}",
        said(&output)
    );
}

#[test]
fn off_a_terminal_a_long_sweep_says_how_far_it_is() {
    let silent = Broken::start(Fault::Silent);
    let good = HttpEndpoint::start();
    let registered = Registered(TempDir::new().unwrap());
    let script = http("a", &good.url("/")) + &http("b", &silent.url());
    registered.apply(&script, &["--defer", "--offline"]);
    let options = ["--confirm", "0", "--timeout", "11s"];
    let swept = registered.sweep(&options).expect(1);
    let line = "linkdial: 1/2 checks, shop.b for ";
    assert!(swept.stderr.starts_with(line), "{}", swept.stderr);
    assert_eq!(swept.stderr.lines().count(), 1, "{}", swept.stderr);
    // And with --quiet nothing.
    let quiet = registered.command("sweep", &[&options[..], &["--quiet"]].concat());
    let quiet = { quiet }.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&quiet.stderr), "");
}
