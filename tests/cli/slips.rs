//! Secrets in arguments that stand in a wrong place are in no sentence about them.

use super::*;

const PASSWORD: &str = "M4rkedPassw0rd";

#[test]
fn a_refused_argument_is_not_quoted() {
    let folder = Folder::new();
    let script = folder.write("ok.sql", &s3("a", closed_port()));
    let url = format!("https://u:{PASSWORD}@h/");
    let query = format!("{url}?a=b");
    let slip = format!("a={url}x:wrote");
    let proxy = format!("http://u:pa/{PASSWORD}@h:1");
    let variable = format!("1={PASSWORD}");
    let registry = format!("sqlite://u:{PASSWORD}@h/links.db");
    let key = format!("linkdial-key-1 {PASSWORD}");
    let bare_key = format!("{PASSWORD}{}=", "A".repeat(43 - PASSWORD.len()));
    let named = format!("SECRET={PASSWORD}");
    let statement = format!("CREATE LINK a AS S3 CREDENTIALS '{{\"k\": \"{PASSWORD}\"}}'");
    let table: &[(&[&str], &str)] = &[
        (&["verify", "--proxy", &proxy, &script], "--proxy"),
        (&["verify", "--target", &url, &script], "LINK=TARGET"),
        (&["verify", "--target", &query, &script], "LINK=TARGET"),
        (&["verify", "--target", &slip, &script], "neither"),
        (&["verify", "--var", &variable, &script], "NAME=VALUE"),
        (
            &["verify", "--vars-env", &named, &script],
            "stays in the environment",
        ),
        (
            &["verify", "--vars", &named, &script],
            "`--vars-env` names it",
        ),
        (&["verify", &statement], "that is a statement, not a file"),
        (
            &["apply", &statement],
            "that is a statement: give it with -e",
        ),
        (&[&statement], "subcommand"),
        (&["key", "rotate", &statement], "unexpected argument"),
        (&["check", "--registry", &registry], "takes no user"),
        (&["check", "--key-file", &key], "takes no key itself"),
        (&["check", "--key-file", &bare_key], "takes no key itself"),
        (&["check", "--target", &url], "LINK=TARGET"),
    ];
    for (arguments, told) in table {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        let text = stderr(&output).to_owned() + stdout(&output);
        assert!(text.contains(told), "{arguments:?}: {text}");
        assert!(!text.contains(PASSWORD), "{arguments:?}: {text}");
    }
}

#[test]
fn an_existing_file_is_read_whatever_its_name() {
    let folder = Folder::new();
    let script = folder.write("use {it}.sql", &s3("a", closed_port()));
    assert_eq!(code(&run(&["verify", "--offline", &script])), 0);
}
