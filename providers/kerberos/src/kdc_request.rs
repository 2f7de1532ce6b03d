//! What is asked: AS-REQ, TGS-REQ, AP-REQ (RFC 4120, sections 5.4.1 and 5.5.1), written by picky-krb.

use aws_lc_rs::rand;
use jiff::Timestamp;
use jiff::tz::Offset;
use picky_asn1::bit_string::BitString;
use picky_asn1::date::GeneralizedTime;
use picky_asn1::restricted_string::Ia5String;
use picky_asn1::wrapper::{
    Asn1SequenceOf, ExplicitContextTag0, ExplicitContextTag1, ExplicitContextTag2,
    ExplicitContextTag3, ExplicitContextTag4, ExplicitContextTag5, ExplicitContextTag6,
    ExplicitContextTag7, ExplicitContextTag8, GeneralStringAsn1, GeneralizedTimeAsn1, IntegerAsn1,
    OctetStringAsn1, Optional,
};
use picky_asn1_der::application_tag::ApplicationTag;
use picky_krb::data_types::{
    AuthenticatorInner, Checksum, EncryptedData, EncryptionKey, PaData, PaEncTsEnc, PrincipalName,
    TicketInner,
};
use picky_krb::messages::{ApReqInner, KdcReq, KdcReqBody};
use serde::Serialize;

use crate::encryption::{EncryptionType, Key, Usage};
use crate::kdc_answer::Ticket;
use crate::principal::Principal;

/// The version of Kerberos.
const VERSION: u32 = 5;

/// The numbers of the messages.
const AS_REQUEST: u8 = 10;
const TGS_REQUEST: u8 = 12;
const AP_REQUEST: u8 = 14;

/// Types of names (RFC 4120, section 6.2).
const NAME_PRINCIPAL: u8 = 1;
const NAME_SERVICE: u8 = 2;
const NAME_HOST: u8 = 3;

/// The proofs that are sent (RFC 4120, section 7.5.2).
const TGS_PROOF: u8 = 1;
const TIMESTAMP_PROOF: u8 = 2;

/// The KDC may name another realm (RFC 6806, section 3).
const CANONICALIZE: u32 = 0x0001_0000;

/// The server has to prove itself as well.
const MUTUAL: u32 = 0x2000_0000;

/// A name is not in ASCII, the clock is beyond its range, or this machine has no randomness.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unwritable;

type Written = Result<Vec<u8>, Unwritable>;

/// A moment with the precision that Kerberos has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Moment {
    /// Since 1970, in seconds.
    pub(crate) second: i64,
    /// Of that second, in microseconds.
    pub(crate) micros: u32,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let now = Timestamp::now();
        Self {
            second: now.as_second(),
            micros: u32::try_from(now.subsec_microsecond()).unwrap_or(0),
        }
    }
}

/// Returns a number that nobody guesses, of 30 bits: some peers take a signed one.
pub(crate) fn random() -> Result<u32, Unwritable> {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).map_err(|_| Unwritable)?;
    Ok(u32::from_be_bytes(bytes) >> 2)
}

/// Asks for the ticket that gets others; with a key, proves the client by a timestamp.
pub(crate) fn initial(
    client: &Principal,
    kinds: &[EncryptionType],
    nonce: u32,
    proof: Option<&Key>,
) -> Written {
    let proof = proof.map(timestamp).transpose()?;
    let server = Principal::ticket_granting(&client.realm, &client.realm);
    let body = KdcReqBody {
        cname: Optional(Some(ExplicitContextTag1(name(client, NAME_PRINCIPAL)?))),
        ..body(&server, NAME_SERVICE, kinds, nonce, 0)?
    };
    der(&ApplicationTag::<_, AS_REQUEST>(request(
        AS_REQUEST, proof, body,
    )))
}

