//! What lets an AZURE link do what it is used for, and no more.
//!
//! Azure Storage REST API, "Create a service SAS", permissions for a container, in the order that the
//! service wants; Azure CLI, `az storage container generate-sas` and `az role assignment create`; Azure
//! built-in roles, Storage.

use linkdial_core::store::{Bucket, Needs, Right};
use linkdial_core::{Code, Diagnosis, Policy};

use crate::config::{Auth, Config};

/// Answers that say what a signature does not cover.
const NOT_COVERED: [&str; 3] = [
    "AuthorizationPermissionMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationServiceMismatch",
];

/// Adds to a finding about missing rights what grants them. An account's key may do everything.
pub(crate) fn attach(
    finding: Diagnosis,
    config: &Config,
    container: &Bucket,
    needs: Needs,
) -> Diagnosis {
    let Auth::Sas(sas) = &config.auth else {
        return finding;
    };
    let denied = matches!(
        finding.code,
        Code::AccessDenied | Code::ReadDenied | Code::WriteDenied
    );
    let remote = finding
        .evidence
        .iter()
        .find_map(|(name, value)| (*name == "remote_code").then_some(value.as_str()));
    // Without an answer it is the signature itself that says what it lacks.
    if !denied || remote.is_some_and(|code| !NOT_COVERED.contains(&code)) {
        return finding;
    }
    let policy = if remote.is_some() && sas.delegated {
        role(config, container, needs)
    } else {
        signature(config, container, needs)
    };
    finding.policy(policy)
}

fn signature(config: &Config, container: &Bucket, needs: Needs) -> Option<Policy> {
    let letters = letters(&needs.all());
    let mut words = vec![
        "az",
        "storage",
        "container",
        "generate-sas",
        "--account-name",
        &config.account,
        "--name",
        &container.name,
        "--permissions",
        &letters,
        "--expiry",
        "END",
    ];
    if config.base.scheme() == "https" {
        words.push("--https-only");
    }
    Policy::command(
        format!("a shared access signature with `sp={letters}`; END as in 2026-11-30T08:00Z"),
        words,
    )
}

fn letters(rights: &[Right]) -> String {
    let letters = [
        ('r', Right::Read),
        ('c', Right::Write),
        ('d', Right::Delete),
        ('l', Right::List),
    ];
    let wanted = letters.iter().filter(|(_, right)| rights.contains(right));
    wanted.map(|(letter, _)| letter).collect()
}

/// A delegated signature can do no more than whoever signed it.
fn role(config: &Config, container: &Bucket, needs: Needs) -> Option<Policy> {
    let role = if needs.writes {
        "Storage Blob Data Contributor"
    } else {
        "Storage Blob Data Reader"
    };
    let scope = format!(
        "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/\
         {}/blobServices/default/containers/{}",
        config.account, container.name
    );
    Policy::command(
        format!("`{role}` on the container, for the OBJECT whose id stands in `skoid`"),
        [
            "az",
            "role",
            "assignment",
            "create",
            "--assignee-object-id",
            "OBJECT",
            "--role",
            role,
            "--scope",
            &scope,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::Right::{Delete, List, Read, Write};
    use super::*;

    #[test]
    fn letters_stand_in_the_order_of_the_service() {
        assert_eq!(letters(&[List, Read]), "rl");
        assert_eq!(letters(&[List, Write, Read, Delete]), "rcdl");
        assert_eq!(letters(&[List, Write]), "cl");
    }
}
