//! A Kafka broker of few words: std sockets, one thread a connection, answers by script.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::{BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, MetadataRequest, MetadataResponse, RequestHeader,
    ResponseHeader, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use linkdial_testcontainers::ServerTls;

/// What a peer does.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) tls: Option<ServerTls>,
    /// Mechanisms of the listener; `None` for one without login.
    pub(crate) mechanisms: Option<Vec<&'static str>>,
    /// Brokers that it advertises; itself where there is none.
    pub(crate) brokers: Vec<(i32, String, i32)>,
    pub(crate) topics: Vec<Topic>,
    /// Answers nothing to this request.
    pub(crate) mute: Option<ApiKey>,
    /// Hangs up at this request.
    pub(crate) closes: Option<ApiKey>,
    /// Says that it is a controller.
    pub(crate) controller: bool,
    /// Takes every proof and gives a wrong one.
    pub(crate) impostor: bool,
    /// Takes every JWT of this user in place of [`TOKEN`].
    pub(crate) tokens_of: Option<&'static str>,
    /// The newest Metadata that it knows; 12 where it is 0.
    pub(crate) metadata: i16,
    /// Bytes in place of the answer to Metadata.
    pub(crate) garbage: Option<Vec<u8>>,
}

/// A topic as the peer tells of it.
#[derive(Clone, Default)]
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    pub(crate) error: i16,
    pub(crate) leaders: Vec<i32>,
    pub(crate) rights: i32,
}

/// The user that every peer knows.
pub(crate) const USER: &str = "reader";
pub(crate) const PASSWORD: &str = "r3ader-p4ss";
pub(crate) const TOKEN: &str = "opaque-t0ken";

/// A peer on a port of its own, for as long as the process lives.
pub(crate) struct Peer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) key: i16,
    pub(crate) version: i16,
    pub(crate) body: Bytes,
}

