use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;

use super::admin::{ALL, Acl, DESCRIBE, READ, WRITE};

/// Who logs in to a [`SecuredKafka`](crate::SecuredKafka). Rights hold for the topics `orders` and
/// `empty`; nobody but the administrator has any for `secret`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KafkaUser {
    /// May do everything.
    Admin,
    /// May do everything with both topics.
    Alice,
    /// May read and describe.
    Reader,
    /// May write and describe.
    Writer,
    /// May describe, and neither read nor write.
    Describer,
    /// May log in and nothing else.
    Nobody,
}

/// The topics that users have rights for.
const TOPICS: [&str; 2] = ["orders", "empty"];

impl KafkaUser {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Admin,
        Self::Alice,
        Self::Reader,
        Self::Writer,
        Self::Describer,
        Self::Nobody,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Alice => "alice",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Describer => "describer",
            Self::Nobody => "nobody",
        }
    }

    /// The password.
    pub fn password(self) -> String {
        format!("{}-pw", self.name())
    }

    /// A token for [`KafkaListener::OauthBearer`](crate::KafkaListener::OauthBearer) that lives so
    /// many seconds from now; with a negative number it has expired. It has no signature.
    pub fn token(self, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(0));
        let end = now.saturating_add(seconds);
        let claims = json!({"sub": self.name(), "iat": now.min(end - 60), "exp": end});
        let encode = |part: serde_json::Value| BASE64.encode(part.to_string());
        format!("{}.{}.", encode(json!({"alg": "none"})), encode(claims))
    }

    /// What it may do with the topics that users have rights for.
    fn operation(self) -> Option<i8> {
        match self {
            Self::Alice => Some(ALL),
            Self::Reader => Some(READ),
            Self::Writer => Some(WRITE),
            Self::Describer => Some(DESCRIBE),
            // One needs no rights, and the other has none.
            Self::Admin | Self::Nobody => None,
        }
    }
}

/// The rights of all users, and of the owner of the client certificate.
pub(super) fn rights(certificate: &'static str) -> Vec<Acl> {
    let users = KafkaUser::ALL.into_iter();
    let users = users.filter_map(|user| Some((user.name(), user.operation()?)));
    let users = users.chain([(certificate, ALL)]);
    let acls = users.flat_map(|(user, operation)| {
        TOPICS.map(|topic| Acl {
            topic,
            user,
            operation,
        })
    });
    acls.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_names_its_owner_and_its_end() {
        let token = KafkaUser::Alice.token(-60);
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, ""] = parts[..] else {
            panic!("{token}");
        };
        let read = |part| -> serde_json::Value {
            serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(header), json!({"alg": "none"}));
        let claims = read(claims);
        assert_eq!(claims["sub"], "alice");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(claims["exp"].as_u64().unwrap() < now.as_secs());
        assert!(claims["iat"].as_u64() < claims["exp"].as_u64());
    }
}
