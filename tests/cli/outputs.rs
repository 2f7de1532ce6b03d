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
fn an_output_does_not_overwrite_what_the_run_reads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let folder = Folder::new();
    let script = s3("a", listener.local_addr().unwrap().port());
    let path = folder.write("links.sql", &script);
    let vars = folder.write("vars.env", "A=1\n");
    let certificate = linkdial_testcontainers::Certificates::shared()
        .ca_pem()
        .to_owned();
    let ca_file = folder.write("ca.pem", &certificate);
    let krb5_conf = folder.write("krb5.conf", "[libdefaults]\n");
    let keytab = folder.write("a.keytab", "");
    let file = format!("/etc/a.keytab={keytab}");
    for (input, role) in [
        (&path, "the script"),
        (&vars, "the file of `--vars`"),
        (&ca_file, "the file of `--ca-file`"),
        (&krb5_conf, "the configuration of Kerberos"),
        (&keytab, "the file of `--file`"),
    ] {
        let output = format!("json={input}");
        let arguments = [
            "verify",
            "--vars",
            &vars,
            "--ca-file",
            &ca_file,
            "--krb5-conf",
            &krb5_conf,
            "--file",
            &file,
            "--output",
            &output,
            &path,
        ];
        let refused = run(&arguments);
        assert_eq!(code(&refused), 2, "{input}");
        assert_eq!(stdout(&refused), "");
        let expected = format!("`--output json={input}` would overwrite {role} `{input}`");
        assert!(stderr(&refused).contains(&expected), "{}", stderr(&refused));
    }
    assert_eq!(fs::read_to_string(path).unwrap(), script);
    assert_eq!(fs::read_to_string(vars).unwrap(), "A=1\n");
    assert_eq!(fs::read_to_string(ca_file).unwrap(), certificate);
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
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
