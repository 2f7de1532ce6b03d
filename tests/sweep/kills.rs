//! Sweeps that are killed at a random moment.

use std::time::Duration;

use linkdial_testcontainers::HttpEndpoint;
use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort};

use super::chance::{Random, rounds};
use super::*;

#[test]
fn a_killed_sweep_leaves_a_whole_history() {
    let good = HttpEndpoint::start();
    let links = 60;
    let script: String = (0..links)
        .map(|index| http(&format!("a{index:02}"), &good.url("/")))
        .collect();
    let registered = Registered(TempDir::new().unwrap());
    registered.apply(&script, &["--defer", "--offline"]);
    let sweep = ["--jobs", "2", "--format", "json"];
    let whole = std::time::Instant::now();
    registered.sweep(&["--jobs", "2"]).expect(0);
    let whole = whole.elapsed();

    let mut random = Random::new();
    let mut killed = 0;
    for round in 0..rounds(10, 50) {
        let micros = u64::try_from(whole.as_micros()).unwrap();
        let moment = Duration::from_micros(1000 + random.below(micros));
        let mut child = registered.command("sweep", &sweep).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        killed += u32::from(output.status.code().is_none());

        let swept = registered.sweep(&[]).expect(0);
        assert_eq!(swept.report["summary"]["pass"], links, "round {round}");
        assert_eq!(swept.changes(), [""; 0], "round {round}");
        let sweeps = registered.sweeps();
        assert_eq!(sweeps[0].1, "complete", "round {round}");
        assert!(
            sweeps.iter().all(|(_, state)| state != "running"),
            "{sweeps:?}"
        );
        for sweep in registered.history(&[])["sweeps"].as_array().unwrap() {
            let summary = &sweep["summary"];
            let of = format!("{}", sweep["number"]);
            let stored = registered.history(&["--sweep", &of]);
            let stored = stored["checks"].as_array().unwrap().len();
            let counted = ["pass", "warn", "fail", "unverified"]
                .map(|word| summary[word].as_u64().unwrap())
                .iter()
                .sum::<u64>();
            assert_eq!(stored as u64, counted, "sweep {of}");
        }
    }
    assert!(killed > 0, "no sweep was killed before its end");
}

#[test]
fn a_killed_sweep_of_a_machine_without_a_network_turns_nothing_red() {
    let closed: Vec<RefusedPort> = (0..2).map(|_| RefusedPort::start()).collect();
    let silent = Broken::start(Fault::Silent);
    let script: String = closed
        .iter()
        .zip(1..)
        .map(|(port, host)| {
            let port = port.addr().port();
            http(
                &format!("a{host}"),
                &format!("http://127.0.0.{host}:{port}/"),
            )
        })
        .collect();
    let registered = Registered(TempDir::new().unwrap());
    registered.apply(
        &(script + &http("b", &silent.url())),
        &["--defer", "--offline"],
    );
    let mut child = registered
        .command("sweep", &["--confirm", "0", "--timeout", "20s"])
        .spawn()
        .unwrap();
    // Until the history has both; the third one holds the sweep.
    let stored = || {
        let document = registered.history(&["--sweep", "1"]);
        document["checks"].as_array().map_or(0, Vec::len)
    };
    while registered.sweeps().is_empty() || stored() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(registered.sweeps(), [(1, "offline".to_owned())]);
    let swept = registered
        .sweep(&["--confirm", "0", "--timeout", "1s", "a1"])
        .expect(1);
    assert_eq!(swept.changes(), ["newly red: shop.a1 - -> connect.refused"]);
}
