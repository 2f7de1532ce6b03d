//! Every reader of hostile bytes, on its corpus and on thousands of changes of it.
//!
//! The readers are those of `fuzz/`, and so is the corpus: what libFuzzer finds with a nightly
//! toolchain is repeated here with a stable one. `LINKDIAL_SEED` repeats a run. `LINKDIAL_SOAK` gives
//! each reader ten minutes, `LINKDIAL_FUZZ_SECONDS` as long as it says.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests are tests"
)]

mod corpus;
mod hunt;
mod mutate;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hunt::{Effort, Find, Limits, hunt};
use linkdial_core::fuzz::Target;

/// Changes of the corpus that each reader gets in a run of the tests, at most so many seconds long.
const CHANGES: u64 = 3_000;
const LEAST: u64 = 100;
const SECONDS: u64 = 3;
/// The same in a soak.
const SOAK_SECONDS: u64 = 600;

fn targets() -> Vec<Target> {
    [
        linkdial::fuzz::TARGETS,
        linkdial_azure::fuzz::TARGETS,
        linkdial_core::fuzz::TARGETS,
        linkdial_hdfs::fuzz::TARGETS,
        linkdial_http::fuzz::TARGETS,
        linkdial_kafka::fuzz::TARGETS,
        linkdial_kerberos::fuzz::TARGETS,
        linkdial_s3::fuzz::TARGETS,
    ]
    .concat()
}

fn effort() -> Effort {
    let seconds = match std::env::var("LINKDIAL_FUZZ_SECONDS") {
        Ok(seconds) => seconds.parse().unwrap(),
        Err(_) if std::env::var_os("LINKDIAL_SOAK").is_some() => SOAK_SECONDS,
        Err(_) => {
            return Effort {
                changes: CHANGES,
                time: Duration::from_secs(SECONDS),
            };
        }
    };
    Effort {
        changes: u64::MAX,
        time: Duration::from_secs(seconds),
    }
}

#[test]
fn no_reader_panics_or_takes_long() {
    let seed = mutate::seed();
    println!("LINKDIAL_SEED={seed}");
    let effort = effort();
    let waiting = Mutex::new(targets());
    let finds: Mutex<Vec<Find>> = Mutex::default();
    let started = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            threads.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().pop();
                    let Some((name, read)) = next else { break };
                    let corpus = corpus::read(name);
                    match hunt(name, read, corpus, seed, &effort, &Limits::default()) {
                        Ok(figures) => {
                            println!("{figures}");
                            // A reader that got no turn has shown nothing.
                            assert!(figures.changes >= LEAST, "{figures}");
                        }
                        Err(find) => finds.lock().unwrap().push(find),
                    }
                }
            });
        }
    });
    println!("{} readers in {:?}", targets().len(), started.elapsed());
    let finds = finds.into_inner().unwrap();
    let said: Vec<String> = finds.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "LINKDIAL_SEED={seed}\n{}", said.join("\n"));
}

#[test]
fn a_panic_is_found_and_its_bytes_are_kept() {
    fn panics(bytes: &[u8]) {
        assert!(!bytes.windows(2).any(|it| it == b"))"), "planted");
    }
    let corpus = vec![b"a (b) c".to_vec()];
    let find = hunt(
        "planted_panic",
        panics,
        corpus,
        7,
        &Effort {
            changes: 100_000,
            time: Duration::from_mins(1),
        },
        &Limits::default(),
    )
    .unwrap_err();
    assert!(find.what.contains("planted"), "{find}");
    let kept = std::fs::read(&find.kept).unwrap();
    assert!(kept.windows(2).any(|it| it == b"))"), "{kept:?}");
}

#[test]
fn what_takes_long_is_found() {
    fn takes_long(bytes: &[u8]) {
        let until = Instant::now() + Duration::from_secs(1);
        while bytes.len() > 8 && Instant::now() < until {}
    }
    fn never_ends(bytes: &[u8]) {
        while bytes.len() > 8 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let effort = Effort {
        changes: 100_000,
        time: Duration::from_mins(1),
    };
    let limits = |work, silence| Limits {
        work: Duration::from_millis(work),
        silence: Duration::from_millis(silence),
    };
    for (read, limits, said) in [
        (
            takes_long as fn(&[u8]),
            limits(50, 60_000),
            "of processor time",
        ),
        (never_ends, limits(60_000, 1_000), "did not come back"),
    ] {
        let corpus = vec![b"short".to_vec()];
        let find = hunt("planted_wait", read, corpus, 7, &effort, &limits).unwrap_err();
        assert!(find.what.contains(said), "{find}");
        assert!(std::fs::read(&find.kept).unwrap().len() > 8);
    }
}

/// A reader that is missing in one of three places would be fed in the others only.
#[test]
fn each_reader_has_a_corpus_and_a_target_of_libfuzzer() {
    let readers: BTreeSet<String> = targets().iter().map(|(name, _)| (*name).into()).collect();
    assert_eq!(readers.len(), targets().len(), "two have one name");
    assert_eq!(corpus::folders(), readers, "fuzz/corpus");
    let programs: BTreeSet<String> = corpus::names("fuzz_targets")
        .into_iter()
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(programs, readers, "fuzz/fuzz_targets");
    let manifest = std::fs::read_to_string(corpus::folder("Cargo.toml")).unwrap();
    for name in readers {
        assert!(!corpus::read(&name).is_empty(), "{name} has no seed");
        let entry = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&entry), "fuzz/Cargo.toml lacks {name}");
        let program = std::fs::read_to_string(corpus::folder(&format!("fuzz_targets/{name}.rs")));
        assert!(program.unwrap().contains(&format!("\"{name}\"")));
    }
}
