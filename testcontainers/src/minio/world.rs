use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::store::Store;
use crate::{Error, Login};

/// The customer's key that encrypts `sse-c/secret.txt`.
pub const SSE_C_KEY: &[u8; 32] = b"linkdial-test-customer-key-00001";

/// The id of the only KMS key.
pub const KMS_KEY_ID: &str = "lab-key";

/// Who may do what in a [`Minio`](crate::Minio).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum User {
    /// Everything.
    Root,
    /// Lists and reads `private`, `empty`, `sse-s3`, `sse-kms` and `sse-c`.
    ReadOnly,
    /// Lists, reads, writes and deletes in the same buckets.
    Writer,
    /// Lists, reads and writes there, and may not delete.
    NoDelete,
    /// Reads and writes objects of `private`, and may not list.
    NoList,
    /// Lists and reads `private` below `team/a` alone.
    Prefix,
    /// Lists `private`, and may not read its objects.
    ListOnly,
    /// Known, without any right.
    NoPolicy,
    /// Known and disabled.
    Disabled,
}

impl User {
    /// All users but root.
    const ALL: [Self; 8] = [
        Self::ReadOnly,
        Self::Writer,
        Self::NoDelete,
        Self::NoList,
        Self::Prefix,
        Self::ListOnly,
        Self::NoPolicy,
        Self::Disabled,
    ];

    /// The user's key.
    pub fn login(self) -> Login {
        let name = self.name();
        Login::new(format!("lab-{name}"), format!("lab-{name}-secret"))
    }

    /// The same user's key in the form of Google's HMAC keys: 24 characters that begin with `GOOG`,
    /// and a secret of 40. The one of root is a user's that may do everything.
    pub fn hmac_login(self) -> Login {
        let name = self.name();
        let id = format!("LAB{}", name.to_uppercase());
        let secret = format!("{:-<30}", format!("lab-{name}-hmac-secret"));
        Login::new(format!("GOOG1{id:X<19}"), BASE64.encode(secret))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::ReadOnly => "readonly",
            Self::Writer => "writer",
            Self::NoDelete => "nodelete",
            Self::NoList => "nolist",
            Self::Prefix => "prefix",
            Self::ListOnly => "listonly",
            Self::NoPolicy => "nopolicy",
            Self::Disabled => "disabled",
        }
    }

    fn policy(self) -> Option<Value> {
        let buckets = ["private", "empty", "sse-s3", "sse-kms", "sse-c"];
        let buckets = buckets.map(|bucket| format!("arn:aws:s3:::{bucket}"));
        let both: Vec<_> = buckets
            .iter()
            .flat_map(|arn| [arn.clone(), format!("{arn}/*")])
            .collect();
        let read = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"];
        let private = "arn:aws:s3:::private";
        let statements = match self {
            Self::NoPolicy => return None,
            Self::Root => json!([allow(&json!(["s3:*"]), &json!(["arn:aws:s3:::*"]))]),
            Self::ReadOnly | Self::Disabled => json!([allow(&json!(read), &json!(both))]),
            Self::Writer => json!([
                allow(&json!(read), &json!(both)),
                allow(&json!(["s3:PutObject", "s3:DeleteObject"]), &json!(both)),
            ]),
            Self::NoDelete => json!([
                allow(&json!(read), &json!(both)),
                allow(&json!(["s3:PutObject"]), &json!(both)),
            ]),
            Self::NoList => json!([allow(
                &json!(["s3:GetObject", "s3:PutObject"]),
                &json!([format!("{private}/*")])
            )]),
            Self::Prefix => {
                let mut list = allow(&json!(["s3:ListBucket"]), &json!([private]));
                list["Condition"] =
                    json!({"StringLike": {"s3:prefix": ["team/a", "team/a/", "team/a/*"]}});
                let objects = json!([format!("{private}/team/a/*")]);
                json!([list, allow(&json!(["s3:GetObject"]), &objects)])
            }
            Self::ListOnly => json!([allow(&json!(["s3:ListBucket"]), &json!([private]))]),
        };
        Some(json!({"Version": "2012-10-17", "Statement": statements}))
    }
}