impl Peer {
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen) = (script.clone(), Arc::clone(&all));
                // A client that leaves early ends its own connection and nothing else.
                thread::spawn(move || drop(serve(stream, &script, address, &seen)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn target(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    script: &Script,
    address: SocketAddr,
    seen: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    match &script.tls {
        None => talk(stream, script, address, seen),
        Some(tls) => {
            let session = rustls::ServerConnection::new(Arc::clone(tls)).unwrap();
            talk(
                rustls::StreamOwned::new(session, stream),
                script,
                address,
                seen,
            )
        }
    }
}

fn talk(
    mut stream: impl Read + Write,
    script: &Script,
    address: SocketAddr,
    seen: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    let mut login = Login::default();
    loop {
        let mut length = [0; 4];
        if let Err(error) = stream.read_exact(&mut length) {
            stream.flush()?; // a TLS alert
            return Err(error);
        }
        let length = u32::from_be_bytes(length);
        if length > 1 << 20 {
            return Ok(()); // as a broker does with a TLS greeting
        }
        let mut frame = vec![0; length as usize];
        stream.read_exact(&mut frame)?;
        let mut frame = Bytes::from(frame);
        let key = i16::from_be_bytes([frame[0], frame[1]]);
        let version = i16::from_be_bytes([frame[2], frame[3]]);
        let api = ApiKey::try_from(key).unwrap();
        let header =
            RequestHeader::decode(&mut frame, api.request_header_version(version)).unwrap();
        let body = frame.clone();
        seen.lock().unwrap().push(Seen { key, version, body });
        if script.mute == Some(api) {
            stream.read_exact(&mut [0])?;
        }
        let closes = script.closes == Some(api)
            || (api == ApiKey::Metadata && script.mechanisms.is_some() && !login.done);
        if closes {
            return Ok(());
        }
        let mut answer = BytesMut::from(&[0; 4][..]);
        ResponseHeader::default()
            .with_correlation_id(header.correlation_id)
            .encode(&mut answer, api.response_header_version(version))
            .unwrap();
        match api {
            ApiKey::ApiVersions => versions(script).encode(&mut answer, version).unwrap(),
            ApiKey::SaslHandshake => {
                let asked = SaslHandshakeRequest::decode(&mut frame, version).unwrap();
                let reply = login.choose(script, asked.mechanism.as_str());
                reply.encode(&mut answer, version).unwrap();
            }
            ApiKey::SaslAuthenticate => {
                let asked = SaslAuthenticateRequest::decode(&mut frame, version).unwrap();
                let reply = login.hear(script, &asked.auth_bytes);
                reply.encode(&mut answer, version).unwrap();
            }
            ApiKey::Metadata => {
                if let Some(garbage) = &script.garbage {
                    answer.put_slice(garbage);
                } else {
                    let asked = MetadataRequest::decode(&mut frame, version).unwrap();
                    metadata(script, address, &asked, version)
                        .encode(&mut answer, version)
                        .unwrap();
                }
            }
            other => panic!("nobody may ask for {other:?}"),
        }
        let length = u32::try_from(answer.len() - 4).unwrap();
        answer[..4].copy_from_slice(&length.to_be_bytes());
        stream.write_all(&answer)?;
        stream.flush()?;
    }
}

fn versions(script: &Script) -> ApiVersionsResponse {
    let newest = if script.metadata == 0 {
        12
    } else {
        script.metadata
    };
    let mut known = vec![(18, 4), (17, 1), (36, 2)];
    if !script.controller {
        known.push((3, newest));
    }
    let known = known.into_iter().map(|(key, newest)| {
        ApiVersion::default()
            .with_api_key(key)
            .with_max_version(newest)
    });
    ApiVersionsResponse::default().with_api_keys(known.collect())
}

fn metadata(
    script: &Script,
    address: SocketAddr,
    asked: &MetadataRequest,
    version: i16,
) -> MetadataResponse {
    let itself = [(1, address.ip().to_string(), i32::from(address.port()))];
    let brokers = if script.brokers.is_empty() {
        &itself[..]
    } else {
        &script.brokers[..]
    };
    let brokers = brokers.iter().map(|(id, host, port)| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(*id))
            .with_host(StrBytes::from_string(host.clone()))
            .with_port(*port)
    });
    let topic = |topic: &Topic| {
        let partitions = topic.leaders.iter().enumerate().map(|(index, leader)| {
            MetadataResponsePartition::default()
                .with_partition_index(i32::try_from(index).unwrap())
                .with_leader_id(BrokerId(*leader))
        });
        let told = MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_static_str(topic.name))))
            .with_error_code(topic.error)
            .with_partitions(partitions.collect());
        if version >= 8 {
            told.with_topic_authorized_operations(topic.rights)
        } else {
            told
        }
    };
    let known = |name: &TopicName| {
        let known = script
            .topics
            .iter()
            .find(|topic| topic.name == name.as_str());
        known.map_or_else(
            || {
                MetadataResponseTopic::default()
                    .with_name(Some(name.clone()))
                    .with_error_code(3)
            },
            &topic,
        )
    };
    let topics: Vec<_> = match &asked.topics {
        None => script.topics.iter().map(topic).collect(),
        Some(asked) => asked
            .iter()
            .filter_map(|it| it.name.as_ref())
            .map(known)
            .collect(),
    };
    MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(StrBytes::from_static_str("lab-cluster")))
        .with_controller_id(BrokerId(1))
        .with_topics(topics)
}

/// One login, as the broker's side sees it.
#[derive(Default)]
struct Login {
    done: bool,
    mechanism: String,
    /// What a SCRAM client said first, and what it heard.
    said: Option<(String, String)>,
    refused_token: bool,
}

impl Login {
    fn choose(&mut self, script: &Script, mechanism: &str) -> SaslHandshakeResponse {
        let (code, offered) = match &script.mechanisms {
            None => (34, Vec::new()),
            Some(offered) if offered.contains(&mechanism) => (0, offered.clone()),
            Some(offered) => (33, offered.clone()),
        };
        mechanism.clone_into(&mut self.mechanism);
        SaslHandshakeResponse::default()
            .with_error_code(code)
            .with_mechanisms(offered.into_iter().map(StrBytes::from_static_str).collect())
    }

