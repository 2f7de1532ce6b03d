//! What `--output` and `--fix` of `linkdial verify` must not write over.

use super::*;

/// Runs `verify` on a good script, with these variables.
fn verify(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let script = folder.write("ok.sql", &s3("a", closed_port()));
    let mut command = linkdial(&["verify", "--timeout", "1s"]);
    command.args(arguments).arg(script);
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn no_registry_and_no_key_is_overwritten_whatever_their_names() {
    let registered = check::Registered::new();
    registered.apply(&s3("shop.a", closed_port()), true);
    let folder = &registered.folder;
    let key = folder.path("links.key");
    let copy = folder.path("copy");
    for (file, what) in [
        (&registered.path, "a registry"),
        (&key, "the key of a registry"),
    ] {
        let before = fs::read(file).unwrap();
        fs::copy(file, &copy).unwrap();
        for file in [file, &copy] {
            for arguments in [["--output", &format!("json={file}")], ["--fix", file]] {
                let refused = verify(folder, &arguments, &[]);
                assert_eq!(code(&refused), 2, "{}", stderr(&refused));
                let told = format!("would overwrite `{file}`, which is {what}");
                assert!(stderr(&refused).contains(&told), "{}", stderr(&refused));
                assert_eq!(fs::read(file).unwrap(), before);
            }
        }
    }
}

#[test]
fn files_of_the_users_registry_are_not_overwritten() {
    let registered = check::Registered::new();
    registered.apply(&s3("shop.a", closed_port()), true);
    let folder = &registered.folder;
    let data = folder.path("data");
    let refused = |file: &str, variables: &[(&str, &str)]| {
        for arguments in [["--output", &format!("json={file}")], ["--fix", file]] {
            let output = verify(folder, &arguments, variables);
            assert_eq!(code(&output), 2, "{file}: {}", stderr(&output));
            let told = stderr(&output);
            assert!(told.contains("would overwrite"), "{told}");
        }
    };
    let named = [("LINKDIAL_REGISTRY", registered.path.as_str())];
    for end in ["-wal", "-shm", ".sweep"] {
        refused(&format!("{}{end}", registered.path), &named);
    }
    refused(&folder.path("links.key.lock"), &named);
    let key = folder.path("elsewhere");
    let named = [("LINKDIAL_KEY_FILE", key.as_str())];
    refused(&key, &named);
    // Where the default one will lie.
    let home = [("XDG_DATA_HOME", data.as_str())];
    fs::create_dir_all(folder.path("data/linkdial")).unwrap();
    for name in ["registry.db", "registry.key", "registry.db-wal"] {
        refused(&folder.path(&format!("data/linkdial/{name}")), &home);
    }
    assert_eq!(
        fs::read_dir(folder.path("data/linkdial")).unwrap().count(),
        0
    );
}

#[test]
fn two_reports_do_not_go_to_one_file() {
    let folder = Folder::new();
    let (one, other) = (folder.path("o"), folder.path("./o"));
    let (json, html) = (format!("json={one}"), format!("html={other}"));
    let output = verify(&folder, &["--output", &json, "--output", &html], &[]);
    assert_eq!(code(&output), 2);
    let told = format!("`--output` names one file twice: `{one}` and `{other}`");
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    assert!(!Path::new(&one).exists());
}
