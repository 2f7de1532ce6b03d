//! Keys of `CONFIG` whose values an excerpt may show, whatever the kind of the link.
//!
//! An allow-list of plain words: a key that is not here, misspelt ones included, may hold a secret.

use linkdial_core::{Key, Shape};

/// Well-known settings that are no secret, in lower case and sorted.
const SHOWN: [&str; 78] = [
    "blob_endpoint",
    "catalog_name",
    "catalog_type",
    "collection.include.list",
    "compatibility_mode",
    "creds_mode",
    "database.exclude.list",
    "database.hostname",
    "database.include.list",
    "database.port",
    "database.ssl.mode",
    "dfs.client.use.datanode.hostname",
    "dfs.data.transfer.protection",
    "dfs.datanode.kerberos.principal",
    "dfs.encrypt.data.transfer",
    "dfs.encrypt.data.transfer.algorithm",
    "dfs.encrypt.data.transfer.cipher.key.bitlength",
    "dfs.encrypt.data.transfer.cipher.suites",
    "dfs.namenode.kerberos.principal",
    "dfs.nameservices",
    "disable_gunzip",
    "enable.ssl.certificate.verification",
    "endpoint_url",
    "file_time_threshold",
    "fs.defaultfs",
    "hadoop.rpc.protection",
    "hadoop.security.authentication",
    "ingest_mode",
    "kerberos.keytab",
    "kerberos.user",
    "mongodb.authsource",
    "mongodb.hosts",
    "mongodb.members.auto.discover",
    "mongodb.ssl.enabled",
    "multipart_chunk_size_mb",
    "operation.timeout.ms",
    "region",
    "request_payer",
    "role_arn",
    "s3_force_path_style",
    "sasl.kerberos.cache",
    "sasl.kerberos.ccache",
    "sasl.kerberos.disable.kinit",
    "sasl.kerberos.keytab",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.tmpdir",
    "schema.change.stop",
    "schema.registry.ssl.ca.location",
    "schema.registry.ssl.certificate.location",
    "schema.registry.ssl.key.location",
    "schema.registry.url",
    "security.protocol",
    "session.timeout.ms",
    "socket.timeout.ms",
    "spoof.dns",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.cipher.suites",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "sts_endpoint_url",
    "suffixes",
    "table.exclude.list",
    "table.include.list",
    "table_id",
    "verify_ssl",
    "x-amz-request-payer",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-storage-class",
];

/// The same as a table, for kinds whose own this build lacks.
pub(crate) const TABLE: [Key; SHOWN.len()] = {
    let mut table = [Key::config("", Shape::Text); SHOWN.len()];
    let mut at = 0;
    while at < SHOWN.len() {
        table[at].name = SHOWN[at];
        at += 1;
    }
    table
};

/// Returns whether the value of a key is no secret.
pub(super) fn is_shown(key: &str) -> bool {
    SHOWN
        .binary_search(&key.to_ascii_lowercase().as_str())
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_no_secret() {
        assert!(SHOWN.is_sorted());
        for key in SHOWN {
            assert!(!linkdial_core::looks_secret(key), "{key}");
            assert!(is_shown(&key.to_ascii_uppercase()), "{key}");
        }
        for key in ["", "pwd", "api_key", "headers", "sasl.passwrd", "regoin"] {
            assert!(!is_shown(key), "{key}");
        }
    }
}
