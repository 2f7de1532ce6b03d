//! What a `NameNode` offers, asked before any login: one round trip of Hadoop's RPC.
//!
//! Messages and numbers: `RpcHeader.proto` and `Server.java` of Apache Hadoop.

use std::io;
use std::time::Duration;

use linkdial_core::net::{Dialled, name_protocol};
use linkdial_core::{Code, Diagnosis, Endpoint, Role};
use prost::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::keys::{AUTHENTICATION, RPC_PROTECTION};

/// `hrpc`, version 9, no service class, authentication by SASL.
const CONNECTION_HEADER: [u8; 7] = [b'h', b'r', b'p', b'c', 9, 0, 0xdf];

/// The number of a call that belongs to SASL.
const SASL_CALL: i32 = -33;

/// No greeting is longer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// What is read of another protocol, in bytes, and how long it is waited for.
const MORE: u64 = 60;
const PATIENCE: Duration = Duration::from_millis(100);

/// `RpcSaslProto.SaslState`.
const NEGOTIATE: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct RequestHeader {
    #[prost(int32, tag = "1")]
    rpc_kind: i32,
    #[prost(int32, optional, tag = "2")]
    rpc_op: Option<i32>,
    #[prost(sint32, tag = "3")]
    call_id: i32,
    #[prost(bytes = "vec", optional, tag = "4")]
    client_id: Option<Vec<u8>>,
    #[prost(sint32, optional, tag = "5")]
    retry_count: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct ResponseHeader {
    #[prost(uint32, tag = "1")]
    call_id: u32,
    #[prost(int32, tag = "2")]
    status: i32,
    #[prost(string, optional, tag = "4")]
    exception: Option<String>,
    #[prost(string, optional, tag = "5")]
    error: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Sasl {
    #[prost(uint32, optional, tag = "1")]
    version: Option<u32>,
    #[prost(int32, tag = "2")]
    state: i32,
    #[prost(message, repeated, tag = "4")]
    auths: Vec<SaslAuth>,
}

#[derive(Clone, PartialEq, Message)]
struct SaslAuth {
    #[prost(string, tag = "1")]
    method: String,
    #[prost(string, tag = "2")]
    mechanism: String,
    #[prost(string, optional, tag = "3")]
    protocol: Option<String>,
    #[prost(string, optional, tag = "4")]
    server_id: Option<String>,
    #[prost(bytes = "vec", optional, tag = "5")]
    challenge: Option<Vec<u8>>,
}

/// What a `NameNode` takes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Offer {
    /// Anybody, under any name.
    pub(crate) simple: bool,
    /// Tickets for this service and this host.
    pub(crate) kerberos: Option<(String, String)>,
    /// Its levels of protection of calls, in Hadoop's words; empty where it does not say.
    pub(crate) protections: Vec<&'static str>,
    /// Its methods, as it names them.
    pub(crate) methods: Vec<String>,
}

/// What every client's first call begins with.
fn request_header() -> RequestHeader {
    RequestHeader {
        rpc_kind: 2,
        rpc_op: Some(0),
        call_id: SASL_CALL,
        client_id: Some(Vec::new()),
        retry_count: Some(-1),
    }
}

/// Asks for the offer. A peer that is no `NameNode` is a finding.
pub(crate) async fn ask(stream: &mut Dialled, endpoint: &Endpoint) -> Result<Offer, Diagnosis> {
    let body = Sasl {
        version: None,
        state: NEGOTIATE,
        auths: Vec::new(),
    };
    let mut call = request_header().encode_length_delimited_to_vec();
    call.extend(body.encode_length_delimited_to_vec());
    let length = u32::try_from(call.len()).unwrap_or_default();
    let request = [&CONNECTION_HEADER[..], &length.to_be_bytes(), &call].concat();
    let sent = async {
        stream.write_all(&request).await?;
        stream.flush().await
    };
    if let Err(error) = sent.await {
        return Err(stream.context().explain(&error));
    }
    let frame = match read(stream).await {
        Ok(frame) => frame,
        Err(Unread::Io(error)) => return Err(stream.context().explain(&error)),
        Err(Unread::Foreign(bytes)) => return Err(not_a_namenode(endpoint, &bytes)),
    };
    judge(endpoint, &frame)
}

/// Reads the offer in a frame.
fn judge(endpoint: &Endpoint, frame: &[u8]) -> Result<Offer, Diagnosis> {
    let mut rest = frame;
    let Ok(header) = ResponseHeader::decode_length_delimited(&mut rest) else {
        return Err(not_a_namenode(endpoint, frame));
    };
    if header.status != 0 {
        return Err(refused(endpoint, &header));
    }
    match Sasl::decode_length_delimited(&mut rest) {
        Ok(sasl) if sasl.state == NEGOTIATE => Ok(Offer::of(&sasl.auths)),
        _ => Err(not_a_namenode(endpoint, frame)),
    }
}

/// Feeds a frame to the readers of this module.
pub(crate) fn fuzz(bytes: &[u8]) {
    let endpoint = Endpoint::new(Role::Namenode, "namenode.example", 8020);
    if let Ok(offer) = judge(&endpoint, bytes) {
        assert!(offer.methods.len() <= 10 && offer.protections.len() <= bytes.len());
    }
    protections(bytes);
}

enum Unread {
    Io(io::Error),
    /// Its first bytes; none where it hung up.
    Foreign(Vec<u8>),
}

/// Reads one frame; the buffer grows as its bytes come, whatever length it claims.
async fn read(stream: &mut Dialled) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    let mut wanted = 4;
    loop {
        if let Some(length) = bytes.first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX_ANSWER {
                // Four bytes name few protocols.
                let mut rest = (&mut *stream).take(MORE);
                let more = rest.read_buf(&mut bytes);
                drop(tokio::time::timeout(PATIENCE, more).await);
                return Err(Unread::Foreign(bytes));
            }
            if length == 0 {
                return Err(Unread::Foreign(bytes));
            }
            wanted = 4 + length;
            if bytes.len() >= wanted {
                return Ok(bytes[4..wanted].to_vec());
            }
        }
        let left = u64::try_from(wanted - bytes.len()).unwrap_or_default();
        match (&mut *stream).take(left).read_buf(&mut bytes).await {
            Ok(0) => return Err(Unread::Foreign(bytes)),
            Ok(_) => {}
            Err(error) => return Err(Unread::Io(error)),
        }
    }
}

