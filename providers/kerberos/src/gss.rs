//! The initiator of a GSS-API context with Kerberos (RFC 4121), as far as SASL needs it (RFC 4752).
//!
//! Messages are protected against change and not encrypted: SASL agrees on no security layer.
//! picky-krb reads and writes these tokens as well; its reader unwraps what a peer sends, and its
//! Wrap tokens are those with encryption.

use aws_lc_rs::constant_time;
use linkdial_core::{Code, Diagnosis};

use crate::der::{Der, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, application};
use crate::encryption::{EncryptionType, Key, Usage};
use crate::fault::{KerberosFault, Part};
use crate::kdc_answer::{self, Ticket, Unsealed};
use crate::kdc_error::KdcError;
use crate::kdc_request::{self, Authenticator, Moment, Unwritable};
use crate::keytab::how_to_write;
use crate::principal::Principal;
use crate::refusal::{Asked, Context};

/// 1.2.840.113554.1.2.2, the mechanism.
const MECHANISM: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];

/// What an initial token holds (RFC 4121, section 4.1).
const AP_REQUEST: [u8; 2] = [1, 0];
const AP_REPLY: [u8; 2] = [2, 0];
const ERROR: [u8; 2] = [3, 0];

/// The number of the message AP-REP (RFC 4120, section 5.5.2).
const AP_REPLY_MESSAGE: u8 = 15;

/// The checksum that carries what the initiator wants (RFC 4121, section 4.1.1): mutual
/// authentication, no replay, in order, protected against change.
const WANTS_CHECKSUM: u32 = 0x8003;
const WANTS: u32 = 0x02 | 0x04 | 0x08 | 0x20;

/// A Wrap token (RFC 4121, section 4.2.6.2): its number, its flags, the length of its head.
const WRAP: [u8; 2] = [5, 4];
const FROM_ACCEPTOR: u8 = 1;
const ENCRYPTED: u8 = 2;
const ACCEPTOR_SUBKEY: u8 = 4;
const HEAD: usize = 16;

/// The layer of SASL that protects nothing (RFC 4752, section 3.3).
const NO_LAYER: u8 = 1;

/// One context with one server: tokens go out and come in, in this order: [`Initiator::first`],
/// [`Initiator::accept`], [`Initiator::unwrap_layers`], [`Initiator::wrap_choice`].
#[derive(Debug)]
pub struct Initiator {
    client: Principal,
    server: Principal,
    kvno: Option<u32>,
    session: Key,
    subkey: Key,
    acceptor_subkey: Option<Key>,
    at: Moment,
    sequence: u32,
    token: Vec<u8>,
}

/// What a server offers in SASL's last round.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Layers {
    pub(crate) offered: u8,
}

impl Initiator {
    pub(crate) fn new(
        client: &Principal,
        ticket: &Ticket,
        unsealed: &Unsealed,
    ) -> Result<Self, Unwritable> {
        let session = unsealed.session.clone();
        let subkey = session.another().ok_or(Unwritable)?;
        let at = Moment::now();
        let sequence = kdc_request::random()?;
        let mut wants = 16_u32.to_le_bytes().to_vec();
        // No channel bindings.
        wants.extend([0; 16]);
        wants.extend(WANTS.to_le_bytes());
        let authenticator = Authenticator {
            client,
            at,
            checksum: (WANTS_CHECKSUM, wants),
            subkey: Some(&subkey),
            sequence: Some(sequence),
        };
        let request = kdc_request::show(ticket, &session, &authenticator)?;
        Ok(Self {
            client: client.clone(),
            server: ticket.server.clone(),
            kvno: ticket.kvno,
            token: framed(AP_REQUEST, &request),
            session,
            subkey,
            acceptor_subkey: None,
            at,
            sequence,
        })
    }

    /// Returns the principal of the server that the ticket is for.
    pub fn server(&self) -> &Principal {
        &self.server
    }

    /// Returns the version of the server's key, where the KDC told it.
    pub fn kvno(&self) -> Option<u32> {
        self.kvno
    }

    /// Returns the first token: the ticket, with the wish that the server proves itself.
    pub fn first(&self) -> Vec<u8> {
        self.token.clone()
    }

