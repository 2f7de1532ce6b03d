//! What is too long to be what it should be is refused, and in time; nothing at all is told.

use super::*;

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_not_read_to_its_end() {
    let folder = Folder::new();
    let script = folder.write("ok.sql", &s3("a", closed_port()));
    for option in ["--vars", "--ca-file"] {
        let output = run(&["verify", option, "/dev/zero", &script]);
        assert_eq!(code(&output), 2);
        let told = format!("`{option}`: cannot read `/dev/zero`: it is larger than 16 MiB");
        assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    }
}

#[test]
fn very_many_keys_take_no_long_time() {
    let folder = Folder::new();
    let members: Vec<String> = (0..100_000)
        .map(|at| format!(r#""k{at}":"M4rked{at}""#))
        .collect();
    let members = members.join(",");
    for (clauses, told) in [
        (
            format!("CREDENTIALS '{{{members}}}'"),
            "CREDENTIALS has more than 1,000 keys",
        ),
        (
            format!("CREDENTIALS '{{\"a\":\"M4rked\",\"b\":{{{members}}}}}'"),
            "the object of `b` in CREDENTIALS has more than 1,000 keys",
        ),
    ] {
        let script = folder.write("many.sql", &format!("CREATE LINK a AS S3 {clauses};"));
        let start = Instant::now();
        let output = run(&["verify", "--offline", &script]);
        // Less than a second on a machine that has nothing else to do.
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(code(&output), 1);
        assert!(stdout(&output).contains(told), "{}", stdout(&output));
        assert!(!stdout(&output).contains("M4rked"), "{}", stdout(&output));
    }
}

#[test]
fn an_empty_standard_input_is_told_where_no_file_is_named() {
    for command in ["verify", "apply"] {
        let folder = Folder::new();
        let arguments = ["--registry", &folder.path("links.db")];
        let arguments: &[&str] = if command == "apply" { &arguments } else { &[] };
        let output = linkdial(&[command]).args(arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let told = "warning: standard input is empty; name a FILE\n";
        assert!(stderr(&output).starts_with(told), "{}", stderr(&output));
        // Somebody who names it knows.
        let output = linkdial(&[command, "-"]).args(arguments).output().unwrap();
        assert_eq!(code(&output), 0);
        assert!(!stderr(&output).contains("empty"), "{}", stderr(&output));
    }
}