    fn hear(&mut self, script: &Script, message: &[u8]) -> SaslAuthenticateResponse {
        let text = String::from_utf8_lossy(message).into_owned();
        let reply = match self.mechanism.as_str() {
            "PLAIN" => (text == format!("\0{USER}\0{PASSWORD}")).then(String::new),
            "OAUTHBEARER" if self.refused_token => None,
            "OAUTHBEARER" => {
                self.refused_token = !takes(script, &text);
                Some(if self.refused_token {
                    r#"{"status":"invalid_token"}"#.to_owned()
                } else {
                    String::new()
                })
            }
            _ => return self.hear_scram(script, &text),
        };
        self.done = reply.is_some() && !self.refused_token;
        let refused = reply.is_none() && self.mechanism == "PLAIN";
        let answer = answer(reply);
        if !refused {
            return answer;
        }
        // A callback of a cluster's own may repeat the name.
        let user = text.split('\0').nth(1).unwrap_or_default();
        let message = format!("Authentication failed for {user}");
        answer.with_error_message(Some(StrBytes::from_string(message)))
    }

    /// RFC 5802 from the other side, written down anew: it must not share a fault with the client.
    fn hear_scram(&mut self, script: &Script, text: &str) -> SaslAuthenticateResponse {
        let (mac, hash, derived, length) = if self.mechanism.ends_with("256") {
            (
                hmac::HMAC_SHA256,
                &digest::SHA256,
                pbkdf2::PBKDF2_HMAC_SHA256,
                32,
            )
        } else {
            (
                hmac::HMAC_SHA512,
                &digest::SHA512,
                pbkdf2::PBKDF2_HMAC_SHA512,
                64,
            )
        };
        let Some((first, told)) = self.said.take() else {
            let bare = text.strip_prefix("n,,").unwrap().to_owned();
            let nonce = bare.split_once(",r=").unwrap().1;
            let told = format!("r={nonce}server,s={},i=4096", STANDARD.encode("salt"));
            self.said = Some((bare, told.clone()));
            return answer(Some(told));
        };
        let sign = |key: &[u8], text: &[u8]| {
            hmac::sign(&hmac::Key::new(mac, key), text)
                .as_ref()
                .to_vec()
        };
        let mut salted = vec![0; length];
        let rounds = std::num::NonZeroU32::new(4096).unwrap();
        pbkdf2::derive(derived, rounds, b"salt", PASSWORD.as_bytes(), &mut salted);
        let (last, proof) = text.split_once(",p=").unwrap();
        let signed = format!("{first},{told},{last}");
        let client_key = sign(&salted, b"Client Key");
        let stored = digest::digest(hash, &client_key);
        let signature = sign(stored.as_ref(), signed.as_bytes());
        let expected: Vec<u8> = client_key
            .iter()
            .zip(signature)
            .map(|(a, b)| a ^ b)
            .collect();
        let user = first.starts_with(&format!("n={USER},"));
        self.done = script.impostor || (user && STANDARD.decode(proof).unwrap() == expected);
        let server_key = sign(&salted, b"Server Key");
        let signature = if script.impostor {
            vec![0; length]
        } else {
            sign(&server_key, signed.as_bytes())
        };
        answer(
            self.done
                .then(|| format!("v={}", STANDARD.encode(signature))),
        )
    }
}

/// Whether the message of a client holds a token that the peer takes.
fn takes(script: &Script, text: &str) -> bool {
    let token = text.split_once("\u{1}auth=Bearer ").unwrap().1;
    let token = token.split('\u{1}').next().unwrap();
    let Some(user) = script.tokens_of else {
        return token == TOKEN;
    };
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap_or_default());
    let claims: serde_json::Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    claims["sub"] == user
}

fn answer(reply: Option<String>) -> SaslAuthenticateResponse {
    let answer = SaslAuthenticateResponse::default();
    match reply {
        Some(reply) => answer.with_auth_bytes(reply.into()),
        None => answer
            .with_error_code(58)
            .with_error_message(Some(StrBytes::from_static_str("Authentication failed"))),
    }
}
