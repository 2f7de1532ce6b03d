//! Commands of `gcloud`. No server here has Google's roles: what they say is held against the vendor's
//! pages, and what a refusal leads to against a store that refuses.

use linkdial_testcontainers::{Minio, User};

use crate::{checks, policy};

fn granted(user: User, arguments: &[&str], uses: &str) -> String {
    let minio = Minio::shared_gcs();
    let link = minio.create_gcs_link("l", &user.hmac_login());
    let check = checks(arguments, &format!("{link}{uses}")).remove(0);
    policy(&check).to_owned()
}

#[test]
fn the_role_is_the_smallest_that_has_the_rights() {
    const READS: &str = "CREATE PIPELINE p AS LOAD DATA LINK l 'private' INTO TABLE t;\n";
    const WRITES: &str = "SELECT 1 INTO LINK l 'private/rights/';\n";
    for (user, arguments, uses, role) in [
        (User::NoPolicy, &[][..], READS, "objectViewer"),
        (User::ListOnly, &[], READS, "legacyObjectReader"),
        (User::NoPolicy, &["--write"], WRITES, "objectUser"),
        (User::ListOnly, &["--write"], WRITES, "objectUser"),
    ] {
        // An HMAC key does not say whose it is.
        let wanted = format!(
            "gcloud storage buckets add-iam-policy-binding gs://private --member=user:ACCOUNT \
             --role=roles/storage.{role}"
        );
        assert_eq!(granted(user, arguments, uses), wanted, "{user:?}");
    }
}
