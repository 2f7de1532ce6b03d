//! A realm of Kerberos, asked by MIT's own client.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

use linkdial_testcontainers::broken::RefusedPort;
use linkdial_testcontainers::{Kdc, KdcOptions, Scratch};

/// What `kinit` says: nothing when it got a ticket.
fn kinit(conf: &Path, keytab: &Path, principal: &str) -> String {
    let tickets = Scratch::new("tickets").unwrap();
    let output = Command::new("kinit")
        .arg("-k")
        .arg("-t")
        .arg(keytab)
        .arg("-c")
        .arg(tickets.path().join("cache"))
        .arg(principal)
        .env("KRB5_CONFIG", conf)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), words.is_empty(), "{words}");
    words
}

/// What `klist` says of a file of keys or tickets.
fn klist(option: &str, file: &Path) -> String {
    let mut klist = Command::new("klist");
    let output = klist.arg(option).arg(file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn keytabs_hold_the_current_keys() {
    let kdc = Kdc::shared();
    let both = kdc.keytab(&["alice", "kafka/localhost"]).unwrap();
    let alone = kdc.keytab(&["alice@LINKDIAL.TEST"]).unwrap();
    for (keytab, principal) in [
        (&both, "alice"),
        (&both, "kafka/localhost"),
        // Another extraction leaves the keys as they are.
        (&alone, "alice@LINKDIAL.TEST"),
    ] {
        assert_eq!(kinit(&kdc.krb5_conf(), keytab, principal), "");
    }
    let keys = klist("-ke", &alone);
    for kind in ["aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96"] {
        let key = format!("alice@LINKDIAL.TEST ({kind})");
        assert_eq!(keys.matches(&key).count(), 1, "{keys}");
    }
    assert_eq!(keys.matches('@').count(), 2, "{keys}");
}

#[test]
fn keytabs_that_do_not_fit_are_refused() {
    let kdc = Kdc::shared();
    let stale = kdc.stale_keytab("bob").unwrap();
    let words = kinit(&kdc.krb5_conf(), &stale, "bob");
    assert!(words.contains("Preauthentication failed"), "{words}");
    let current = kdc.keytab(&["bob"]).unwrap();
    assert_eq!(kinit(&kdc.krb5_conf(), &current, "bob"), "");

    let unknown = kdc.unknown_keytab("ghost").unwrap();
    let words = kinit(&kdc.krb5_conf(), &unknown, "ghost");
    assert!(words.contains("'ghost@LINKDIAL.TEST' not found"), "{words}");
    // It may come back.
    let known = kdc.keytab(&["ghost"]).unwrap();
    assert_eq!(kinit(&kdc.krb5_conf(), &known, "ghost"), "");
}

#[test]
fn settings_may_name_another_server() {
    let kdc = Kdc::shared();
    let keytab = kdc.keytab(&["carol"]).unwrap();
    let closed = RefusedPort::start();
    let conf = kdc.krb5_conf_with_kdc(closed.addr()).unwrap();
    let words = kinit(&conf, &keytab, "carol");
    assert!(words.contains("Cannot contact any KDC"), "{words}");
    let same = kdc.krb5_conf_with_kdc(kdc.addr()).unwrap();
    assert_ne!(same, kdc.krb5_conf());
    assert_eq!(kinit(&same, &keytab, "carol"), "");
}

#[test]
fn tickets_are_ready_to_use() {
    let kdc = Kdc::shared();
    let tickets = klist("-c", &kdc.ticket_cache("dave").unwrap());
    let owner = format!("Default principal: {}\n", kdc.principal("dave"));
    assert!(tickets.contains(&owner), "{tickets}");
    let granting = format!("krbtgt/{0}@{0}", kdc.realm());
    assert!(tickets.contains(&granting), "{tickets}");
}

#[test]
fn expired_tickets_are_there_and_good_for_nothing() {
    let kdc = Kdc::shared();
    let cache = kdc.expired_ticket_cache("dave").unwrap();
    let granting = format!("krbtgt/{0}@{0}", kdc.realm());
    assert!(klist("-c", &cache).contains(&granting));
    let silent = |cache: &Path| {
        let mut klist = Command::new("klist");
        klist.arg("-s").arg(cache).status().unwrap().success()
    };
    assert!(!silent(&cache));
    assert!(silent(&kdc.ticket_cache("dave").unwrap()));
}

#[test]
fn server_with_a_wrong_clock_gives_no_ticket_of_another_time() {
    let kdc = Kdc::shared();
    let keytab = kdc.keytab(&["frank"]).unwrap();
    for seconds in [600, -600] {
        let wrong = kdc.with_wrong_clock(seconds).unwrap();
        assert_ne!(wrong.addr(), kdc.addr());
        let conf = wrong.krb5_conf();
        // A client of MIT goes by the server's clock otherwise.
        assert_eq!(kinit(&conf, &keytab, "frank"), "");
        let strict = std::fs::read_to_string(&conf).unwrap();
        let strict = strict.replace("[libdefaults]\n", "[libdefaults]\n kdc_timesync = 0\n");
        std::fs::write(&conf, strict).unwrap();
        let words = kinit(&conf, &keytab, "frank");
        assert!(words.contains("Clock skew too great"), "{words}");
        let address = wrong.addr();
        drop(wrong);
        assert!(TcpStream::connect(address).is_err());
    }
    // The right one is as it was.
    assert_eq!(kinit(&kdc.krb5_conf(), &keytab, "frank"), "");
}

#[test]
fn server_answers_both_protocols_at_its_port() {
    let kdc = Kdc::shared();
    assert!(kdc.addr().ip().is_loopback());
    let keytab = kdc.keytab(&["erin"]).unwrap();
    let text = std::fs::read_to_string(kdc.krb5_conf()).unwrap();
    assert!(text.contains(&format!("kdc = {}\n", kdc.addr())), "{text}");
    // There is no way by TCP behind this port.
    let relay = UdpSocket::bind("127.0.0.1:0").unwrap();
    let conf = kdc.krb5_conf_with_kdc(relay.local_addr().unwrap()).unwrap();
    let text = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, text.replace(" udp_preference_limit = 1\n", "")).unwrap();
    let address = kdc.addr();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        let mut client = None;
        while let Ok((size, from)) = relay.recv_from(&mut bytes) {
            let to = if from == address {
                client.take().unwrap()
            } else {
                client = Some(from);
                address
            };
            relay.send_to(&bytes[..size], to).unwrap();
        }
    });
    assert_eq!(kinit(&conf, &keytab, "erin"), "");
}

