//! `linkdial key`.

use super::*;

#[test]
fn only_root_rotates_the_key() {
    let folder = Folder::new();
    let registry = folder.path("links.db");
    let output = run(&["key", "rotate", "--registry", &registry, "--user", "bob"]);
    assert_eq!(code(&output), 2);
    assert_eq!(stdout(&output), "");
    assert_eq!(
        stderr(&output),
        "error: user `bob` may not rotate the key (sql.not-permitted)\nhint: only root may\n"
    );
    assert!(!Path::new(&registry).exists());
}

#[test]
fn a_rotation_replaces_the_key() {
    let registered = check::Registered::new();
    let outcomes = registered.apply(&s3("shop.a", closed_port()), true);
    assert_eq!(outcomes.len(), 1);
    let key = registered.folder.path("links.key");
    let before = fs::read_to_string(&key).unwrap();
    let rotate = ["key", "rotate", "--registry", &registered.path];
    let output = run(&rotate);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        format!("1 link is sealed with the new key in {key}\n")
    );
    assert_eq!(stderr(&output), "");
    assert_ne!(fs::read_to_string(&key).unwrap(), before);
    assert_eq!(registered.checked(&["--offline"]), ["shop.a"]);

    registered.apply(&s3("shop.b", closed_port()), true);
    let output = run(&rotate);
    assert!(
        stdout(&output).starts_with("2 links are sealed"),
        "{}",
        stdout(&output)
    );

    fs::write(&key, before).unwrap();
    let output = run(&rotate);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("\nhint: "), "{}", stderr(&output));
}

#[test]
fn a_rotation_tells_what_it_left() {
    let registered = check::Registered::new();
    let text = s3("shop.a", closed_port()) + &s3("shop.b", closed_port());
    registered.apply(&text, true);
    check::tamper(
        &registered,
        "UPDATE links SET sealed = 'AAAA' WHERE link = 'b'",
    );
    let key = registered.folder.path("links.key");
    let output = run(&["key", "rotate", "--registry", &registered.path]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        format!("1 link is sealed with the new key in {key}\n")
    );
    assert_eq!(
        stderr(&output),
        format!(
            "warning: 1 damaged definition or target stays sealed with an older key, which stays \
             in {key} too: `linkdial check` names damaged links, and `CREATE OR REPLACE LINK` \
             makes one anew\n"
        )
    );
}