impl Offer {
    fn of(auths: &[SaslAuth]) -> Self {
        let kerberos = auths.iter().find(|it| it.method == "KERBEROS");
        let challenge = auths.iter().find_map(|it| it.challenge.as_deref());
        let methods = auths.iter().map(|it| it.method.chars().take(40).collect());
        Self {
            simple: auths.iter().any(|it| it.method == "SIMPLE"),
            kerberos: kerberos.and_then(|it| Some((it.protocol.clone()?, it.server_id.clone()?))),
            protections: challenge.map(protections).unwrap_or_default(),
            methods: methods.take(10).collect(),
        }
    }
}

/// Reads the list `qop` of a challenge of DIGEST-MD5 (RFC 2831, section 2.1.1): the `NameNode` has the
/// same levels for every mechanism.
pub(crate) fn protections(challenge: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(challenge);
    let Some((_, rest)) = text.split_once("qop=\"") else {
        return Vec::new();
    };
    let list = rest.split('"').next().unwrap_or_default();
    let level = |word: &str| match word.trim() {
        "auth" => Some("authentication"),
        "auth-int" => Some("integrity"),
        "auth-conf" => Some("privacy"),
        _ => None,
    };
    let mut levels: Vec<_> = list.split(',').filter_map(level).collect();
    levels.dedup();
    levels
}

/// Returns the finding that something else than a `NameNode` answers.
fn not_a_namenode(endpoint: &Endpoint, bytes: &[u8]) -> Diagnosis {
    let what = if bytes.is_empty() {
        "hung up without a word".to_owned()
    } else {
        format!("speaks {}", name_protocol(bytes))
    };
    Diagnosis::new(
        Code::AccessNotThisService,
        format!("{endpoint} is no NameNode: it {what}"),
    )
    .evidence("first_bytes", String::from_utf8_lossy(&bytes[..bytes.len().min(32)]).escape_debug())
    .hint(
        "name the port of the NameNode's calls, usually 8020 or 9000; 9870 is its web page, and 9866 \
         belongs to a DataNode",
    )
}

/// A server that speaks Hadoop's RPC and does not want to speak to us.
fn refused(endpoint: &Endpoint, header: &ResponseHeader) -> Diagnosis {
    Diagnosis::new(
        Code::AccessRequestRefused,
        format!("{endpoint} speaks Hadoop's RPC and refuses to begin"),
    )
    .evidence("exception", header.exception.as_deref().unwrap_or_default())
    .evidence("remote_message", first_line(header.error.as_deref().unwrap_or_default()))
    .hint(format!("the server's own log says more; `{AUTHENTICATION}` and `{RPC_PROTECTION}` decide how it is asked"))
}

/// Java answers with a whole stack.
pub(crate) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_that_of_the_protocol() {
        // As Hadoop's own client writes it.
        let expected = [8, 2, 16, 0, 24, 0x41, 34, 0, 40, 1];
        assert_eq!(request_header().encode_to_vec(), expected);
    }

    #[test]
    fn levels_of_protection_have_hadoops_names() {
        let challenge = b"realm=\"default\",nonce=\"x\",qop=\"auth,auth-conf\",charset=utf-8";
        assert_eq!(protections(challenge), ["authentication", "privacy"]);
        assert!(protections(b"nonce=\"x\"").is_empty());
    }

    #[test]
    fn an_offer_names_the_service() {
        let auth = |method: &str, mechanism: &str| SaslAuth {
            method: method.to_owned(),
            mechanism: mechanism.to_owned(),
            ..SaslAuth::default()
        };
        let kerberos = SaslAuth {
            protocol: Some("nn".to_owned()),
            server_id: Some("localhost".to_owned()),
            ..auth("KERBEROS", "GSSAPI")
        };
        let offer = Offer::of(&[auth("TOKEN", "DIGEST-MD5"), kerberos]);
        assert!(!offer.simple);
        assert_eq!(
            offer.kerberos,
            Some(("nn".to_owned(), "localhost".to_owned()))
        );
        assert_eq!(offer.methods, ["TOKEN", "KERBEROS"]);
        assert!(Offer::of(&[auth("SIMPLE", "")]).simple);
    }
}
