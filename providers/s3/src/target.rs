//! How S3 and the stores that speak its protocol name buckets.

use linkdial_core::store::{Bucket, Naming};

/// What a target of an S3 link begins with.
pub(crate) const NAMING: Naming = Naming {
    noun: "bucket",
    schemes: &["s3", "s3a", "s3n", "gs", "gcs"],
    account_behind: false,
    fault: bad_name,
};

/// Returns whether the bucket can stand in a host name (RFC 1123 label, no dots because a
/// wildcard certificate covers one label only).
pub(crate) fn fits_host(bucket: &Bucket) -> bool {
    bucket.name.len() <= 63
        && bucket
            .name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The rules every store shares (Amazon S3, Bucket naming rules); older buckets and other stores
/// allow upper case and underscores, which are let through.
fn bad_name(name: &str) -> Option<&'static str> {
    if !(3..=255).contains(&name.len()) {
        return Some("has a bucket name shorter than 3 or longer than 255 characters");
    }
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (!name.bytes().all(good)).then_some("has a character that no bucket name may have")
}

#[cfg(test)]
mod tests {
    use linkdial_core::{Code, Target};

    use super::*;

    #[test]
    fn names_of_buckets() {
        let parse = |text: &str| Bucket::parse(&Target::new(text), &NAMING);
        assert_eq!(parse("s3://logs/in/").unwrap().name, "logs");
        assert!(fits_host(&parse("logs").unwrap()));
        assert!(!fits_host(&parse("logs.of.Orders").unwrap()));
        for wrong in [
            "https://host/logs",
            "ab",
            "with space/x",
            "s3://key:secret@logs/x",
        ] {
            let code = parse(wrong).unwrap_err().code;
            assert_eq!(code, Code::DefineTargetInvalid, "{wrong}");
        }
    }
}
