//! Keytabs, ticket caches and configurations, good, damaged and hostile.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;

use linkdial_core::Code;
use linkdial_kerberos::{
    CacheError, EncryptionType, Keytab, KeytabEntry, KeytabError, KeytabFile, Krb5Conf, TicketCache,
};
use linkdial_testcontainers::Kdc;
use proptest::prelude::*;
use support::{conf, evidence};
use tempfile::TempDir;

/// Writes an entry of a keytab of version 2.
fn entry(name: &str, realm: &str, kvno: u32, kind: u16, long: bool) -> Vec<u8> {
    written(1_700_000_000, name, realm, kvno, kind, long)
}

/// The same, written at some second.
fn written(at: u32, name: &str, realm: &str, kvno: u32, kind: u16, long: bool) -> Vec<u8> {
    let counted = |text: &str| {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&length[..], text.as_bytes()].concat()
    };
    let mut entry = vec![0, 1];
    entry.extend(counted(realm));
    entry.extend(counted(name));
    entry.extend([0, 0, 0, 1]);
    entry.extend(at.to_be_bytes());
    entry.push(kvno.to_be_bytes()[3]);
    entry.extend(kind.to_be_bytes());
    entry.extend([0, 16]);
    entry.extend(b"marked-secret-16");
    if long {
        entry.extend(kvno.to_be_bytes());
    }
    let length = u32::try_from(entry.len()).unwrap().to_be_bytes();
    [&length[..], &entry].concat()
}

fn keytab(parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![5, 2], parts.concat()].concat()
}

#[test]
fn a_keytab_has_its_newest_keys() {
    let mut hole = (-12_i32).to_be_bytes().to_vec();
    hole.extend([0xff; 12]);
    let bytes = keytab(&[
        written(1_600_000_000, "alice", "LAB.TEST", 3, 17, false),
        hole,
        entry("alice", "LAB.TEST", 300, 17, true),
        entry("alice", "LAB.TEST", 299, 18, true),
        entry("bob", "LAB.TEST", 1, 23, true),
    ]);
    let keytab = Keytab::parse(&bytes).unwrap();
    assert_eq!(keytab.entries().len(), 4);
    let names: Vec<String> = keytab
        .principals()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["alice@LAB.TEST", "bob@LAB.TEST"]);
    assert_eq!(newest(&keytab), [(17, 300)]);
    let written = keytab.entries()[0].written.unwrap();
    assert_eq!(written.as_second(), 1_600_000_000);
    assert!(!format!("{keytab:?}").contains("marked"));
    // Zeros at the end are room for more.
    let padded = [bytes.as_slice(), &[0; 7]].concat();
    assert_eq!(Keytab::parse(&padded).unwrap().entries().len(), 4);
}

/// Returns type and version of the keys that alice logs in with.
fn newest(keytab: &Keytab) -> Vec<(i32, u32)> {
    let newest = keytab.newest(&"alice@LAB.TEST".parse().unwrap()).unwrap();
    let key = |it: &&KeytabEntry| (it.encryption_type.0, it.kvno);
    newest.iter().map(key).collect()
}

#[test]
fn one_version_of_the_keys_counts() {
    let key = |at: u32, kvno: u32, kind: u16, long: bool| {
        written(1_700_000_000 + at, "alice", "LAB.TEST", kvno, kind, long)
    };
    let rows: [(&[_], &[_]); 7] = [
        // The type that the KDC has no key of any more.
        (&[key(0, 1, 18, true), key(9, 2, 17, true)], &[(17, 2)]),
        (&[key(9, 2, 17, true), key(0, 1, 18, true)], &[(17, 2)]),
        (
            &[
                key(0, 2, 17, true),
                key(0, 2, 18, true),
                key(0, 1, 23, true),
            ],
            &[(18, 2), (17, 2)],
        ),
        // 8 bits begin anew behind 255; a number that is written later need not be a newer one.
        (&[key(0, 255, 18, false), key(9, 1, 17, false)], &[(17, 1)]),
        (&[key(9, 255, 18, true), key(0, 1, 17, true)], &[(18, 255)]),
        (
            &[key(9, 100, 18, true), key(0, 101, 17, true)],
            &[(17, 101)],
        ),
        // One version, of which one entry has 8 bits.
        (
            &[
                key(0, 300, 17, true),
                key(0, 44, 18, false),
                key(0, 43, 23, false),
            ],
            &[(18, 44), (17, 300)],
        ),
    ];
    for (entries, wanted) in rows {
        let keytab = Keytab::parse(&keytab(entries)).unwrap();
        assert_eq!(newest(&keytab), wanted, "{keytab:?}");
    }
}

