//! A fresh key, also when the way to it is cut short or shared.

use std::fs;

use super::*;
use crate::registry::rotation::{announce, seal_anew};

fn keys_in_file(scratch: &Scratch) -> usize {
    let text = fs::read_to_string(scratch.key_file()).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).count()
}

fn filled(scratch: &Scratch, links: usize) -> Registry {
    let registry = scratch.open();
    for number in 0..links {
        let text = format!("{{\"n\": {number}}}");
        let targets = [target("bucket/a"), target("bucket/b")];
        put(
            &registry,
            &name(&format!("l{number}")),
            None,
            &text,
            &targets,
        )
        .unwrap();
    }
    registry
}

#[track_caller]
fn whole(registry: &Registry, links: usize) {
    for number in 0..links {
        let known = registry.read(&name(&format!("l{number}"))).unwrap();
        let link = known.link.unwrap();
        assert_eq!(link.credentials.expose(), format!("{{\"n\": {number}}}"));
        assert_eq!(known.targets, [target("bucket/a"), target("bucket/b")]);
    }
}

#[test]
fn everything_is_sealed_under_the_fresh_key() {
    let scratch = Scratch::new();
    // More than a page of targets.
    let mut registry = filled(&scratch, 300);
    let old = fs::read(scratch.key_file()).unwrap();
    let (links, left) = (300, 0);
    assert_eq!(
        registry.rotate_key("ada").unwrap(),
        Rotation { links, left }
    );
    whole(&registry, 300);
    assert_eq!(keys_in_file(&scratch), 1);
    let same = "SELECT COUNT(DISTINCT key_id) FROM \
                (SELECT key_id FROM links UNION ALL SELECT key_id FROM targets \
                 UNION ALL SELECT value FROM registry WHERE name = 'key')";
    assert_eq!(count(&registry, same), 1);
    let last = record(&registry).pop().unwrap();
    assert_eq!(last.entry.action, Action::RotateKey);
    assert_eq!(last.entry.who, "ada");
    put(
        &registry,
        &name("l0"),
        Some(1),
        "{\"n\": 0}",
        &[target("bucket/a"), target("bucket/b")],
    )
    .unwrap();
    drop(registry);
    whole(&scratch.open(), 300);

    fs::write(scratch.key_file(), old).unwrap();
    let error = scratch.try_open().unwrap_err();
    assert!(matches!(error, RegistryError::WrongKey(_)), "{error}");
}

#[test]
fn a_rotation_that_ends_before_its_commit_changes_nothing() {
    let scratch = Scratch::new();
    let registry = filled(&scratch, 3);
    registry
        .run(async |store| {
            let fresh = announce(store).await?;
            store.keys.file().add(&fresh)?;
            Ok(())
        })
        .unwrap();
    whole(&registry, 3);
    drop(registry);
    assert_eq!(keys_in_file(&scratch), 2);
    let mut registry = scratch.open();
    whole(&registry, 3);
    put(
        &registry,
        &name("l3"),
        None,
        "{\"n\": 3}",
        &[target("bucket/a"), target("bucket/b")],
    )
    .unwrap();
    registry.rotate_key("ada").unwrap();
    assert_eq!(keys_in_file(&scratch), 1);
    whole(&registry, 4);
}

#[test]
fn a_rotation_that_ends_after_its_commit_still_opens() {
    let scratch = Scratch::new();
    let registry = filled(&scratch, 3);
    registry
        .run(async |store| {
            let fresh = announce(store).await?;
            seal_anew(store, fresh, "ada").await
        })
        .unwrap();
    drop(registry);
    assert_eq!(keys_in_file(&scratch), 2);
    let mut registry = scratch.open();
    whole(&registry, 3);
    registry.rotate_key("ada").unwrap();
    assert_eq!(keys_in_file(&scratch), 1);
    whole(&registry, 3);
}

#[test]
fn what_does_not_open_stays_and_keeps_its_key() {
    let scratch = Scratch::new();
    let mut registry = filled(&scratch, 3);
    sql(
        &registry,
        "UPDATE links SET sealed = 'AAAA' WHERE link = 'l1'; \
         UPDATE targets SET sealed = 'BBBB' WHERE link = 'l2' AND position = 1",
    );
    let stay = "SELECT COUNT(*) FROM (SELECT key_id FROM links WHERE sealed = 'AAAA' \
                UNION ALL SELECT key_id FROM targets WHERE sealed = 'BBBB') \
                WHERE key_id <> (SELECT value FROM registry WHERE name = 'key')";
    for _ in 0..2 {
        let (links, left) = (2, 2);
        assert_eq!(
            registry.rotate_key("ada").unwrap(),
            Rotation { links, left }
        );
        assert_eq!(count(&registry, stay), 2);
        assert_eq!(keys_in_file(&scratch), 2);
    }
    let last = record(&registry).pop().unwrap();
    assert_eq!(
        last.entry.detail.as_deref(),
        Some("links: 2, damaged and left: 2")
    );
    drop(registry);
    let mut registry = scratch.open();
    assert_eq!(credentials(&registry, &name("l0")), "{\"n\": 0}");
    assert_eq!(registry.read(&name("l1")).unwrap().damaged, Some(2));
    assert_eq!(
        registry.read(&name("l2")).unwrap().targets,
        [target("bucket/a")]
    );

    // Once they are mended, nothing needs the old key.
    let targets = [target("bucket/a"), target("bucket/b")];
    put(&registry, &name("l1"), Some(2), "{\"n\": 1}", &targets).unwrap();
    put(&registry, &name("l2"), Some(3), "{\"n\": 2}", &targets).unwrap();
    assert_eq!(registry.rotate_key("ada").unwrap().left, 0);
    assert_eq!(keys_in_file(&scratch), 1);
    whole(&registry, 3);
}

#[test]
fn only_the_file_of_a_killed_rotation_is_removed() {
    let scratch = Scratch::new();
    let mut registry = filled(&scratch, 1);
    let beside = |name| scratch.key_file().with_file_name(name);
    let others = ["links.key.aBc.new", "links.key.new", "links.key.backup"];
    for name in others {
        fs::write(beside(name), "mine").unwrap();
    }
    fs::write(beside("links.key.linkdial-new"), "half a k").unwrap();
    registry.rotate_key("ada").unwrap();
    assert!(!beside("links.key.linkdial-new").exists());
    for name in others {
        assert_eq!(fs::read_to_string(beside(name)).unwrap(), "mine");
    }
}

#[test]
fn others_keep_up_with_a_rotation() {
    let scratch = Scratch::new();
    let mut registry = filled(&scratch, 3);
    let other = scratch.open();
    registry.rotate_key("ada").unwrap();
    whole(&other, 3);
    registry.rotate_key("ada").unwrap();
    let targets = [target("bucket/a"), target("bucket/b")];
    put(&other, &name("l3"), None, "{\"n\": 3}", &targets).unwrap();
    whole(&registry, 4);
}

#[test]
fn two_rotations_at_once_lose_no_key() {
    let scratch = Scratch::new();
    drop(filled(&scratch, 20));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut registry = scratch.open();
                for _ in 0..10 {
                    assert_eq!(registry.rotate_key("ada").unwrap().links, 20);
                    whole(&registry, 20);
                }
            });
        }
        // Those who come in between find a key that fits.
        for _ in 0..50 {
            whole(&scratch.open(), 20);
        }
    });
    assert_eq!(keys_in_file(&scratch), 1);
    whole(&scratch.open(), 20);
}
