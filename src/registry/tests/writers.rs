//! Several handles on one file at once.

use std::sync::Barrier;
use std::thread;

use super::*;

const COMMITS: usize = 100;

/// Commits until this many commits won; returns the revisions and how often somebody else won.
fn write(registry: &Registry, link: &LinkName) -> (Vec<u64>, usize) {
    let (mut revisions, mut conflicts) = (Vec::new(), 0);
    while revisions.len() < COMMITS {
        let expected = registry.read(link).unwrap().link.map(|link| link.revision);
        match put(registry, link, expected, "{}", &[target("bucket/a")]) {
            Ok(revision) => revisions.push(revision),
            Err(RegistryError::Conflict(name)) => {
                assert_eq!(name, *link);
                conflicts += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    (revisions, conflicts)
}

fn race(links: &[LinkName; 2]) {
    let scratch = Scratch::new();
    let barrier = Barrier::new(2);
    // Nothing is there yet: both make the file, the schema and the key.
    let done = thread::scope(|scope| {
        let threads = links.each_ref().map(|link| {
            scope.spawn(|| {
                barrier.wait();
                let registry = scratch.open();
                let made = registry.new_key().is_some();
                (write(&registry, link).0, made)
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let [(mine, i_made), (others, they_made)] = done;
    assert!(i_made ^ they_made);
    let mut all: Vec<_> = mine.iter().chain(&others).copied().collect();
    all.sort_unstable();
    assert!(all.iter().copied().eq(1..=2 * COMMITS as u64));

    let registry = scratch.open();
    let lines = record(&registry);
    assert!(lines.iter().map(|line| line.number).eq(all));
    for (link, revisions) in links.iter().zip([&mine, &others]) {
        let last = lines
            .iter()
            .rfind(|line| line.entry.link.as_ref() == Some(link));
        let known = registry.read(link).unwrap();
        assert_eq!(known.link.unwrap().revision, last.unwrap().number);
        assert_eq!(known.targets.len(), 1);
        if links[0] != links[1] {
            assert_eq!(revisions.last(), Some(&last.unwrap().number));
        }
    }
}

#[test]
fn two_writers_of_two_links_lose_nothing() {
    race(&[name("a"), name("b")]);
}

#[test]
fn two_writers_of_one_link_lose_nothing() {
    race(&[name("a"), name("a")]);
}

#[test]
fn of_two_writers_at_once_one_wins() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let barrier = Barrier::new(2);
    for round in 0..COMMITS {
        let link = name(&format!("l{round}"));
        let results = thread::scope(|scope| {
            let threads = [(), ()].map(|()| {
                scope.spawn(|| {
                    let registry = scratch.open();
                    barrier.wait();
                    put(&registry, &link, None, "{}", &[])
                })
            });
            threads.map(|thread| thread.join().unwrap())
        });
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "{results:?}");
        let lost = |result: &&_| matches!(result, Err(RegistryError::Conflict(_)));
        assert_eq!(results.iter().filter(lost).count(), 1, "{results:?}");
    }
    assert_eq!(record(&scratch.open()).len(), COMMITS);
}
