//! What turns a link red, and what does not.

use std::time::{Duration, Instant};

use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort};
use linkdial_testcontainers::{Answer, HttpEndpoint, ScriptedHttp, Switch};

use super::*;

#[test]
fn a_link_that_fails_once_and_not_twice_is_not_red() {
    let server = HttpEndpoint::start();
    let switch = Switch::start(server.addr());
    let registered = Registered::with(&http("flaps", &format!("http://{}/", switch.addr())));
    registered.sweep(&[]).expect(0);

    switch.turn_to(None);
    let mut sweep = registered.command("sweep", &["--confirm", "3s", "--format", "json"]);
    let started = Instant::now();
    let child = sweep.spawn().unwrap();
    // The first dial fails within milliseconds; its request is not what is waited for.
    std::thread::sleep(Duration::from_millis(1500));
    switch.turn_to(Some(server.addr()));
    let swept = Swept::of(&child.wait_with_output().unwrap()).expect(0);
    assert!(started.elapsed() >= Duration::from_secs(3));
    assert_eq!(swept.verdicts(), ["shop.flaps pass -"]);
    assert_eq!(swept.changes(), [""; 0]);
    let notes = &swept.report["checks"][0]["steps"][0]["notes"];
    assert_eq!(notes["first_try"], "connect.reset, 3 s before");
}

