//! What the run's limits, signals and network options do to a dial.

use super::*;

#[test]
fn the_deadline_of_the_run_leaves_a_partial_report() {
    let server = Silent::start();
    let folder = Folder::new();
    let script = folder.write("links.sql", &s3("a", server.port));
    let started = Instant::now();
    let output = run(&[
        "verify",
        "--deadline",
        "200ms",
        "--timeout",
        "1m",
        "--format",
        "json",
        &script,
    ]);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(code(&output), 0);
    let document = report(stdout(&output));
    assert_eq!(document["complete"], false);
    assert_eq!(document["checks"][0]["verdict"], "unverified");
    let code = document["checks"][0]["code"].as_str().unwrap();
    assert!(code.ends_with(".interrupted"), "{code}");
}

#[cfg(unix)]
pub(super) fn signal(child: &Child, name: &str) {
    // The shell's own: a bare system has no program of that name.
    let sent = Command::new("sh")
        .args(["-c", &format!("kill {name} {}", child.id())])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn a_signal_still_writes_the_partial_report() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let server = Silent::start();
        let folder = Folder::new();
        let text = s3("silent", server.port) + &s3("closed", closed_port());
        let script = folder.write("links.sql", &text);
        let file = folder.path("report.json");
        let output = format!("json={file}");
        let arguments = [
            "verify",
            "--timeout",
            "1m",
            "--check-timeout",
            "1m",
            "--output",
            &output,
            &script,
        ];
        let child = linkdial(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let _connection = server.accepted.join().unwrap();
        assert!(!Path::new(&file).exists());
        let started = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(code(&output), 130);
        assert!(
            stdout(&output).contains("this report is partial"),
            "{}",
            stdout(&output)
        );
        let document = report(&fs::read_to_string(file).unwrap());
        assert_eq!(document["complete"], false);
        assert_eq!(document["checks"][0]["verdict"], "unverified");
        assert_eq!(document["checks"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn network_options_reach_the_dial() {
    let folder = Folder::new();
    let port = closed_port();
    let script = folder.write(
        "links.sql",
        &s3("a", port).replace("127.0.0.1", "store.linkdial.example"),
    );
    let found = |options: &[&str]| {
        let arguments = [&["verify", "--format", "json"], options, &[&script]].concat();
        let output = run(&arguments);
        let document = report(stdout(&output));
        document["checks"][0]["code"].as_str().unwrap().to_owned()
    };
    let resolve = ["--resolve", "store.linkdial.example:127.0.0.1"];
    assert_eq!(found(&resolve), "connect.refused");
    let only = [&resolve[..], &["--only-net", "10.0.0.0/8"]].concat();
    assert_eq!(found(&only), "resolve.address-refused");
    let both = [&only[..], &["--only-net", "127.0.0.1"]].concat();
    assert_eq!(found(&both), "connect.refused");
    let metadata = ["--resolve", "store.linkdial.example:169.254.169.254"];
    assert_eq!(found(&metadata), "resolve.address-refused");
    let proxy = format!("http://127.0.0.1:{}", closed_port());
    assert_eq!(found(&["--proxy", &proxy]), "connect.proxy-failed");

    let name_server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = name_server.local_addr().unwrap().to_string();
    let code = found(&["--dns-server", &address, "--timeout", "300ms"]);
    assert_eq!(code, "resolve.timed-out");
    let mut question = [0; 512];
    let length = name_server.recv(&mut question).unwrap();
    let asked = String::from_utf8_lossy(&question[..length]).into_owned();
    assert!(asked.contains("store"), "{asked:?}");
}

#[test]
fn a_certificate_file_may_come_from_the_environment() {
    let folder = Folder::new();
    let script = folder.write("links.sql", &s3("a", closed_port()));
    let output = linkdial(&["verify", "--offline", &script])
        .env("LINKDIAL_CA_FILE", "/no/such/ca.pem")
        .output()
        .unwrap();
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("`LINKDIAL_CA_FILE`: cannot read `/no/such/ca.pem`"),
        "{}",
        stderr(&output)
    );
}
