//! Letters of a shared access signature, as Azurite takes them.

use linkdial_testcontainers::{Azurite, SharedAccess};
use serde_json::Value;

use crate::{checks, policy, values, words};

/// Every link to a server of ours warns of that, and of nothing else when it is let in.
const LET_IN: &str = "define.extension-key";

fn check(letters: &str, arguments: &[&str], uses: &str) -> Value {
    let azurite = Azurite::shared();
    let access = SharedAccess::container("private").permissions(letters);
    let token = access.expires_in(3600).sign(&azurite.account()).unwrap();
    let link = azurite.shared_access_link("l", &token);
    checks(arguments, &format!("{link}{uses}")).remove(0)
}

fn permissions(check: &Value) -> String {
    let words = words(policy(check));
    assert_eq!(values(&words, "--name"), ["private"]);
    assert_eq!(
        values(&words, "--account-name"),
        [Azurite::shared().account_name()]
    );
    values(&words, "--permissions")[0].to_owned()
}

#[test]
fn who_reads_is_given_the_letters_of_reading() {
    let reads = "CREATE PIPELINE p AS LOAD DATA LINK l 'private' INTO TABLE t;\n";
    let refused = check("l", &[], reads);
    assert_eq!(refused["code"], "read.denied", "{refused:#}");
    let letters = permissions(&refused);
    assert_eq!(letters, "rl");
    assert_eq!(check(&letters, &[], reads)["code"], LET_IN);
    for less in ["r", "l"] {
        assert_eq!(check(less, &[], reads)["verdict"], "fail", "{less}");
    }
}

#[test]
fn who_writes_is_given_the_letters_of_the_sentinel() {
    let writes = "SELECT 1 INTO LINK l 'private/rights/';\n";
    let refused = check("rl", &["--write"], writes);
    assert_eq!(refused["code"], "write.denied", "{refused:#}");
    let letters = permissions(&refused);
    assert_eq!(letters, "rcdl");
    let written = |check: &Value| {
        let mut steps = check["steps"].as_array().unwrap().iter();
        steps.any(|it| it["stage"] == "write" && it["outcome"] == "pass")
    };
    let passed = check(&letters, &["--write"], writes);
    assert_eq!(passed["code"], LET_IN, "{passed:#}");
    assert!(written(&passed), "{passed:#}");
    for letter in ['r', 'c', 'd', 'l'] {
        let less = letters.replace(letter, "");
        let check = check(&less, &["--write"], writes);
        assert!(!written(&check), "{less}: {check:#}");
    }
}
