//! Ctrl-C in the middle of a sweep.

use std::time::{Duration, Instant};

use linkdial_testcontainers::HttpEndpoint;
use linkdial_testcontainers::broken::{Broken, Fault};

use super::*;

#[test]
fn an_interrupt_keeps_what_was_done_and_the_history_says_so() {
    let silent = Broken::start(Fault::Silent);
    let good = HttpEndpoint::start();
    let registered = Registered(TempDir::new().unwrap());
    let script = http("a", &good.url("/")) + &http("b", &silent.url());
    registered.apply(&script, &["--defer", "--offline"]);
    let junit = registered.path("report.xml");
    let output = format!("junit={}", junit.display());
    let options = [
        "--timeout",
        "60s",
        "--check-timeout",
        "60s",
        "--format",
        "json",
    ];
    let child = registered
        .command("sweep", &[&options[..], &["--output", &output]].concat())
        .spawn()
        .unwrap();
    // Both are under way once the good one has been asked and the silent one holds its connection.
    while silent.connections() == 0 || good.requests().is_empty() {
        std::thread::yield_now();
    }
    let started = Instant::now();
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let swept = Swept::of(&child.wait_with_output().unwrap()).expect(130);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(swept.report["complete"], false);
    assert_eq!(swept.verdicts()[1], "shop.b unverified access.interrupted");
    assert!(fs::read_to_string(junit).unwrap().contains("shop.b"));
    assert_eq!(registered.sweeps(), [(1, "cut".to_owned())]);
    // And the next one starts as if nothing had been.
    let options = ["--timeout", "1s", "--confirm", "0"];
    let swept = registered.sweep(&options).expect(1);
    assert_eq!(
        swept.verdicts(),
        ["shop.a pass -", "shop.b fail access.timed-out"]
    );
    assert_eq!(swept.changes(), ["newly red: shop.b - -> access.timed-out"]);
}
