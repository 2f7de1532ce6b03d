//! GSSAPI with a real acceptor: the Kerberos of Java, in a Kafka broker.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use linkdial_core::Code;
use linkdial_core::net::Net;
use linkdial_kerberos::{Initiator, Krb5Conf};
use linkdial_testcontainers::{KafkaListener, Kdc, SecuredKafka};
use support::{LIMIT, evidence, identity, keys, try_log_in};

/// The requests of Kafka that carry SASL.
const HANDSHAKE: i16 = 17;
const AUTHENTICATE: i16 = 36;

/// A stream to the broker's listener for Kerberos.
struct Broker(TcpStream);

impl Broker {
    fn dial() -> Self {
        let address = SecuredKafka::shared().addr_of(KafkaListener::Gssapi);
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut broker = Self(stream);
        let answer = broker.ask(HANDSHAKE, 1, b"\0\x06GSSAPI");
        assert_eq!(&answer[..2], [0, 0], "the listener takes GSSAPI");
        broker
    }

    /// Sends one request and returns the body of its answer.
    fn ask(&mut self, key: i16, version: i16, body: &[u8]) -> Vec<u8> {
        let mut request = [key.to_be_bytes(), version.to_be_bytes()].concat();
        // Number of the request, no name of the client.
        request.extend([0, 0, 0, 1, 0xff, 0xff]);
        request.extend(body);
        let length = u32::try_from(request.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&length[..], &request].concat()).unwrap();
        let mut length = [0; 4];
        self.0.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut answer).unwrap();
        answer.split_off(4)
    }

    /// Sends a token and returns the broker's; its words where it refuses.
    fn say(&mut self, token: &[u8]) -> Result<Vec<u8>, String> {
        let length = u32::try_from(token.len()).unwrap().to_be_bytes();
        let answer = self.ask(AUTHENTICATE, 0, &[&length[..], token].concat());
        let (error, rest) = answer.split_first_chunk::<2>().unwrap();
        let (length, rest) = rest.split_first_chunk::<2>().unwrap();
        let length = i16::from_be_bytes(*length);
        let words = rest.split_at(usize::try_from(length).unwrap_or(0));
        if *error != [0, 0] {
            return Err(String::from_utf8_lossy(words.0).into_owned());
        }
        Ok(words.1[4..].to_vec())
    }
}

async fn initiator(kdc: &Kdc, service: &str) -> Initiator {
    let conf = Krb5Conf::read(&kdc.krb5_conf()).await.unwrap();
    let alice = kdc.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &alice).await;
    let login = try_log_in(&conf, &alice).await.done();
    login
        .ticket(&Net::default(), service, "localhost", LIMIT)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_server_of_java_takes_our_tokens_and_we_take_its() {
    let kdc = SecuredKafka::shared().kdc();
    let mut initiator = initiator(kdc, "kafka").await;
    let mut broker = Broker::dial();
    let proof = broker.say(&initiator.first()).unwrap();
    initiator.accept(&proof).unwrap();
    let offer = broker.say(&[]).unwrap();
    initiator.unwrap_layers(&offer).unwrap();
    let choice = initiator.wrap_choice(None).unwrap();
    assert_eq!(broker.say(&choice).unwrap(), b"");

    // Somebody who answers in its place, or changes what it says, is found out.
    for token in [&proof, &offer] {
        for at in 0..token.len() {
            let mut changed = token.clone();
            changed[at] ^= 0x10;
            let accepted = initiator.accept(&changed);
            assert!(accepted.is_err(), "byte {at}");
            // How far the text is rotated is protected by nothing, and 16 bytes turn whole.
            let protected = !(6..8).contains(&at);
            let unwrapped = initiator.unwrap_layers(&changed);
            assert!(unwrapped.is_err() || !protected, "byte {at}");
            assert!(initiator.accept(&token[..at]).is_err());
            assert!(initiator.unwrap_layers(&token[..at]).is_err());
        }
    }
    // Neither takes the other's place.
    assert!(initiator.accept(&offer).is_err());
    assert!(initiator.unwrap_layers(&proof).is_err());
}

#[tokio::test]
async fn a_changed_choice_is_refused_by_the_server() {
    let kdc = SecuredKafka::shared().kdc();
    let mut initiator = initiator(kdc, "kafka").await;
    let mut broker = Broker::dial();
    let proof = broker.say(&initiator.first()).unwrap();
    initiator.accept(&proof).unwrap();
    let offer = broker.say(&[]).unwrap();
    initiator.unwrap_layers(&offer).unwrap();
    let mut choice = initiator.wrap_choice(None).unwrap();
    choice[16] ^= 2;
    broker.say(&choice).unwrap_err();
}

#[tokio::test]
async fn a_client_may_name_whom_it_acts_for() {
    let kdc = SecuredKafka::shared().kdc();
    let mut initiator = initiator(kdc, "kafka").await;
    let mut broker = Broker::dial();
    let proof = broker.say(&initiator.first()).unwrap();
    initiator.accept(&proof).unwrap();
    initiator.unwrap_layers(&broker.say(&[]).unwrap()).unwrap();
    let choice = initiator.wrap_choice(Some("bob")).unwrap();
    assert_eq!(broker.say(&choice).unwrap(), b"");
}

#[tokio::test]
async fn a_ticket_for_another_key_is_refused() {
    let kafka = SecuredKafka::shared();
    kafka.kdc().keytab(&["other/localhost"]).unwrap();
    let initiator = initiator(kafka.kdc(), "other").await;
    let words = Broker::dial().say(&initiator.first()).unwrap_err();
    let fault = initiator.refused(&words);
    let alice = support::proved("alice@LINKDIAL.TEST", linkdial_kerberos::Proof::Nothing);
    let finding = fault.into_diagnosis(&alice.guilty);
    assert_eq!(finding.code, Code::AuthenticateServiceRefused);
    assert_eq!(keys(&finding), ["/service"]);
    assert_eq!(
        evidence(&finding, "service"),
        "other/localhost@LINKDIAL.TEST"
    );
    assert_eq!(evidence(&finding, "answer"), words);
}
