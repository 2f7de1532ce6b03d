//! Realms of several KDCs: which one is shown the proof when another one dies or refuses it.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use linkdial_core::net::Net;
use linkdial_core::{Code, Outcome};
use linkdial_testcontainers::Kdc;
use support::peer::{Peer, Says, error, methods};
use support::{AT_ONCE, LIMIT, Tried, conf, conf_of, evidence, identity, keys, try_with};

/// A KDC that asks for a proof, and says this once it is shown one.
fn greets_and(says: Says) -> Peer {
    let wanted = error(25, 0, "", &methods(&[2], &[18]));
    Peer::start(Some(Says::First(wanted, Box::new(says))), Says::Nothing)
}

/// The real KDC, which greets when the other one was shown the proof.
fn after(first: &Peer, kdc: &Kdc) -> Peer {
    let relays = Says::Relays(kdc.addr(), first.count(), 2);
    Peer::start(Some(relays), Says::Nothing)
}

async fn log_in(text: &str, keytab: &Path) -> Tried {
    let alice = identity("alice@LINKDIAL.TEST", keytab).await;
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0)).ip();
    let net = Net::builder()
        .resolve("kdc1.linkdial.test", loopback)
        .resolve("kdc2.linkdial.test", loopback);
    try_with(net.build(), &conf(text).await, &alice).await
}

#[tokio::test]
async fn the_login_goes_on_where_a_kdc_dies_with_the_proof() {
    let kdc = Kdc::shared();
    let keytab = kdc.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &keytab).await;
    for says in [Says::Closes(Duration::ZERO), Says::Nothing] {
        let dying = greets_and(says);
        let living = after(&dying, kdc);
        let conf = conf_of("LINKDIAL.TEST", &[dying.addr(), living.addr()]).await;
        let tried = try_with(Net::default(), &conf, &alice).await;
        let login = tried.done();
        assert_eq!(login.principal().to_string(), "alice@LINKDIAL.TEST");
        let finding = tried.finds(Code::AuthenticateKdcUnreachable, Outcome::Warn);
        assert_eq!(evidence(finding, "kdc"), dying.addr().to_string());
        assert!(tried.elapsed < LIMIT, "{tried:#?}");
        assert_eq!((dying.asked().0, living.asked().0), (2, 2));
    }
}

#[tokio::test]
async fn a_kdc_that_dies_alone_has_all_the_time_and_fails() {
    let keytab = Kdc::shared().keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &keytab).await;
    let dying = greets_and(Says::Nothing);
    let conf = conf_of("LINKDIAL.TEST", &[dying.addr()]).await;
    let tried = support::try_within(support::SHORT, Net::default(), &conf, &alice).await;
    tried.fails(Code::AuthenticateKdcUnreachable);
    assert!(tried.elapsed >= support::EARLY, "{tried:#?}");
}

/// Writes a realm of two KDCs by name, with a relation more.
fn realm(first: &Peer, second: &Peer, more: &str) -> String {
    let (first, second) = (first.addr().port(), second.addr().port());
    let more = more.replace("PORT1", &first.to_string());
    let more = more.replace("PORT2", &second.to_string());
    format!(
        "[libdefaults]\n dns_lookup_kdc = false\n[realms]\n LINKDIAL.TEST = {{\n  \
         kdc = kdc1.linkdial.test:{first}\n  kdc = kdc2.linkdial.test:{second}\n  {more}\n }}\n"
    )
}

#[tokio::test]
async fn a_key_that_one_kdc_refuses_is_shown_to_the_primary_one() {
    let kdc = Kdc::shared();
    let keytab = kdc.keytab(&["alice"]).unwrap();
    for (number, primary) in [
        (24, "primary_kdc = kdc2.linkdial.test:PORT2"),
        (31, "master_kdc = kdc2.linkdial.test:PORT2"),
        (24, "admin_server = KDC2.linkdial.test"),
        (24, "admin_server = kdc2.linkdial.test:749"),
    ] {
        let lagging = greets_and(Says::Answer(error(number, 0, "", &[])));
        let living = after(&lagging, kdc);
        let tried = log_in(&realm(&lagging, &living, primary), &keytab).await;
        tried.done();
        let finding = tried.finds(Code::AuthenticateKeytabStale, Outcome::Warn);
        assert!(finding.message.contains("kdc1"), "{finding:#?}");
        assert!(keys(finding).is_empty(), "the key of the link is good");
        assert!(tried.elapsed < AT_ONCE, "{tried:#?}");
        assert_eq!((lagging.asked().0, living.asked().0), (2, 2), "{primary}");
    }
}

#[tokio::test]
async fn no_other_kdc_is_shown_a_key_that_was_refused() {
    let kdc = Kdc::shared();
    let keytab = kdc.keytab(&["alice"]).unwrap();
    for (number, primary) in [
        (24, ""),
        (24, "primary_kdc = kdc1.linkdial.test:PORT1"),
        (24, "admin_server = kdc1.linkdial.test"),
        (24, "admin_server = kdc3.linkdial.test"),
        // The account is locked.
        (18, "primary_kdc = kdc2.linkdial.test:PORT2"),
    ] {
        let refusing = greets_and(Says::Answer(error(number, 0, "", &[])));
        let living = after(&refusing, kdc);
        let tried = log_in(&realm(&refusing, &living, primary), &keytab).await;
        let finding = tried.fails(if number == 24 {
            Code::AuthenticateKeytabStale
        } else {
            Code::AuthenticateMethodDisabled
        });
        assert_eq!(keys(finding).len(), 1, "{finding:#?}");
        assert_eq!((refusing.asked().0, living.asked().0), (2, 1), "{primary}");
        assert_eq!(tried.note("login"), "at another KDC");
    }
}

#[tokio::test]
async fn a_key_that_the_primary_kdc_refuses_as_well_is_stale() {
    let kdc = Kdc::shared();
    let keytab = kdc.stale_keytab("alice-of-old").unwrap();
    let lagging = greets_and(Says::Answer(error(24, 0, "", &[])));
    let living = after(&lagging, kdc);
    let text = realm(&lagging, &living, "primary_kdc = kdc2.linkdial.test:PORT2");
    let old = identity("alice-of-old@LINKDIAL.TEST", &keytab).await;
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0)).ip();
    let net = Net::builder()
        .resolve("kdc1.linkdial.test", loopback)
        .resolve("kdc2.linkdial.test", loopback);
    let tried = try_with(net.build(), &conf(&text).await, &old).await;
    assert!(tried.login.is_none());
    let found = tried.steps.iter().filter_map(|it| it.diagnosis.as_ref());
    let found: Vec<_> = found.map(|it| (it.code, it.outcome)).collect();
    assert_eq!(found, [(Code::AuthenticateKeytabStale, Outcome::Fail); 2]);
    assert_eq!((lagging.asked().0, living.asked().0), (2, 2));
}
