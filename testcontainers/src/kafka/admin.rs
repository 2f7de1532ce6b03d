//! Users and their rights, over the same protocol.

use std::io;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::wire::{Api, Client, Fields, invalid, put_i16, put_i32, put_string};

const DESCRIBE_ACLS: Api = (29, 1);
const CREATE_ACLS: Api = (30, 1);
const ALTER_SCRAM_CREDENTIALS: Api = (51, 0);

/// What is spoken here.
pub(super) const APIS: [Api; 3] = [DESCRIBE_ACLS, CREATE_ACLS, ALTER_SCRAM_CREDENTIALS];

/// Operations of the protocol.
pub(super) const ALL: i8 = 2;
pub(super) const READ: i8 = 3;
pub(super) const WRITE: i8 = 4;
pub(super) const DESCRIBE: i8 = 8;

/// Returns the number of an operation, by the name that `kafka-acls.sh` has for it.
pub(super) fn operation(name: &str) -> Option<i8> {
    let known = [
        ("All", ALL),
        ("Read", READ),
        ("Write", WRITE),
        ("Describe", DESCRIBE),
    ];
    let mut named = known.iter().filter(|(known, _)| *known == name);
    named.next().map(|(_, number)| *number)
}

const ANY: i8 = 1;
const TOPIC: i8 = 2;
const LITERAL: i8 = 3;
const ALLOW: i8 = 3;

/// The fewest rounds that a broker takes.
const ROUNDS: i32 = 4096;

/// The right of a user to do something with a topic, from any host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acl<'a> {
    pub(super) topic: &'a str,
    pub(super) user: &'a str,
    pub(super) operation: i8,
}

/// What a broker keeps instead of a password.
#[derive(Debug)]
pub(super) struct Credential {
    user: &'static str,
    /// The mechanism's number.
    mechanism: i8,
    salt: Vec<u8>,
    salted: Vec<u8>,
}

impl Credential {
    /// One for SCRAM-SHA-256 and one for SCRAM-SHA-512.
    pub(super) fn both(user: &'static str, password: &str) -> [Self; 2] {
        // As good as any other for what is thrown away.
        let salt = format!("the salt of {user}").into_bytes();
        let salted_256 = salted::<Hmac<Sha256>>(password, &salt);
        let salted_512 = salted::<Hmac<Sha512>>(password, &salt);
        [(1, salted_256), (2, salted_512)].map(|(mechanism, salted)| Self {
            user,
            mechanism,
            salt: salt.clone(),
            salted,
        })
    }
}

/// `SaltedPassword` of RFC 5802.
fn salted<M: Mac + KeyInit + Clone>(password: &str, salt: &[u8]) -> Vec<u8> {
    let key = <M as KeyInit>::new_from_slice(password.as_bytes());
    let key = key.expect("HMAC takes a key of any length");
    let sign = |text: &[&[u8]]| {
        let mut mac = key.clone();
        for part in text {
            mac.update(part);
        }
        mac.finalize().into_bytes()
    };
    let mut last = sign(&[salt, &1_i32.to_be_bytes()]);
    let mut sum = last.to_vec();
    for _ in 1..ROUNDS {
        last = sign(&[&last]);
        for (sum, byte) in sum.iter_mut().zip(&last) {
            *sum ^= byte;
        }
    }
    sum
}

