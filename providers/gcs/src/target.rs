//! How Google names buckets.

use linkdial_core::store::Naming;

/// What a target of a GCS link begins with.
pub(crate) const NAMING: Naming = Naming {
    noun: "bucket",
    schemes: &["gs", "gcs", "s3", "s3a", "s3n"],
    account_behind: false,
    fault: bad_name,
};

/// Cloud Storage, Bucket names. Names with dots are those of domains, and may be longer.
fn bad_name(name: &str) -> Option<&'static str> {
    let longest = if name.contains('.') { 222 } else { 63 };
    if !(3..=longest).contains(&name.len()) {
        return Some(
            "has a bucket name shorter than 3 or longer than 63 characters, or 222 with dots",
        );
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name
        .bytes()
        .all(|byte| letter(byte) || b"-_.".contains(&byte))
    {
        return Some(
            "has a bucket name with other than lower-case letters, digits, dashes, underscores and \
             dots",
        );
    }
    let ends = [name.bytes().next(), name.bytes().last()];
    let good = ends.into_iter().flatten().all(letter);
    (!good).then_some("has a bucket name that starts or ends with other than a letter or a digit")
}

#[cfg(test)]
mod tests {
    use linkdial_core::store::Bucket;
    use linkdial_core::{Code, Target};

    use super::*;

    #[test]
    fn names_of_buckets() {
        let parse = |text: &str| Bucket::parse(&Target::new(text), &NAMING);
        let long = format!("{}.example.com", "a".repeat(60));
        for good in ["logs", "1-logs_of.orders/in/*.csv", "gs://logs/in/", &long] {
            assert!(parse(good).is_ok(), "{good}");
        }
        let longer = "a".repeat(64);
        for wrong in [
            "ab",
            "Logs",
            "tenant:logs",
            "-logs",
            "logs_",
            "with space/x",
            "https://host/logs",
            &longer,
        ] {
            let code = parse(wrong).unwrap_err().code;
            assert_eq!(code, Code::DefineTargetInvalid, "{wrong}");
        }
    }
}