#[test]
fn options_change_keys_and_the_first_answer() {
    let kdc = KdcOptions::default()
        .encryption_types(&["aes256-cts-hmac-sha384-192"])
        .without_preauthentication()
        .start()
        .unwrap();
    let stale = kdc.stale_keytab("alice").unwrap();
    let words = kinit(&kdc.krb5_conf(), &stale, "alice");
    assert!(!words.contains("Preauthentication failed"), "{words}");
    assert!(!words.is_empty());
    let current = kdc.keytab(&["alice"]).unwrap();
    assert_eq!(kinit(&kdc.krb5_conf(), &current, "alice"), "");
    let keys = klist("-ke", &current);
    assert!(keys.contains("(aes256-cts-hmac-sha384-192)"), "{keys}");
}

/// Whether nothing of a server is left: its ports, itself and its folder.
#[track_caller]
fn assert_gone(kdc: (std::net::SocketAddr, u32, PathBuf)) {
    let (address, pid, conf) = kdc;
    assert!(TcpStream::connect(address).is_err());
    UdpSocket::bind(address).unwrap();
    assert!(!PathBuf::from(format!("/proc/{pid}")).exists());
    assert!(!conf.parent().unwrap().exists());
}

fn traces(kdc: &Kdc) -> (std::net::SocketAddr, u32, PathBuf) {
    assert!(UdpSocket::bind(kdc.addr()).is_err());
    (kdc.addr(), kdc.pid(), kdc.krb5_conf())
}

#[test]
fn handle_takes_the_server_along() {
    let kdc = Kdc::start().unwrap();
    let traces = traces(&kdc);
    drop(kdc);
    assert_gone(traces);
}

#[test]
fn panic_takes_the_server_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let kdc = Kdc::start().unwrap();
        sender.send(traces(&kdc)).unwrap();
        panic!("on purpose");
    });
    let traces = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    assert_gone(traces);
}
