//! The fault zoo through the real binary: code and guilty key of every fault, its time, and no
//! secret in any text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use linkdial_core::looks_secret;
use linkdial_testcontainers::zoo::{self, Family, Fault, Found, Kind, Linkdial, Seeded};

/// A shorter value is a placeholder or a word.
const SECRET_LENGTH: usize = 16;

/// Faults at once: they mostly wait, and the servers share the machine.
const AT_ONCE: usize = 4;

#[test]
fn the_zoo_has_every_kind_and_family_and_unique_names() {
    let faults = zoo::faults();
    assert!(faults.len() >= 150, "{}", faults.len());
    for kind in Kind::ALL {
        for family in Family::ALL {
            let mut those = faults
                .iter()
                .filter(|it| (it.kind, it.family) == (kind, family));
            assert!(those.next().is_some(), "{kind} {family}");
        }
    }
    let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names.len(), faults.len());
    assert!(faults.iter().all(|fault| !fault.source.is_empty()));
}

/// A secret without a mark could be seen by nobody.
#[track_caller]
fn assert_marked(fault: &Fault, seeded: &Seeded) {
    // Every script begins with a marked statement that is passed over.
    let (_, link) = seeded.script.split_once(";\n").expect("two statements");
    let held = |secret: &String| !zoo::leaks(link, secret).is_empty();
    let words: Vec<&str> = link.split('"').collect();
    let bare = words.windows(3).find(|three| {
        let [key, between, value] = **three else {
            return false;
        };
        let is_value = between.trim() == ":" && value.len() >= SECRET_LENGTH;
        is_value && looks_secret(key) && !value.starts_with("your_")
    });
    assert!(
        bare.is_none() || seeded.secrets.iter().any(held),
        "{}: {bare:?} is not marked",
        fault.name
    );
}

#[test]
fn no_row_stands_on_what_linkdial_says() {
    for fault in zoo::faults() {
        assert!(!fault.source.contains("linkdial explain"), "{}", fault.name);
    }
}

#[test]
fn every_fault_is_named_in_time_with_its_key_and_without_a_secret() {
    let faults = zoo::faults();
    zoo::start_servers(&faults);
    let linkdial = Linkdial::new(env!("CARGO_BIN_EXE_linkdial"));
    let verify = |fault: &Fault| {
        let seeded = fault.seed().unwrap();
        assert_marked(fault, &seeded);
        linkdial.verify(fault, &seeded).unwrap()
    };
    let mut found = zoo::each(&faults, AT_ONCE, verify);
    for (fault, found) in faults.iter().zip(&mut found) {
        if found.may_be_starved(fault) {
            let leaks = std::mem::take(&mut found.leaks);
            *found = verify(fault);
            found.leaks.extend(leaks);
        }
    }
    let (mut wrong, mut keys) = (String::new(), (0, 0));
    for (fault, found) in faults.iter().zip(&found) {
        let Fault { name, expected, .. } = fault;
        if !found.has_code(expected) {
            writeln!(
                wrong,
                "{name}: {found}, not {expected:?}: {}",
                found.message
            )
            .unwrap();
        }
        if expected.key.is_some() {
            keys.1 += 1;
            keys.0 += usize::from(found.has_key(expected));
        }
        if !found.has_key(expected) {
            writeln!(wrong, "{name}: key {:?}, not {:?}", found.key, expected.key).unwrap();
        }
        if !found.is_mended(expected) {
            writeln!(wrong, "{name}: not corrected: {}", found.message).unwrap();
        }
        if !found.in_time() {
            let Found {
                elapsed, deadline, ..
            } = found;
            writeln!(wrong, "{name}: {elapsed:?} is longer than {deadline:?}").unwrap();
        }
        for leak in &found.leaks {
            writeln!(wrong, "{name}: a secret is seen: {leak}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "keys {} of {}\n{wrong}", keys.0, keys.1);
}

/// The registry keeps what a fault looked like, night for night: no secret is part of it.
#[test]
fn no_secret_is_seen_in_the_nights_of_any_fault() {
    let faults = zoo::faults();
    zoo::start_servers(&faults);
    let linkdial = Linkdial::new(env!("CARGO_BIN_EXE_linkdial"));
    let nights = zoo::each(&faults, AT_ONCE, |fault| {
        linkdial.nights(fault, &fault.seed().unwrap()).unwrap()
    });
    let seen: Vec<(&str, &Vec<String>)> = std::iter::zip(&faults, &nights)
        .filter(|(_, seen)| !seen.is_empty())
        .map(|(fault, seen)| (fault.name.as_str(), seen))
        .collect();
    assert!(seen.is_empty(), "{seen:#?}");
}
