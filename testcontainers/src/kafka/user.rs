use super::admin::{ALL, Acl, DESCRIBE, READ, WRITE};
use crate::token_issuer;

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

    /// A token without a signature, for [`KafkaListener::OauthBearer`], that lives so many seconds
    /// from now; with a negative number it has expired.
    ///
    /// [`KafkaListener::OauthBearer`]: crate::KafkaListener::OauthBearer
    pub fn unsigned_token(self, seconds: i64) -> String {
        token_issuer::unsigned_token(self.name(), seconds)
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
pub(super) fn rights(certificate: &'static str) -> Vec<Acl<'static>> {
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
