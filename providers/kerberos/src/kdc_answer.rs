//! What a KDC answers: AS-REP, TGS-REP (RFC 4120, section 5.4.2), or an error.

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::der::{BIT_STRING, Der, INTEGER, OCTET_STRING, SEQUENCE, application, context};
use crate::encryption::{EncryptionType, Key, Usage};
use crate::kdc_error::KdcError;
use crate::principal::Principal;

/// The numbers of the messages.
const AS_REPLY: u8 = 11;
const TGS_REPLY: u8 = 13;
const ERROR: u8 = 30;

/// The encrypted parts; some KDCs use that of a TGS-REP for both.
const AS_PART: u8 = 25;
const TGS_PART: u8 = 26;

/// One answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Reply(Box<KdcReply>),
    Error(KdcError),
}

/// A ticket, and what the client needs to use it, still encrypted.
#[derive(Debug)]
pub(crate) struct KdcReply {
    pub(crate) client: Principal,
    pub(crate) ticket: Ticket,
    /// The encryption type of what is for the client.
    pub(crate) kind: EncryptionType,
    /// The version of the key that it was encrypted with, where that is the client's.
    pub(crate) kvno: Option<u32>,
    cipher: Vec<u8>,
}

/// A ticket as it was sent, with what can be read of it.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) realm: String,
    pub(crate) server: Principal,
    pub(crate) kind: EncryptionType,
    pub(crate) kvno: Option<u32>,
    pub(crate) cipher: Vec<u8>,
    /// The type of the server's name, which goes back as it came.
    pub(crate) name_type: u8,
}

/// What only the client can read of an answer.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) session: Key,
    pub(crate) ends: Timestamp,
    pub(crate) authenticated: Timestamp,
    /// When the client's key or its account ends, whichever comes first, where the KDC tells.
    pub(crate) key_expires: Option<Timestamp>,
    pub(crate) server: Principal,
}

/// Why the client's part of an answer is of no use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sealed {
    /// The key does not fit.
    WrongKey,
    /// It can be read and is not an answer to what was asked.
    NotOurs,
}

impl Answer {
    /// Reads an answer; `None` where it is none of Kerberos.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, _) = Der::new(bytes).next()?;
        if tag == application(ERROR) {
            return KdcError::read(bytes).map(Self::Error);
        }
        if tag != application(AS_REPLY) && tag != application(TGS_REPLY) {
            return None;
        }
        KdcReply::read(Der::new(bytes).only(tag)?).map(|it| Self::Reply(Box::new(it)))
    }
}

impl KdcReply {
    fn read(message: Der<'_>) -> Option<Self> {
        let mut fields = message.only(SEQUENCE)?;
        fields.number_field(0)?;
        fields.number_field(1)?;
        fields.optional(context(2))?;
        let realm = fields.text_field(3)?;
        let (components, _) = name(fields.field(4, SEQUENCE)?)?;
        let ticket = Ticket::read(fields.expect(context(5))?)?;
        let (kind, kvno, cipher) = encrypted(fields.field(6, SEQUENCE)?)?;
        Some(Self {
            client: Principal { components, realm },
            ticket,
            kind,
            kvno,
            cipher,
        })
    }

    /// Returns the client's part in the clear.
    pub(crate) fn decrypted(&self, key: &Key, usage: Usage) -> Result<Zeroizing<Vec<u8>>, Sealed> {
        let plain = key.decrypt(usage, &self.cipher);
        plain.map_err(|_| Sealed::WrongKey)
    }

    /// Reads the client's part, and holds it against the nonce of the request.
    pub(crate) fn unseal(&self, key: &Key, usage: Usage, nonce: u32) -> Result<Unsealed, Sealed> {
        let plain = self.decrypted(key, usage)?;
        let (unsealed, answered) = Unsealed::read(&plain).ok_or(Sealed::NotOurs)?;
        if answered != i64::from(nonce) {
            return Err(Sealed::NotOurs);
        }
        Ok(unsealed)
    }
}

impl Ticket {
    /// Reads a ticket as it stands in a cache.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(Der::new(bytes))
    }

    fn read(message: Der<'_>) -> Option<Self> {
        let mut fields = message.only(application(1))?.only(SEQUENCE)?;
        fields.number_field(0)?;
        let realm = fields.text_field(1)?;
        let (components, name_type) = name(fields.field(2, SEQUENCE)?)?;
        let (kind, kvno, cipher) = encrypted(fields.field(3, SEQUENCE)?)?;
        Some(Self {
            server: Principal {
                components,
                realm: realm.clone(),
            },
            realm,
            kind,
            kvno,
            cipher,
            name_type,
        })
    }
}

impl Unsealed {
    pub(crate) fn read(plain: &[u8]) -> Option<(Self, i64)> {
        let (tag, message) = Der::new(plain).next()?;
        if tag != application(AS_PART) && tag != application(TGS_PART) {
            return None;
        }
        let mut fields = message.only(SEQUENCE)?;
        let session = key(fields.field(0, SEQUENCE)?)?;
        fields.expect(context(1))?;
        let nonce = fields.number_field(2)?;
        let key_expires = fields.optional_time_field(3)?;
        fields.field(4, BIT_STRING)?;
        let authenticated = fields.time_field(5)?;
        fields.optional_time_field(6)?;
        let ends = fields.time_field(7)?;
        fields.optional_time_field(8)?;
        let realm = fields.text_field(9)?;
        let (components, _) = name(fields.field(10, SEQUENCE)?)?;
        let unsealed = Self {
            session,
            ends,
            authenticated,
            key_expires,
            server: Principal { components, realm },
        };
        Some((unsealed, nonce))
    }
}

/// Reads an `EncryptionKey`.
pub(crate) fn key(mut fields: Der<'_>) -> Option<Key> {
    let kind = i32::try_from(fields.number_field(0)?).ok()?;
    let bytes = fields.field(1, OCTET_STRING)?;
    Some(Key::new(EncryptionType(kind), bytes.bytes()))
}

/// Reads an `EncryptedData`: type, version of the key, cipher.
pub(crate) fn encrypted(mut fields: Der<'_>) -> Option<(EncryptionType, Option<u32>, Vec<u8>)> {
    let kind = i32::try_from(fields.number_field(0)?).ok()?;
    let kvno = match fields.optional_field(1, INTEGER)? {
        // Some KDCs send it as a signed number.
        Some(kvno) => Some(kvno.number()? & 0xffff_ffff),
        None => None,
    };
    let cipher = fields.field(2, OCTET_STRING)?;
    Some((
        EncryptionType(kind),
        kvno.and_then(|it| u32::try_from(it).ok()),
        cipher.bytes().to_vec(),
    ))
}

/// Reads a `PrincipalName`: its parts and its type.
fn name(mut fields: Der<'_>) -> Option<(Vec<String>, u8)> {
    let kind = fields.number_field(0)?;
    let mut parts = fields.field(1, SEQUENCE)?;
    let mut components = Vec::new();
    while !parts.is_empty() {
        components.push(parts.next()?.1.text());
    }
    Some((components, u8::try_from(kind).unwrap_or(0)))
}
