//! How Azure names containers.

use linkdial_core::store::Naming;

/// What a target of an AZURE link begins with. `abfss` and `wasbs` are those of Hadoop.
pub(crate) const NAMING: Naming = Naming {
    noun: "container",
    schemes: &["azure", "az", "abfs", "abfss", "wasb", "wasbs"],
    account_behind: true,
    fault: bad_name,
};

/// Azure, Naming and referencing containers, blobs, and metadata. The service refuses such names
/// before it looks at the identity.
fn bad_name(name: &str) -> Option<&'static str> {
    if ["$root", "$web", "$logs", "$blobchangefeed"].contains(&name) {
        return None;
    }
    if !(3..=63).contains(&name.len()) {
        return Some("has a container name shorter than 3 or longer than 63 characters");
    }
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.bytes().all(good) {
        return Some("has a container name with other than lower-case letters, digits and dashes");
    }
    let dashes = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    dashes.then_some("has a dash at the start or end of the container name, or two in a row")
}

#[cfg(test)]
mod tests {
    use linkdial_core::store::Bucket;
    use linkdial_core::{Code, Target};

    use super::*;

    #[test]
    fn names_of_containers() {
        let parse = |text: &str| Bucket::parse(&Target::new(text), &NAMING);
        for good in ["logs", "$root/a", "a-1-b/in/*.csv", "az://logs/in/"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        let hadoop = parse("abfss://logs@account.dfs.core.windows.net/in/").unwrap();
        assert_eq!(hadoop.resource(), "logs/in/");
        for wrong in [
            "ab",
            "Logs",
            "lo_gs",
            "-logs",
            "logs-",
            "lo--gs",
            "$other",
            "s3://logs",
        ] {
            let code = parse(wrong).unwrap_err().code;
            assert_eq!(code, Code::DefineTargetInvalid, "{wrong}");
        }
    }
}