#[test]
fn a_keytab_of_version_one_is_read() {
    let mut bytes = vec![5, 1];
    let mut entry = Vec::new();
    entry.extend(2_u16.to_ne_bytes());
    for text in ["LAB.TEST", "alice"] {
        entry.extend(u16::try_from(text.len()).unwrap().to_ne_bytes());
        entry.extend(text.as_bytes());
    }
    entry.extend(0_u32.to_ne_bytes());
    entry.push(7);
    entry.extend(17_u16.to_ne_bytes());
    entry.extend(2_u16.to_ne_bytes());
    entry.extend([1, 2]);
    bytes.extend(u32::try_from(entry.len()).unwrap().to_ne_bytes());
    bytes.extend(&entry);
    let keytab = Keytab::parse(&bytes).unwrap();
    let [entry] = keytab.entries() else {
        panic!("{keytab:?}");
    };
    assert_eq!(entry.principal.to_string(), "alice@LAB.TEST");
    assert_eq!((entry.kvno, entry.written), (7, None));
    assert_eq!(entry.encryption_type, EncryptionType::AES128_SHA1);
}

#[test]
fn what_is_no_keytab_says_where() {
    assert_eq!(Keytab::parse(b"").unwrap_err(), KeytabError::Empty);
    for bytes in [&b"\x05"[..], b"\x05\x04", b"-----BEGIN", b"\x05\x03\0\0"] {
        assert_eq!(Keytab::parse(bytes).unwrap_err(), KeytabError::NotAKeytab);
    }
    let good = keytab(&[entry("alice", "LAB.TEST", 1, 18, true)]);
    let two = [&good[..], &good[2..20]].concat();
    let broken = KeytabError::Broken { offset: good.len() };
    assert_eq!(Keytab::parse(&two).unwrap_err(), broken);
    assert!(Keytab::parse(b"\x05\x02").unwrap().entries().is_empty());
    // A hole that reaches beyond the end, and the longest one there is.
    for hole in [-5_i32, i32::MIN] {
        let bytes = [&[5, 2], &hole.to_be_bytes()[..]].concat();
        let broken = KeytabError::Broken { offset: 2 };
        assert_eq!(Keytab::parse(&bytes).unwrap_err(), broken);
    }
}

#[tokio::test]
async fn files_that_do_not_serve_are_findings() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(KeytabFile::read(&path("absent")).await.unwrap().is_none());
    assert!(TicketCache::read(&path("absent")).await.unwrap().is_none());

    fs::write(path("text"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
    let fault = KeytabFile::read(&path("text")).await.unwrap_err();
    assert_eq!(fault.code(), Code::DefineKeytabInvalid);
    let finding = fault.into_diagnosis(&linkdial_kerberos::Guilty::default());
    assert_eq!(evidence(&finding, "begins_with"), "--");
    let fault = TicketCache::read(&path("text")).await.unwrap_err();
    assert_eq!(fault.code(), Code::DefineFileUnreadable);

    for unreadable in [folder.path(), "/dev/zero".as_ref()] {
        let fault = KeytabFile::read(unreadable).await.unwrap_err();
        assert_eq!(fault.code(), Code::DefineFileUnreadable);
    }
    fs::write(path("long"), vec![0; 2 * 1024 * 1024]).unwrap();
    let fault = KeytabFile::read(&path("long")).await.unwrap_err();
    assert_eq!(fault.code(), Code::DefineFileUnreadable);
}

#[cfg(unix)]
#[tokio::test]
async fn keys_that_others_may_read_are_worth_a_note() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, keytab(&[entry("alice", "LAB.TEST", 1, 18, true)])).unwrap();
    for (mode, who) in [
        (0o600, None),
        (0o640, Some("its group")),
        (0o644, Some("everybody")),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let file = KeytabFile::read(&path).await.unwrap().unwrap();
        assert_eq!(file.readable_by, who);
        let noted = file.notes().iter().any(|(name, _)| *name == "keytab_mode");
        assert_eq!(noted, who.is_some());
    }
}