impl Client {
    /// Gives users their passwords and returns the broker's first error code, 0 for success.
    ///
    /// It takes one credential of a user at a time.
    pub(super) fn set_credentials<'a>(
        &self,
        credentials: impl ExactSizeIterator<Item = &'a Credential>,
    ) -> io::Result<i16> {
        // The header ends with tagged fields, as do all structures: none.
        let mut body = vec![0];
        put_compact_length(&mut body, 0);
        put_compact_length(&mut body, credentials.len());
        for credential in credentials {
            put_compact(&mut body, credential.user.as_bytes());
            body.extend(credential.mechanism.to_be_bytes());
            put_i32(&mut body, ROUNDS);
            put_compact(&mut body, &credential.salt);
            put_compact(&mut body, &credential.salted);
            body.push(0);
        }
        body.push(0);
        let answer = self.call(ALTER_SCRAM_CREDENTIALS, &body)?;
        let mut answer = Fields::new(&answer);
        let _tagged = answer.take::<1>()?;
        let _throttled = answer.i32()?;
        let users = answer.compact_length()?;
        let mut codes = Vec::new();
        for _ in 0..users {
            let _user = answer.compact()?;
            codes.push(answer.i16()?);
            let _message = answer.compact()?;
            let _tagged = answer.take::<1>()?;
        }
        Ok(first_error(codes))
    }

    /// Adds rights and returns the broker's first error code, 0 for success.
    pub(super) fn create_acls(&self, acls: &[Acl<'_>]) -> io::Result<i16> {
        let mut body = Vec::new();
        put_i32(
            &mut body,
            i32::try_from(acls.len()).map_err(io::Error::other)?,
        );
        for acl in acls {
            body.extend(TOPIC.to_be_bytes());
            put_string(&mut body, acl.topic)?;
            body.extend(LITERAL.to_be_bytes());
            put_string(&mut body, &format!("User:{}", acl.user))?;
            put_string(&mut body, "*")?;
            body.extend(acl.operation.to_be_bytes());
            body.extend(ALLOW.to_be_bytes());
        }
        let answer = self.call(CREATE_ACLS, &body)?;
        let mut answer = Fields::new(&answer);
        let _throttled = answer.i32()?;
        let codes = answer.array(|acl| {
            let code = acl.i16()?;
            let _message = acl.string()?;
            Ok(code)
        })?;
        if codes.len() != acls.len() {
            return Err(invalid("the answer lacks rights that were asked for"));
        }
        Ok(first_error(codes))
    }

    /// Counts the rights that the broker goes by.
    pub(super) fn count_acls(&self) -> io::Result<usize> {
        let mut body = Vec::new();
        body.extend(ANY.to_be_bytes());
        put_i16(&mut body, ABSENT);
        body.extend(ANY.to_be_bytes());
        put_i16(&mut body, ABSENT);
        put_i16(&mut body, ABSENT);
        body.extend(ANY.to_be_bytes());
        body.extend(ANY.to_be_bytes());
        let answer = self.call(DESCRIBE_ACLS, &body)?;
        let mut answer = Fields::new(&answer);
        let _throttled = answer.i32()?;
        if answer.i16()? != 0 {
            return Err(invalid("the broker has no rights to tell of"));
        }
        let _message = answer.string()?;
        let resources = answer.array(|resource| {
            let _kind = resource.take::<1>()?;
            let _name = resource.string()?;
            let _pattern = resource.take::<1>()?;
            let acls = resource.array(|acl| {
                let _who_and_where = (acl.string()?, acl.string()?);
                acl.take::<2>()
            })?;
            Ok(acls.len())
        })?;
        Ok(resources.into_iter().sum())
    }
}

/// The length of a string that is not there.
const ABSENT: i16 = -1;

fn first_error(codes: Vec<i16>) -> i16 {
    codes.into_iter().find(|code| *code != 0).unwrap_or(0)
}

/// A length of the newer versions: one more than it is, in groups of seven bits.
fn put_compact_length(to: &mut Vec<u8>, length: usize) {
    let mut rest = length + 1;
    while rest >= 0x80 {
        to.push(0x80 | u8::try_from(rest & 0x7f).expect("seven bits fit"));
        rest >>= 7;
    }
    to.push(u8::try_from(rest).expect("seven bits fit"));
}

fn put_compact(to: &mut Vec<u8>, bytes: &[u8]) {
    put_compact_length(to, bytes.len());
    to.extend(bytes);
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn password_is_salted_as_the_standard_has_it() {
        let decode = |text| BASE64.decode(text).unwrap();
        assert_eq!(
            salted::<Hmac<Sha256>>("pencil", &decode("W22ZaJ0SNY7soEsUEjb6gQ==")),
            decode("xKSVEDI6tPlSysH6mUQZOeeOp01r6B3fcJbodRPcYV0=")
        );
    }

    #[test]
    fn compact_lengths_are_read_as_they_were_written() {
        for length in [0, 1, 126, 127, 128, 20_000] {
            let mut bytes = Vec::new();
            put_compact_length(&mut bytes, length);
            assert_eq!(Fields::new(&bytes).compact_length().unwrap(), length);
        }
        assert!(Fields::new(&[0x80]).compact_length().is_err());
        assert!(Fields::new(&[0xff; 16]).compact_length().is_err());
        assert_eq!(Fields::new(&[0]).compact_length().unwrap(), 0);
    }
}