#[test]
fn only_news_is_confirmed() {
    let server = HttpEndpoint::start();
    let switch = Switch::start(server.addr());
    let registered = Registered::with(&http("a", &format!("http://{}/", switch.addr())));
    registered.sweep(&[]).expect(0);
    switch.turn_to(None);
    let swept = registered.sweep(&["--confirm", "1s"]).expect(1);
    assert_eq!(swept.changes(), ["newly red: shop.a pass -> connect.reset"]);
    let notes = &swept.report["checks"][0]["steps"][0]["notes"];
    assert_eq!(notes["first_try"], "connect.reset, 1 s before");

    // What was red already is not dialled twice.
    let started = Instant::now();
    let swept = registered.sweep(&["--confirm", "20s"]).expect(1);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(
        swept.changes(),
        ["still red: shop.a connect.reset -> connect.reset"]
    );
    let since = word(&swept.night()["stories"][0]["red_since"]).to_owned();
    let green = &swept.night()["stories"][0]["green"];
    assert_eq!(green["number"], 1);
    assert!(since.as_str() >= word(&green["started"]));

    switch.turn_to(Some(server.addr()));
    let swept = registered.sweep(&[]).expect(0);
    assert_eq!(
        swept.changes(),
        ["newly green: shop.a connect.reset -> pass"]
    );

    // And off is off.
    switch.turn_to(None);
    let started = Instant::now();
    registered.sweep(&["--confirm", "0"]).expect(1);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_service_that_asks_to_wait_is_not_red() {
    let busy = ScriptedHttp::always([Answer::status(429).header("retry-after", "30")]);
    let registered = Registered::deferred(&http("busy", &busy.url()));
    let swept = registered.sweep(&["--confirm", "1s"]).expect(0);
    assert_eq!(swept.verdicts(), ["shop.busy warn access.throttled"]);
    assert_eq!(swept.changes(), [""; 0]);
    // It proves nothing, so the link stays deferred.
    assert_eq!(swept.night()["promoted"], serde_json::json!([]));
}

#[test]
fn a_deferred_link_that_passes_counts_as_verified() {
    let server = HttpEndpoint::start();
    let switch = Switch::start(server.addr());
    let url = format!("http://{}/", switch.addr());
    switch.turn_to(None);
    let registered = Registered::deferred(&http("late", &url));
    let swept = registered.sweep(&["--confirm", "0"]).expect(1);
    assert_eq!(swept.night()["promoted"], serde_json::json!([]));
    switch.turn_to(Some(server.addr()));
    let swept = registered.sweep(&[]).expect(0);
    assert_eq!(swept.night()["promoted"], serde_json::json!(["shop.late"]));
    let swept = registered.sweep(&[]).expect(0);
    assert_eq!(swept.night()["promoted"], serde_json::json!([]));
    assert_eq!(
        swept.changes(),
        [""; 0],
        "a promotion is no change of the definition"
    );
    let shown = registered.command("apply", &["--format", "json", "-e", "SHOW LINKS ON shop"]);
    let shown = { shown }.output().unwrap();
    assert!(said(&shown).contains("verified"), "{}", said(&shown));
}

#[test]
fn silent_servers_hold_up_nobody_else() {
    let silent: Vec<Broken> = (0..20).map(|_| Broken::start(Fault::Silent)).collect();
    let good = HttpEndpoint::start();
    let mut script = String::new();
    for (index, server) in silent.iter().enumerate() {
        script += &http(&format!("silent_{index:02}"), &server.url());
    }
    for index in 0..40 {
        script += &http(&format!("z_good_{index:02}"), &good.url("/"));
    }
    let registered = Registered(TempDir::new().unwrap());
    // Nothing is dialled for it here.
    registered.apply(&script, &["--defer", "--offline"]);
    let started = Instant::now();
    let options = ["--jobs", "2", "--timeout", "2s", "--confirm", "0"];
    let swept = registered.sweep(&options).expect(1);
    let took = started.elapsed();
    // One after the other, two at once, they would take 20 seconds; one deadline is what they may cost.
    assert!(took < Duration::from_millis(4500), "{took:?}");
    let red = swept
        .verdicts()
        .iter()
        .filter(|it| it.contains(" fail "))
        .count();
    assert_eq!(red, 20);
    assert_eq!(swept.report["summary"]["pass"], 40);
}

#[test]
fn one_sweep_at_a_time() {
    let silent = Broken::start(Fault::Silent);
    let registered = Registered(TempDir::new().unwrap());
    registered.apply(&http("a", &silent.url()), &["--defer", "--offline"]);
    let options = ["--confirm", "0", "--timeout", "4s", "--format", "json"];
    let first = registered.command("sweep", &options).spawn().unwrap();
    while silent.connections() == 0 {
        std::thread::yield_now();
    }
    let second = registered.sweep(&[]).expect(3);
    assert!(
        second.stderr.contains("is being swept by process"),
        "{}",
        second.stderr
    );
    assert_eq!(second.report, Value::Null);
    Swept::of(&first.wait_with_output().unwrap()).expect(1);
    assert_eq!(registered.sweeps(), [(1, "complete".to_owned())]);
}

#[test]
fn nothing_reached_is_no_red_night() {
    let ports: Vec<RefusedPort> = (0..3).map(|_| RefusedPort::start()).collect();
    let script: String = (1..=3)
        .map(|host| {
            let port = ports[host - 1].addr().port();
            http(
                &format!("a{host}"),
                &format!("http://127.0.0.{host}:{port}/"),
            )
        })
        .collect();
    let registered = Registered::deferred(&script);
    let swept = registered.sweep(&["--confirm", "1s"]).expect(3);
    let summary = &swept.report["summary"];
    assert_eq!(
        (&summary["fail"], &summary["unverified"]),
        (&0.into(), &3.into())
    );
    let offline = &swept.night()["offline"];
    assert_eq!(offline["code"], "connect.offline");
    assert_eq!(offline["hosts"].as_array().unwrap().len(), 3);
    assert_eq!(swept.changes(), [""; 0]);
    assert_eq!(registered.sweeps(), [(1, "offline".to_owned())]);
    // Nowhere does the history say that they failed.
    let kept = registered.history(&["--sweep", "1"]);
    for check in kept["checks"].as_array().unwrap() {
        assert_eq!(check["verdict"], "unverified", "{check:#}");
    }

    // Two hosts may both be down.
    let swept = registered.sweep(&["--confirm", "0", "a1", "a2"]).expect(1);
    assert_eq!(swept.night()["offline"], Value::Null);
    assert_eq!(swept.changes().len(), 2, "{:?}", swept.changes());
}

#[test]
fn kinds_and_databases_are_chosen() {
    let server = HttpEndpoint::start();
    let script = http("a", &server.url("/"))
        + "CREATE LINK shop.b AS KAFKA CREDENTIALS '{}' CONFIG '{}';"
        + &http("c", &server.url("/")).replace("shop.", "ops.");
    let registered = Registered::deferred(&script);
    let links = |options: &[&str]| {
        let swept = registered.sweep(&[options, &["--confirm", "0"]].concat());
        let checks = swept.report["checks"].as_array().unwrap().iter();
        checks
            .map(|check| word(&check["link"]).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(links(&[]), ["ops.c", "shop.a", "shop.b"]);
    assert_eq!(links(&["--kind", "http"]), ["ops.c", "shop.a"]);
    assert_eq!(
        links(&["--kind", "http,kafka", "--in-database", "shop"]),
        ["shop.a", "shop.b"]
    );
    assert_eq!(links(&["ops.*"]), ["ops.c"]);
    let refused = registered.sweep(&["--kind", "ftp"]).expect(2);
    assert!(
        refused.stderr.contains("there is no kind `ftp`"),
        "{}",
        refused.stderr
    );
    let refused = registered.sweep(&["nobody"]).expect(2);
    assert!(
        refused.stderr.contains("no link matches `nobody`"),
        "{}",
        refused.stderr
    );
    // What can not start is no sweep.
    assert_eq!(registered.sweeps().len(), 4);
}

#[test]
fn a_deadline_hides_nothing_that_is_red() {
    let closed = RefusedPort::start();
    let registered = Registered::deferred(&http("a", &format!("http://{}/", closed.addr())));
    // There is no time for the pause of five seconds.
    let swept = registered.sweep(&["--deadline", "2s"]).expect(1);
    assert_eq!(swept.verdicts(), ["shop.a fail connect.refused"]);
    let swept = registered.sweep(&["--deadline", "2s"]).expect(1);
    let still = "still red: shop.a connect.refused -> connect.refused";
    assert_eq!(swept.changes(), [still]);
}

#[test]
fn a_registry_has_one_lock_under_all_its_names() {
    let silent = Broken::start(Fault::Silent);
    let registered = Registered(TempDir::new().unwrap());
    registered.apply(&http("a", &silent.url()), &["--defer", "--offline"]);
    let other = registered.path("other.db");
    std::os::unix::fs::symlink(registered.registry(), &other).unwrap();
    let options = ["--confirm", "0", "--timeout", "5s", "--format", "json"];
    let first = registered.command("sweep", &options).spawn().unwrap();
    while silent.connections() == 0 {
        std::thread::yield_now();
    }
    let key = registered.path("links.key");
    let second = Command::new(env!("CARGO_BIN_EXE_linkdial"))
        .env_clear()
        .args(["sweep", "--registry"])
        .arg(other)
        .arg("--key-file")
        .arg(key)
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(3), "{}", said(&second));
    Swept::of(&first.wait_with_output().unwrap()).expect(1);
    assert_eq!(registered.sweeps(), [(1, "complete".to_owned())]);
}

#[test]
fn only_root_lets_a_sweep_forget() {
    let server = HttpEndpoint::start();
    let script = http("a", &server.url("/")) + "GRANT SHOW LINK ON shop.* TO 'ada';";
    let registered = Registered::with(&script);
    registered.sweep(&[]).expect(0);
    registered.make_older(365);
    registered
        .sweep(&["--user", "ada", "--keep", "1d"])
        .expect(0);
    registered
        .sweep(&["--user", "ada", "--keep", "1d"])
        .expect(0);
    assert_eq!(registered.sweeps().len(), 3);
    registered.sweep(&["--keep", "1d"]).expect(0);
    assert_eq!(registered.sweeps().len(), 3, "the oldest one is gone");
}