/// Asks for a ticket to a server, with the ticket that gets others.
pub(crate) fn ticket(
    client: &Principal,
    granting: &Ticket,
    session: &Key,
    server: &Principal,
    nonce: u32,
) -> Written {
    // Types that are not computed go last: that the KDC has a ticket is worth knowing.
    let kinds = EncryptionType::CURRENT;
    let kind = if server.grants_for().is_some() {
        NAME_SERVICE
    } else {
        NAME_HOST
    };
    let body = body(server, kind, &kinds, nonce, CANONICALIZE)?;
    let summed = session.checksum(Usage::TgsRequestChecksum, &der(&body)?);
    let (number, sum) = summed.map_err(|_| Unwritable)?;
    let authenticator = Authenticator {
        client,
        at: Moment::now(),
        checksum: (u32::from(number), sum),
        subkey: None,
        sequence: None,
    };
    let usage = Usage::TgsRequestAuthenticator;
    let proof = application(granting, session, &authenticator, usage, 0)?;
    let proof = proof_of(TGS_PROOF, proof);
    der(&ApplicationTag::<_, TGS_REQUEST>(request(
        TGS_REQUEST,
        Some(proof),
        body,
    )))
}

/// Shows a ticket to its server, which is asked to prove itself in turn.
pub(crate) fn show(ticket: &Ticket, session: &Key, authenticator: &Authenticator<'_>) -> Written {
    let usage = Usage::ApRequestAuthenticator;
    application(ticket, session, authenticator, usage, MUTUAL)
}

/// What goes with a ticket to show that it is ours.
#[derive(Debug)]
pub(crate) struct Authenticator<'a> {
    pub(crate) client: &'a Principal,
    pub(crate) at: Moment,
    /// Number of its type, and the checksum.
    pub(crate) checksum: (u32, Vec<u8>),
    pub(crate) subkey: Option<&'a Key>,
    pub(crate) sequence: Option<u32>,
}

fn application(
    ticket: &Ticket,
    session: &Key,
    authenticator: &Authenticator<'_>,
    usage: Usage,
    options: u32,
) -> Written {
    let (number, sum) = &authenticator.checksum;
    let subkey = authenticator.subkey.map(|key| {
        ExplicitContextTag6(EncryptionKey {
            key_type: ExplicitContextTag0(kind_number(key.kind())),
            key_value: ExplicitContextTag1(OctetStringAsn1(key.bytes().to_vec())),
        })
    });
    let plain = der(&ApplicationTag::<_, 2>(AuthenticatorInner {
        authenticator_vno: ExplicitContextTag0(integer(VERSION)),
        crealm: ExplicitContextTag1(text(&authenticator.client.realm)?),
        cname: ExplicitContextTag2(name(authenticator.client, NAME_PRINCIPAL)?),
        cksum: Optional(Some(ExplicitContextTag3(Checksum {
            cksumtype: ExplicitContextTag0(integer(*number)),
            checksum: ExplicitContextTag1(OctetStringAsn1(sum.clone())),
        }))),
        cusec: ExplicitContextTag4(integer(authenticator.at.micros)),
        ctime: ExplicitContextTag5(time(authenticator.at.second)?),
        subkey: Optional(subkey),
        seq_number: Optional(
            authenticator
                .sequence
                .map(|it| ExplicitContextTag7(integer(it))),
        ),
        authorization_data: Optional(None),
    }))?;
    der(&ApplicationTag::<_, AP_REQUEST>(ApReqInner {
        pvno: ExplicitContextTag0(integer(VERSION)),
        msg_type: ExplicitContextTag1(integer(u32::from(AP_REQUEST))),
        ap_options: ExplicitContextTag2(flags(options)),
        ticket: ExplicitContextTag3(ApplicationTag(TicketInner {
            tkt_vno: ExplicitContextTag0(integer(VERSION)),
            realm: ExplicitContextTag1(text(&ticket.realm)?),
            sname: ExplicitContextTag2(name(&ticket.server, ticket.name_type)?),
            enc_part: ExplicitContextTag3(encrypted(
                ticket.kind,
                ticket.kvno,
                ticket.cipher.clone(),
            )),
        })),
        authenticator: ExplicitContextTag4(sealed(session, usage, &plain)?),
    }))
}

/// Proves a key by the time that it encrypts.
fn timestamp(key: &Key) -> Result<PaData, Unwritable> {
    let now = Moment::now();
    let plain = der(&PaEncTsEnc {
        patimestamp: ExplicitContextTag0(time(now.second)?),
        pausec: Optional(Some(ExplicitContextTag1(integer(now.micros)))),
    })?;
    let sealed = sealed(key, Usage::Preauthentication, &plain)?;
    Ok(proof_of(TIMESTAMP_PROOF, der(&sealed)?))
}