    /// Takes the server's token: its proof that it can read the ticket.
    ///
    /// # Errors
    ///
    /// `authenticate.service-refused` or `authenticate.clock-skew` where it is an error,
    /// `access.not-this-service` where it proves nothing.
    pub fn accept(&mut self, token: &[u8]) -> Result<(), KerberosFault> {
        let (number, message) = unframed(token).ok_or_else(|| self.impostor("its token"))?;
        if number == ERROR {
            let error = KdcError::read(message).ok_or_else(|| self.impostor("its error"))?;
            return Err(self.context().explain(&error));
        }
        let reply = (number == AP_REPLY)
            .then(|| reply_cipher(message))
            .flatten();
        let cipher = reply.filter(|(kind, _)| *kind == self.session.kind());
        let (_, cipher) = cipher.ok_or_else(|| self.impostor("its token"))?;
        let plain = self.session.decrypt(Usage::ApReply, &cipher);
        let plain = plain.map_err(|_| self.impostor("its proof"))?;
        let proof = Proof::read(&plain).ok_or_else(|| self.impostor("its proof"))?;
        if (proof.second, proof.micros) != (self.at.second, i64::from(self.at.micros)) {
            return Err(self.impostor("its proof"));
        }
        self.acceptor_subkey = proof.subkey;
        Ok(())
    }

    /// Takes the server's offer of security layers, the last thing it says in SASL.
    ///
    /// # Errors
    ///
    /// `access.not-this-service` where it is not the server's, `authenticate.mechanism-not-offered`
    /// where it does not do without a layer.
    pub fn unwrap_layers(&self, token: &[u8]) -> Result<(), KerberosFault> {
        let offer = self
            .unwrap(token)
            .ok_or_else(|| self.impostor("its offer"))?;
        let layers = match offer.as_slice() {
            [offered, _, _, _] => Layers { offered: *offered },
            _ => return Err(self.impostor("its offer")),
        };
        if layers.offered & NO_LAYER == 0 {
            let finding = Diagnosis::new(
                Code::AuthenticateMechanismNotOffered,
                "the server insists on a security layer of SASL",
            )
            .evidence("service", &self.server)
            .evidence("layers", format!("{:#04x}", layers.offered))
            .hint("let the server offer `auth`; TLS protects what is sent");
            return Err(KerberosFault::new(Part::Outside, finding));
        }
        Ok(())
    }

    /// Returns the client's choice: no security layer, and whom it acts for where that is somebody
    /// else.
    ///
    /// # Errors
    ///
    /// Never for a context that was accepted.
    pub fn wrap_choice(&self, acts_for: Option<&str>) -> Result<Vec<u8>, KerberosFault> {
        let mut choice = vec![NO_LAYER, 0, 0, 0];
        choice.extend_from_slice(acts_for.unwrap_or_default().as_bytes());
        self.wrap(&choice).ok_or_else(|| self.impostor("its key"))
    }

    /// Returns the finding of a server that refused the ticket in words of its own protocol.
    pub fn refused(&self, words: &str) -> KerberosFault {
        let finding = Diagnosis::new(
            Code::AuthenticateServiceRefused,
            format!(
                "the server does not accept the ticket for `{}`",
                self.server
            ),
        );
        let kvno = self.kvno.map(|kvno| kvno.to_string());
        let finding = self
            .context()
            .evidenced(finding)
            .evidence("ticket_kvno", kvno.unwrap_or_default())
            .evidence("answer", words)
            .hint(format!(
                "compare `kvno {}` with `klist -kte` of the server's keytab; {}",
                self.server.name(),
                how_to_write(&self.server)
            ));
        KerberosFault::new(Part::Service, finding)
    }

    fn context(&self) -> Context<'_> {
        Context {
            asked: Asked::Service(&self.server),
            client: &self.client,
            kdc: None,
            keytab: None,
        }
    }

    fn impostor(&self, what: &str) -> KerberosFault {
        let finding = Diagnosis::new(
            Code::AccessNotThisService,
            format!("the server does not prove that it is `{}`", self.server),
        )
        .evidence("unproved_by", what)
        .hint("something answers in the place of the server: do not send it anything");
        KerberosFault::new(Part::Outside, finding)
    }

    /// Writes a Wrap token without encryption: head, text, checksum of both.
    fn wrap(&self, text: &[u8]) -> Option<Vec<u8>> {
        let (key, subkey) = match &self.acceptor_subkey {
            Some(key) => (key, ACCEPTOR_SUBKEY),
            None => (&self.subkey, 0),
        };
        let mut head = [0; HEAD];
        head[..2].copy_from_slice(&WRAP);
        head[2] = subkey;
        head[3] = 0xff;
        head[8..].copy_from_slice(&u64::from(self.sequence).to_be_bytes());
        let summed = [text, &head].concat();
        let (_, sum) = key.checksum(Usage::InitiatorSeal, &summed).ok()?;
        // The count of the checksum's bytes counts as zero in the checksum itself.
        head[4..6].copy_from_slice(&u16::try_from(sum.len()).ok()?.to_be_bytes());
        Some([&head, text, &sum].concat())
    }

    /// Reads a Wrap token of the server and checks it.
    fn unwrap(&self, token: &[u8]) -> Option<Vec<u8>> {
        let (head, body) = token.split_first_chunk::<HEAD>()?;
        let flags = head[2];
        if head[..2] != WRAP || flags & FROM_ACCEPTOR == 0 || flags & ENCRYPTED != 0 {
            return None;
        }
        let key = if flags & ACCEPTOR_SUBKEY == 0 {
            &self.subkey
        } else {
            self.acceptor_subkey.as_ref()?
        };
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let rotated = usize::from(u16::from_be_bytes([head[6], head[7]]));
        let mut body = body.to_vec();
        if !body.is_empty() {
            let by = rotated % body.len();
            body.rotate_left(by);
        }
        let (text, sum) = body.split_at_checked(body.len().checked_sub(length)?)?;
        let mut head = *head;
        head[4..8].fill(0);
        let summed = [text, &head].concat();
        let (_, expected) = key.checksum(Usage::AcceptorSeal, &summed).ok()?;
        constant_time::verify_slices_are_equal(&expected, sum).ok()?;
        Some(text.to_vec())
    }
}