#[tokio::test]
async fn a_real_cache_has_its_ticket() {
    let kdc = Kdc::shared();
    let path = kdc.ticket_cache("erin").unwrap();
    let cache = TicketCache::read(&path).await.unwrap().unwrap();
    let ticket = cache.ticket_granting().unwrap();
    assert_eq!(ticket.client.to_string(), "erin@LINKDIAL.TEST");
    assert_eq!(
        ticket.server.to_string(),
        "krbtgt/LINKDIAL.TEST@LINKDIAL.TEST"
    );
    assert!(ticket.encryption_type.is_computed());
    assert!(ticket.ends > jiff::Timestamp::now());
    let shown = format!("{cache:?}");
    assert!(
        shown.contains("Key(aes256-cts-hmac-sha1-96, ..)"),
        "{shown}"
    );

    // Version 3: no header, and the type of the key twice.
    let bytes = fs::read(&path).unwrap();
    assert_eq!(&bytes[..2], [5, 4]);
    let damaged = [&[5, 3], &bytes[2..]].concat();
    assert_eq!(
        TicketCache::parse(&damaged).unwrap_err(),
        CacheError::Broken
    );
    for version in [0, 1, 2, 5] {
        let other = [&[5, version], &bytes[2..]].concat();
        assert_eq!(
            TicketCache::parse(&other).unwrap_err(),
            CacheError::NotACache
        );
    }
}

#[test]
fn the_name_of_a_cache_is_a_path_or_not() {
    let path = |name| TicketCache::path_of(name).map(|it| it.display().to_string());
    assert_eq!(path("FILE:/tmp/krb5cc_0").as_deref(), Some("/tmp/krb5cc_0"));
    assert_eq!(path("/tmp/krb5cc_0").as_deref(), Some("/tmp/krb5cc_0"));
    for name in ["KEYRING:persistent:0", "KCM:", "DIR:/tmp/x", "MEMORY:a"] {
        assert_eq!(path(name), None);
    }
}

#[tokio::test]
async fn a_configuration_is_read_as_the_library_reads_it() {
    let conf = conf(
        "# a comment\n; another\n[libdefaults]\n  default_realm = \"EXAMPLE.COM\"\n\
         dns_lookup_kdc = off\n dns_canonicalize_hostname = false\n\
         permitted_enctypes = aes -aes128-cts aes128-sha2\n\
         default_realm = LATER.EXAMPLE\n\
         [realms]\n EXAMPLE.COM = {\n  kdc = kdc1.example.com\n  kdc = tcp/kdc2.example.com:8888\n\
         kdc = [2001:db8::1]:750\n  kdc = 2001:db8::2\n  kdc = https://kdc.example.com/KdcProxy\n\
         kdc* = kdc3.example.com:bad\n  master_kdc = kdc1.example.com\n\
         admin_server = kdc9.example.com\n }\n B.EXAMPLE = { kdc = one.example }\n\
         [domain_realm]\n .sub.example.com = SUB.EXAMPLE\n example.com = EXAMPLE.COM\n\
         host.sub.example.com = HOST.EXAMPLE\n\
         [realms]\n EXAMPLE.COM = {\n  kdc = kdc4.example.com\n }\n",
    )
    .await;
    assert_eq!(conf.default_realm(), Some("EXAMPLE.COM"));
    let kdcs = conf.kdcs("EXAMPLE.COM");
    let kdcs: Vec<(&str, u16)> = kdcs
        .iter()
        .map(|(host, port)| (host.as_str(), *port))
        .collect();
    assert_eq!(
        kdcs,
        [
            ("kdc1.example.com", 88),
            ("kdc2.example.com", 8888),
            ("2001:db8::1", 750),
            ("2001:db8::2", 88),
            ("kdc4.example.com", 88),
        ]
    );
    assert_eq!(conf.kdcs("B.EXAMPLE"), [("one.example".to_owned(), 88)]);
    assert_eq!(conf.realms(), ["EXAMPLE.COM", "B.EXAMPLE"]);
    assert!(!conf.asks_dns_for_kdcs() && !conf.canonicalizes_hosts());
    assert_eq!(conf.realm_of("a.sub.example.com"), Some("SUB.EXAMPLE"));
    assert_eq!(conf.realm_of("HOST.sub.example.com."), Some("HOST.EXAMPLE"));
    assert_eq!(conf.realm_of("x.example.com"), Some("EXAMPLE.COM"));
    assert_eq!(conf.realm_of("example.org"), None);
    let permitted = |number| conf.permits(EncryptionType(number));
    assert_eq!([17, 18, 19, 23].map(permitted), [false, true, true, false]);
}

