//! Sweeps that are killed at a random moment.

use std::time::Duration;

use linkdial_testcontainers::HttpEndpoint;

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