/// What only the server can know: the moment in our authenticator, encrypted.
struct Proof {
    second: i64,
    micros: i64,
    subkey: Option<Key>,
}

impl Proof {
    fn read(plain: &[u8]) -> Option<Self> {
        let mut fields = Der::new(plain).expect(application(27))?.only(SEQUENCE)?;
        let second = fields.time_field(0)?.as_second();
        let micros = fields.number_field(1)?;
        let subkey = match fields.optional_field(2, SEQUENCE)? {
            Some(key) => Some(kdc_answer::key(key)?),
            None => None,
        };
        fields.optional_field(3, INTEGER)?;
        Some(Self {
            second,
            micros,
            subkey,
        })
    }
}

/// Feeds a token to every reader of a context whose keys are known.
pub(crate) fn fuzz(key: &Key, token: &[u8]) {
    let server: Principal = "kafka/broker@REALM".parse().expect("it is a principal");
    let mut initiator = Initiator {
        client: "alice@REALM".parse().expect("it is a principal"),
        server,
        kvno: Some(1),
        session: key.clone(),
        subkey: key.clone(),
        acceptor_subkey: None,
        at: Moment::now(),
        sequence: 1,
        token: Vec::new(),
    };
    if let Some((_, message)) = unframed(token) {
        drop(reply_cipher(message));
    }
    drop(Proof::read(token));
    // Nobody proves a moment that has just been made up.
    assert!(initiator.accept(token).is_err());
    drop(initiator.unwrap_layers(token));
    assert!(initiator.wrap_choice(None).is_ok() || key.bytes().is_empty());
}

/// Returns what is encrypted in an AP-REP, and with which type of key.
fn reply_cipher(message: &[u8]) -> Option<(EncryptionType, Vec<u8>)> {
    let mut fields = Der::new(message)
        .only(application(AP_REPLY_MESSAGE))?
        .only(SEQUENCE)?;
    let (version, number) = (fields.number_field(0)?, fields.number_field(1)?);
    if (version, number) != (5, i64::from(AP_REPLY_MESSAGE)) {
        return None;
    }
    let (kind, _, cipher) = kdc_answer::encrypted(fields.field(2, SEQUENCE)?)?;
    fields.is_empty().then_some((kind, cipher))
}

/// Puts the frame of GSS-API around a message (RFC 2743, section 3.1).
fn framed(number: [u8; 2], message: &[u8]) -> Vec<u8> {
    let mut inner = vec![OBJECT_IDENTIFIER, 9];
    inner.extend(MECHANISM);
    inner.extend(number);
    inner.extend_from_slice(message);
    let mut token = vec![application(0)];
    let length = inner.len().to_be_bytes();
    let zeros = length.iter().take_while(|it| **it == 0).count();
    let digits = &length[zeros..];
    if inner.len() >= 0x80 {
        token.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
    }
    token.extend(digits);
    token.extend(inner);
    token
}

fn unframed(token: &[u8]) -> Option<([u8; 2], &[u8])> {
    let mut inner = Der::new(token).only(application(0))?;
    let mechanism = inner.expect(OBJECT_IDENTIFIER)?;
    if mechanism.bytes() != MECHANISM {
        return None;
    }
    let (number, message) = inner.bytes().split_first_chunk()?;
    Some((*number, message))
}
