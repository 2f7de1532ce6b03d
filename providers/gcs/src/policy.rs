//! The role that lets a GCS link do what it is used for, and no more.
//!
//! Cloud Storage, "IAM roles for Cloud Storage", and the reference of `gcloud storage buckets
//! add-iam-policy-binding`. Roles are given on the bucket: the right to list has no smaller place.

use linkdial_core::store::{Bucket, Needs, Right};
use linkdial_core::{Blame, Code, Diagnosis, Policy};

use crate::config::{Auth, Config};

/// Access ids of service accounts have this length, those of users are shorter (Cloud Storage, HMAC
/// keys).
const SERVICE_ACCOUNT_ID: usize = 61;

/// Adds to a finding about missing rights what grants them.
pub(crate) fn attach(
    finding: Diagnosis,
    config: &Config,
    bucket: &Bucket,
    needs: Needs,
) -> Diagnosis {
    let denied = matches!(
        finding.code,
        Code::AccessDenied | Code::ReadDenied | Code::WriteDenied
    );
    // Networks, perimeters and holds refuse as well, and no role opens them.
    if !denied || finding.blame != Blame::Permission || finding.keys.is_empty() {
        return finding;
    }
    let mut evidence = finding.evidence.iter();
    let operation = evidence.find(|(name, _)| *name == "operation");
    let refused = match operation.map(|(_, value)| value.as_str()) {
        Some("storage.objects.list") => Right::List,
        Some("storage.objects.get") => Right::Read,
        Some("storage.objects.create") => Right::Write,
        Some("storage.objects.delete") => Right::Delete,
        _ => return finding,
    };
    let roles = roles(&needs.missing(refused));
    let (member, whose) = match &config.auth {
        Auth::Anonymous => return finding,
        Auth::ServiceAccount(account) => {
            (format!("serviceAccount:{}", account.email), String::new())
        }
        Auth::Hmac(keys) => {
            let kind = if keys.id.len() == SERVICE_ACCOUNT_ID {
                "serviceAccount"
            } else {
                "user"
            };
            (
                format!("{kind}:ACCOUNT"),
                "; ACCOUNT is the one that the HMAC key was made for".to_owned(),
            )
        }
    };
    let url = format!("gs://{}", bucket.name);
    let policies = roles.into_iter().map(|role| {
        let words = [
            "gcloud",
            "storage",
            "buckets",
            "add-iam-policy-binding",
            &url,
            &format!("--member={member}"),
            &format!("--role={role}"),
        ];
        Policy::command(format!("`{role}` on the bucket{whose}"), words)
    });
    finding.policy(policies.flatten().collect::<Vec<_>>())
}

/// Returns the predefined roles that have these rights and the fewest others (Google Cloud, IAM roles
/// for Cloud Storage): only who deletes gets the one that may do everything with objects.
fn roles(missing: &[Right]) -> Vec<&'static str> {
    let needs = |right: Right| missing.contains(&right);
    if needs(Right::Delete) {
        return vec!["roles/storage.objectUser"];
    }
    let mut roles = match (needs(Right::List), needs(Right::Read)) {
        (true, true) => vec!["roles/storage.objectViewer"],
        (true, false) => vec!["roles/storage.legacyBucketReader"],
        (false, true) => vec!["roles/storage.legacyObjectReader"],
        (false, false) => Vec::new(),
    };
    if needs(Right::Write) {
        roles.push("roles/storage.objectCreator");
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::Right::{Delete, List, Read, Write};
    use super::*;

    #[test]
    fn only_who_writes_is_given_a_role_that_may() {
        for (missing, names) in [
            (&[List, Read][..], &["objectViewer"][..]),
            (&[List], &["legacyBucketReader"]),
            (&[Read], &["legacyObjectReader"]),
            (&[Write], &["objectCreator"]),
            (&[List, Write], &["legacyBucketReader", "objectCreator"]),
            (&[List, Read, Write], &["objectViewer", "objectCreator"]),
            (&[Write, Delete], &["objectUser"]),
        ] {
            let names: Vec<String> = (names.iter())
                .map(|name| format!("roles/storage.{name}"))
                .collect();
            assert_eq!(roles(missing), names, "{missing:?}");
        }
    }
}
