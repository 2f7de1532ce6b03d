//! Nothing that is secret stands in the files, and nothing sealed can be moved.

use std::fmt::Write as _;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use super::*;

const MARKS: [&str; 4] = [
    "c+red/MARK-QZXJKV",
    "con&fig MARK-WPYBHF",
    "user?MARK-LMNDTG",
    "query=MARK-RSCVXK",
];

/// Every way in which a text could stand in a file.
fn disguises(text: &str) -> Vec<Vec<u8>> {
    let mut all = vec![text.as_bytes().to_vec()];
    let mut hex = String::new();
    let mut percent = String::new();
    for byte in text.bytes() {
        write!(hex, "{byte:02x}").unwrap();
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            percent.push(char::from(byte));
        } else {
            write!(percent, "%{byte:02X}").unwrap();
        }
    }
    all.push(hex.to_uppercase().into_bytes());
    all.push(hex.into_bytes());
    all.push(percent.into_bytes());
    all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    for shift in 0..3 {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(text.as_bytes());
        let encoded = BASE64.encode(bytes);
        // What depends on the neighbours is cut off.
        let inner = &encoded[(shift * 8).div_ceil(6)..encoded.len() - 1];
        all.push(inner.as_bytes().to_vec());
    }
    all
}

#[track_caller]
fn nothing_in(what: &str, bytes: &[u8]) {
    for mark in MARKS {
        for disguise in disguises(mark) {
            assert!(
                !bytes.windows(disguise.len()).any(|part| part == disguise),
                "{} in {what}",
                String::from_utf8_lossy(&disguise)
            );
        }
    }
}

#[track_caller]
fn nothing_in_files(scratch: &Scratch, least: usize) {
    let files: Vec<_> = fs::read_dir(scratch.path().parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() >= least, "{files:?}");
    for file in files {
        nothing_in(&file.display().to_string(), &fs::read(&file).unwrap());
    }
}

/// Every value of every table, as text.
fn dump(registry: &Registry) -> String {
    registry
        .run(async |store| {
            let mut dump = String::new();
            for query in [
                "SELECT * FROM registry",
                "SELECT * FROM links",
                "SELECT * FROM targets",
                "SELECT * FROM grants",
                "SELECT * FROM record",
            ] {
                let rows = sqlx::query(query).fetch_all(&mut store.connection).await?;
                for row in rows {
                    for column in 0..sqlx::Row::len(&row) {
                        let value: Option<String> = sqlx::Row::try_get_unchecked(&row, column)?;
                        writeln!(dump, "{}", value.unwrap_or_default()).unwrap();
                    }
                }
            }
            Ok(dump)
        })
        .unwrap()
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let text = format!("some text {} and more", MARKS[0]);
    let encoded = ["", "a", "ab"].map(|before| BASE64.encode(format!("{before}{text}")));
    for disguised in encoded.iter().map(String::as_str).chain([
        text.as_str(),
        "c%2Bred%2FMARK-QZXJKV",
        "632b7265642f4d41524b2d515a584a4b56",
    ]) {
        let found = std::panic::catch_unwind(|| nothing_in("a test", disguised.as_bytes()));
        assert!(found.is_err(), "{disguised}");
    }
}

#[test]
fn no_file_holds_a_secret() {
    let scratch = Scratch::new();
    let mut registry = scratch.open();
    let link = name("orders");
    let [credentials, config, login, query] = MARKS;
    let targets = [StoredTarget {
        registry: Some(format!("http://u:{login}@registry")),
        ..target(&format!("https://u:{login}@h/p?{query}"))
    }];
    let credentials = Secret::new(format!("{{\"key\": \"{credentials}\"}}"));
    let config = Secret::new(format!("{{\"key\": \"{config}\"}}"));
    let lines = [entry(Action::Create, &link)];
    let change = |expected| Change {
        name: &link,
        expected,
        link: Some(NewLink {
            secrets: &[],
            kind: Kind::S3,
            credentials: &credentials,
            config: &config,
            shown_config: "{}".to_owned(),
            description: "MARK",
            ignored: &[],
            state: verified(),
        }),
        targets: &targets,
        record: &lines,
    };
    registry.commit(&change(None)).unwrap();
    registry.commit(&change(Some(1))).unwrap();
    // With the log and its index.
    nothing_in_files(&scratch, 4);
    nothing_in("the tables", dump(&registry).as_bytes());
    sql(&registry, "PRAGMA wal_checkpoint(TRUNCATE)");
    nothing_in_files(&scratch, 4);
    registry.rotate_key("ada").unwrap();
    take(&registry, &link, 2).unwrap();
    nothing_in_files(&scratch, 4);
    nothing_in("the value", format!("{registry:?}").as_bytes());
    drop(registry);
    nothing_in_files(&scratch, 2);
}

#[test]
fn a_sealed_text_can_not_be_moved_to_another_link() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let (first, second) = (name("a"), name("b"));
    put(&registry, &first, None, "{\"k\": 1}", &[target("bucket/a")]).unwrap();
    put(
        &registry,
        &second,
        None,
        "{\"k\": 2}",
        &[target("bucket/b")],
    )
    .unwrap();
    sql(
        &registry,
        "UPDATE links SET sealed = (SELECT sealed FROM links WHERE link = 'a') WHERE link = 'b'",
    );
    let known = registry.read(&second).unwrap();
    assert!(known.link.is_none());
    assert_eq!(known.damaged, Some(2));
    assert_eq!(known.targets, [target("bucket/b")]);
    assert_eq!(registry.read(&first).unwrap().damaged, None);
    sql(
        &registry,
        "UPDATE targets SET sealed = (SELECT sealed FROM targets WHERE link = 'b') \
         WHERE link = 'a'",
    );
    let known = registry.read(&first).unwrap();
    assert!(known.link.is_some());
    assert!(known.targets.is_empty(), "{:?}", known.targets);
    // Listing opens nothing.
    assert_eq!(listed(&registry, None), ["shop.a", "shop.b"]);
}