fn proof_of(number: u8, value: Vec<u8>) -> PaData {
    PaData {
        padata_type: ExplicitContextTag1(integer(u32::from(number))),
        padata_data: ExplicitContextTag2(OctetStringAsn1(value)),
    }
}

fn request(message: u8, proof: Option<PaData>, body: KdcReqBody) -> KdcReq {
    let proofs = proof.map(|it| ExplicitContextTag3(Asn1SequenceOf(vec![it])));
    KdcReq {
        pvno: ExplicitContextTag1(integer(VERSION)),
        msg_type: ExplicitContextTag2(integer(u32::from(message))),
        padata: Optional(proofs),
        req_body: ExplicitContextTag4(body),
    }
}

fn body(
    server: &Principal,
    name_type: u8,
    kinds: &[EncryptionType],
    nonce: u32,
    options: u32,
) -> Result<KdcReqBody, Unwritable> {
    // As long as the KDC gives it.
    let till = GeneralizedTime::new(2037, 9, 13, 2, 48, 5).ok_or(Unwritable)?;
    let kinds = kinds.iter().map(|it| kind_number(*it)).collect();
    Ok(KdcReqBody {
        kdc_options: ExplicitContextTag0(flags(options)),
        cname: Optional(None),
        realm: ExplicitContextTag2(text(&server.realm)?),
        sname: Optional(Some(ExplicitContextTag3(name(server, name_type)?))),
        from: Optional(None),
        till: ExplicitContextTag5(GeneralizedTimeAsn1(till)),
        rtime: Optional(None),
        nonce: ExplicitContextTag7(integer(nonce)),
        etype: ExplicitContextTag8(Asn1SequenceOf(kinds)),
        addresses: Optional(None),
        enc_authorization_data: Optional(None),
        additional_tickets: Optional(None),
    })
}

fn sealed(key: &Key, usage: Usage, plain: &[u8]) -> Result<EncryptedData, Unwritable> {
    let cipher = key.encrypt(usage, plain).map_err(|_| Unwritable)?;
    Ok(encrypted(key.kind(), None, cipher))
}

fn encrypted(kind: EncryptionType, kvno: Option<u32>, cipher: Vec<u8>) -> EncryptedData {
    EncryptedData {
        etype: ExplicitContextTag0(kind_number(kind)),
        kvno: Optional(kvno.map(|it| ExplicitContextTag1(integer(it)))),
        cipher: ExplicitContextTag2(OctetStringAsn1(cipher)),
    }
}

fn name(principal: &Principal, kind: u8) -> Result<PrincipalName, Unwritable> {
    let parts: Result<Vec<_>, _> = principal.components.iter().map(|it| text(it)).collect();
    Ok(PrincipalName {
        name_type: ExplicitContextTag0(integer(u32::from(kind))),
        name_string: ExplicitContextTag1(Asn1SequenceOf(parts?)),
    })
}

fn text(text: &str) -> Result<GeneralStringAsn1, Unwritable> {
    let text = Ia5String::new(text).map_err(|_| Unwritable)?;
    Ok(GeneralStringAsn1(text))
}

fn integer(number: u32) -> IntegerAsn1 {
    IntegerAsn1::from_bytes_be_unsigned(number.to_be_bytes().to_vec())
}

fn kind_number(kind: EncryptionType) -> IntegerAsn1 {
    IntegerAsn1::from_bytes_be_signed(kind.0.to_be_bytes().to_vec())
}

fn flags(bits: u32) -> picky_asn1::wrapper::BitStringAsn1 {
    BitString::with_bytes(bits.to_be_bytes().to_vec()).into()
}

fn time(second: i64) -> Result<GeneralizedTimeAsn1, Unwritable> {
    let time = Timestamp::from_second(second).map_err(|_| Unwritable)?;
    let time = Offset::UTC.to_datetime(time);
    let part = |number: i8| u8::try_from(number).map_err(|_| Unwritable);
    let written = GeneralizedTime::new(
        u16::try_from(time.year()).map_err(|_| Unwritable)?,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
    );
    Ok(GeneralizedTimeAsn1(written.ok_or(Unwritable)?))
}

fn der(value: &impl Serialize) -> Written {
    picky_asn1_der::to_vec(value).map_err(|_| Unwritable)
}