fn allow(actions: &Value, resources: &Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

/// Makes users and their policies.
pub(super) fn add_users(root: &Store) -> Result<(), Error> {
    import(root, &identities())
}

/// Gives the user of a key another secret; the old one is refused from then on.
pub(super) fn rotate_secret(root: &Store, login: &Login) -> Result<Login, Error> {
    let secret: String = login.secret_access_key.chars().rev().collect();
    let fresh = Login::new(&login.access_key_id, secret);
    let entry = json!({"secretKey": fresh.secret_access_key, "status": "enabled"});
    let users = json!({ &login.access_key_id: entry });
    let users = archive(&[("iam-assets/users.json", users.to_string())]);
    import(root, &users)?;
    Ok(fresh)
}

/// Gives the user of a key these policies and no others; who is not there is made.
pub(super) fn set_policies(root: &Store, login: &Login, policies: &[Value]) -> Result<(), Error> {
    let id = &login.access_key_id;
    let names: Vec<_> = (0..policies.len())
        .map(|number| format!("{id}-{number}"))
        .collect();
    let users = json!({id: {"secretKey": login.secret_access_key, "status": "enabled"}});
    let named: Map<_, _> = names
        .iter()
        .cloned()
        .zip(policies.iter().cloned())
        .collect();
    let mapping = json!({
        "version": 1, "policy": names.join(","), "updatedAt": "2026-01-01T00:00:00Z",
    });
    let mappings = json!({id: mapping});
    let files = [
        ("iam-assets/policies.json", Value::Object(named).to_string()),
        ("iam-assets/users.json", users.to_string()),
        ("iam-assets/user_mappings.json", mappings.to_string()),
    ];
    import(root, &archive(&files))
}

fn import(root: &Store, archive: &[u8]) -> Result<(), Error> {
    let reply = root.call("PUT", "/minio/admin/v3/import-iam-v2", &[], &[], archive)?;
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if answer["failed"] == json!({}) {
        return Ok(());
    }
    Err(Error::Refused {
        doing: "add users to MinIO".to_owned(),
        answer: reply.text(),
    })
}

/// Makes buckets and objects.
pub(super) fn add_objects(store: &Store, tls: bool) -> Result<(), Error> {
    for bucket in [
        "private", "locked", "public", "empty", "sse-s3", "sse-kms", "sse-c",
    ] {
        store.make_bucket(bucket)?;
    }
    for (bucket, algorithm) in [("sse-s3", "AES256"), ("sse-kms", "aws:kms")] {
        let rule = encryption(algorithm);
        store.call(
            "PUT",
            &format!("/{bucket}"),
            &[("encryption", "")],
            &[],
            rule.as_bytes(),
        )?;
        store.put(bucket, "top.txt", b"hello\n")?;
    }
    for bucket in ["private", "locked", "public"] {
        for key in ["top.txt", "team/a/one.txt", "other/two.txt"] {
            store.put(bucket, key, b"hello\n")?;
        }
    }
    let open = open_to_everybody("public").to_string();
    store.call("PUT", "/public", &[("policy", "")], &[], open.as_bytes())?;
    if tls {
        store.put_encrypted("sse-c", "secret.txt", b"hello\n", SSE_C_KEY)?;
    }
    Ok(())
}

fn encryption(algorithm: &str) -> String {
    let key = match algorithm {
        "aws:kms" => format!("<KMSMasterKeyID>{KMS_KEY_ID}</KMSMasterKeyID>"),
        _ => String::new(),
    };
    format!(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
         <SSEAlgorithm>{algorithm}</SSEAlgorithm>{key}</ApplyServerSideEncryptionByDefault>\
         </Rule></ServerSideEncryptionConfiguration>"
    )
}

fn open_to_everybody(bucket: &str) -> Value {
    let statement = |action: &str, resource: String| {
        json!({
            "Effect": "Allow", "Principal": {"AWS": ["*"]},
            "Action": [action], "Resource": [resource],
        })
    };
    json!({"Version": "2012-10-17", "Statement": [
        statement("s3:ListBucket", format!("arn:aws:s3:::{bucket}")),
        statement("s3:GetObject", format!("arn:aws:s3:::{bucket}/*")),
    ]})
}

/// The archive that MinIO's admin call `import-iam` takes: users, policies and who has which.
fn identities() -> Vec<u8> {
    let (mut users, mut policies, mut mappings) = (Map::new(), Map::new(), Map::new());
    let logins = User::ALL.iter().map(|user| (*user, user.login()));
    let hmac = User::ALL.iter().chain([&User::Root]);
    for (user, login) in logins.chain(hmac.map(|user| (*user, user.hmac_login()))) {
        let status = if user == User::Disabled {
            "disabled"
        } else {
            "enabled"
        };
        users.insert(
            login.access_key_id.clone(),
            json!({"secretKey": login.secret_access_key, "status": status}),
        );
        if let Some(policy) = user.policy() {
            let name = format!("lab-{}", user.name());
            let mapping = json!({
                "version": 1, "policy": name, "updatedAt": "2026-01-01T00:00:00Z",
            });
            policies.insert(name, policy);
            mappings.insert(login.access_key_id, mapping);
        }
    }
    archive(&[
        (
            "iam-assets/policies.json",
            Value::Object(policies).to_string(),
        ),
        ("iam-assets/users.json", Value::Object(users).to_string()),
        (
            "iam-assets/user_mappings.json",
            Value::Object(mappings).to_string(),
        ),
    ])
}

/// Packs texts into a ZIP archive without compression (APPNOTE.TXT, sections 4.3.7 to 4.3.16).
fn archive(files: &[(&str, String)]) -> Vec<u8> {
    let (mut local, mut central) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let offset = size(local.len());
        let mut facts = Vec::new();
        facts.extend([20, 0, 0, 0, 0, 0]); // version needed, flags, method: stored
        facts.extend([0, 0, 0x21, 0]); // 1980-01-01 00:00
        facts.extend(crc32fast::hash(text.as_bytes()).to_le_bytes());
        facts.extend(size(text.len()));
        facts.extend(size(text.len()));
        facts.extend(&size(name.len())[..2]);
        facts.extend([0, 0]); // no extra field
        local.extend(b"PK\x03\x04");
        local.extend(&facts);
        local.extend(name.as_bytes());
        local.extend(text.as_bytes());
        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(&facts);
        central.extend([0; 10]); // no comment, first disk, no attributes
        central.extend(offset);
        central.extend(name.as_bytes());
    }
    let count = &size(files.len())[..2];
    let (start, length) = (size(local.len()), size(central.len()));
    let end = [
        b"PK\x05\x06\0\0\0\0",
        count,
        count,
        &length,
        &start,
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("the archive is small")
        .to_le_bytes()
}