#[tokio::test]
async fn includes_stand_in_their_place() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("d")).unwrap();
    let realm = |name: &str| format!("[libdefaults]\n default_realm = {name}\n");
    fs::write(path("d/b"), realm("B.EXAMPLE")).unwrap();
    fs::write(path("d/a.conf"), realm("A.EXAMPLE")).unwrap();
    fs::write(path("d/0.rpmsave"), realm("SKIPPED.EXAMPLE")).unwrap();
    let (d, own) = (path("d"), path("own"));
    let text = format!("includedir {}\n{}", d.display(), realm("OWN.EXAMPLE"));
    fs::write(&own, text).unwrap();
    let conf = Krb5Conf::read(&own).await.unwrap();
    assert_eq!(conf.default_realm(), Some("A.EXAMPLE"));
    assert!(conf.shown().ends_with("own and 2 more"), "{}", conf.shown());

    // One that includes itself ends.
    fs::write(
        path("loop"),
        format!("include {}\n", path("loop").display()),
    )
    .unwrap();
    let fault = Krb5Conf::read(&path("loop")).await.unwrap_err();
    assert_eq!(fault.code(), Code::DefineFileUnreadable);
    // So does a missing one, but for the file itself: the library has defaults.
    fs::write(path("gap"), "[libdefaults]\ninclude /nowhere/x\n").unwrap();
    let fault = Krb5Conf::read(&path("gap")).await.unwrap_err();
    assert_eq!(fault.code(), Code::DefineFileUnreadable);
    let conf = Krb5Conf::read(&path("absent")).await.unwrap();
    assert!(conf.shown().ends_with("(not there)") && conf.asks_dns_for_kdcs());

    for (text, line) in [
        ("[libdefaults]\nnonsense\n", "2"),
        ("a = b\n", "1"),
        ("[a]\n}\n", "2"),
    ] {
        fs::write(path("bad"), text).unwrap();
        let fault = Krb5Conf::read(&path("bad")).await.unwrap_err();
        let finding = fault.into_diagnosis(&linkdial_kerberos::Guilty::default());
        assert_eq!(evidence(&finding, "line"), line, "{text}");
    }
}

/// A byte changed, and the rest cut off.
fn damage() -> impl Strategy<Value = (prop::sample::Index, u8, prop::sample::Index)> {
    (
        any::<prop::sample::Index>(),
        any::<u8>(),
        any::<prop::sample::Index>(),
    )
}

fn damaged(
    bytes: &[u8],
    (at, byte, cut): &(prop::sample::Index, u8, prop::sample::Index),
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at.index(bytes.len());
    bytes[at] = *byte;
    bytes.truncate(cut.index(bytes.len() * 4).max(1));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keytab_is_a_panic(bytes: Vec<u8>, one in 1_u8..=2, damage in damage()) {
        drop(Keytab::parse(&bytes));
        drop(Keytab::parse(&[&[5, one], &bytes[..]].concat()));
        let parts = [entry("alice", "LAB.TEST", 3, 17, true), entry("bob", "LAB.TEST", 3, 18, false)];
        drop(Keytab::parse(&damaged(&keytab(&parts), &damage)));
    }

    #[test]
    fn no_cache_is_a_panic(bytes: Vec<u8>, version in 3_u8..=4, damage in damage()) {
        static REAL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let real = REAL.get_or_init(|| fs::read(Kdc::shared().ticket_cache("frank").unwrap()).unwrap());
        drop(TicketCache::parse(&[&[5, version], &bytes[..]].concat()));
        drop(TicketCache::parse(&damaged(real, &damage)));
    }

    #[test]
    fn no_name_is_a_panic(text: String) {
        if let Ok(principal) = text.parse::<linkdial_kerberos::Principal>() {
            let written = principal.to_string();
            prop_assert_eq!(written.parse::<linkdial_kerberos::Principal>().unwrap(), principal);
        }
    }
}
