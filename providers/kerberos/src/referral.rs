//! The way to a server through realms between, at KDCs that know the next realm alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::net::Net;
use linkdial_core::{Endpoint, Role};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::conf::Krb5Conf;
use crate::der::{Der, SEQUENCE, application, context};
use crate::encryption::{EncryptionType, Key, Usage};
use crate::kdc_answer::Ticket;
use crate::login::{Granted, Login};
use crate::principal::Principal;

const LIMIT: Duration = Duration::from_secs(10);

/// The session's key, the same at every KDC.
fn session() -> Key {
    Key::new(EncryptionType::AES256_SHA1, &[7; 32])
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], contents].concat()
}

fn sequence(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let fields = fields
        .iter()
        .flat_map(|(number, it)| element(context(*number), it));
    element(SEQUENCE, &fields.collect::<Vec<u8>>())
}

fn integer(number: u32) -> Vec<u8> {
    element(2, &[&[0], &number.to_be_bytes()[..]].concat())
}

fn text(text: &str) -> Vec<u8> {
    element(0x1b, text.as_bytes())
}

fn name(principal: &Principal) -> Vec<u8> {
    let parts = principal.components.iter().flat_map(|it| text(it));
    let parts = element(SEQUENCE, &parts.collect::<Vec<u8>>());
    sequence(&[(0, integer(2)), (1, parts)])
}

fn sealed(cipher: &[u8]) -> Vec<u8> {
    sequence(&[(0, integer(18)), (2, element(4, cipher))])
}

/// Reads the server that a TGS-REQ asks for, and its nonce.
fn asked(request: &[u8]) -> Option<(Principal, u32)> {
    let mut fields = Der::new(request).expect(application(12))?.only(SEQUENCE)?;
    for number in 1..=3 {
        fields.expect(context(number))?;
    }
    let mut body = fields.field(4, SEQUENCE)?;
    body.expect(context(0))?;
    let realm = body.text_field(2)?;
    let mut server = body.field(3, SEQUENCE)?;
    server.number_field(0)?;
    let mut parts = server.field(1, SEQUENCE)?;
    let mut components = Vec::new();
    while !parts.is_empty() {
        components.push(parts.next()?.1.text());
    }
    body.expect(context(5))?;
    let nonce = u32::try_from(body.number_field(7)?).ok()?;
    Some((Principal { components, realm }, nonce))
}

/// Writes a TGS-REP with a ticket for a server.
fn reply(server: &Principal, nonce: u32) -> Vec<u8> {
    let time = element(0x18, b"20370913024805Z");
    let key = sequence(&[(0, integer(18)), (1, element(4, session().bytes()))]);
    let plain = sequence(&[
        (0, key),
        (1, element(SEQUENCE, &[])),
        (2, integer(nonce)),
        (4, element(3, &[0; 5])),
        (5, time.clone()),
        (7, time),
        (9, text(&server.realm)),
        (10, name(server)),
    ]);
    let plain = element(application(26), &plain);
    let ticket = sequence(&[
        (0, integer(5)),
        (1, text(&server.realm)),
        (2, name(server)),
        (3, sealed(b"for the server")),
    ]);
    let cipher = session().encrypt(Usage::TgsReply, &plain).unwrap();
    let message = sequence(&[
        (0, integer(5)),
        (1, integer(13)),
        (3, text("A.TEST")),
        (4, name(&"alice@A.TEST".parse().unwrap())),
        (5, element(application(1), &ticket)),
        (6, sealed(&cipher)),
    ]);
    element(application(13), &message)
}

/// The KDC of every realm: it gives tickets by this table, from what is asked to what is given, and
/// hangs up on every other question.
type Table = &'static [(&'static str, &'static str)];

async fn answer(
    mut stream: TcpStream,
    table: Table,
    heard: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let length = stream.read_u32().await?;
    let mut request = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut request).await?;
    let (server, nonce) = asked(&request).unwrap();
    let server = server.to_string();
    let given = table.iter().find(|(question, _)| *question == server);
    heard.lock().unwrap().push(server);
    let Some((_, given)) = given else {
        return Ok(());
    };
    let reply = reply(&given.parse().unwrap(), nonce);
    stream
        .write_u32(u32::try_from(reply.len()).unwrap())
        .await?;
    stream.write_all(&reply).await
}

/// Asks for a ticket to `kafka/broker.c.test`; returns who got one, and all that was asked for.
async fn walk(table: Table, domain_realm: &str) -> (Option<String>, Vec<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let shared = Arc::clone(&heard);
    // It ends with the runtime of the test.
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            answer(stream, table, Arc::clone(&shared)).await.unwrap();
        }
    });
    let login = login(address, domain_realm).await;
    let net = Net::default();
    let ticket = login.ticket(&net, "kafka", "broker.c.test", LIMIT);
    let server = ticket.await.ok().map(|it| it.server().to_string());
    let heard = heard.lock().unwrap().clone();
    (server, heard)
}

/// A login in the realm A.TEST, with one KDC for three realms.
async fn login(kdc: SocketAddr, domain_realm: &str) -> Login {
    let realms =
        ["A.TEST", "B.TEST", "C.TEST"].map(|it| format!(" {it} = {{\n  kdc = {kdc}\n }}\n"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let realms = realms.concat();
    let conf = format!("[realms]\n{realms}[domain_realm]\n{domain_realm}\n");
    std::fs::write(file.path(), conf).unwrap();
    Login(Arc::new(Granted {
        client: "alice@A.TEST".parse().unwrap(),
        ticket: Ticket {
            realm: "A.TEST".to_owned(),
            server: Principal::ticket_granting("A.TEST", "A.TEST"),
            kind: EncryptionType::AES256_SHA1,
            kvno: None,
            cipher: vec![1],
            name_type: 2,
        },
        session: session(),
        ends: Timestamp::MAX,
        conf: Krb5Conf::read(file.path()).await.unwrap(),
        kdcs: vec![Endpoint::new(Role::Kdc, &kdc.ip().to_string(), kdc.port())],
    }))
}

#[tokio::test]
async fn a_realm_between_is_asked_for_the_next_one() {
    let table = &[
        ("krbtgt/C.TEST@A.TEST", "krbtgt/B.TEST@A.TEST"),
        ("krbtgt/C.TEST@B.TEST", "krbtgt/C.TEST@B.TEST"),
        ("kafka/broker.c.test@C.TEST", "kafka/broker.c.test@C.TEST"),
    ];
    let (server, asked) = walk(table, " .c.test = C.TEST").await;
    assert_eq!(asked, table.map(|(question, _)| question));
    assert_eq!(server.as_deref(), Some("kafka/broker.c.test@C.TEST"));
}

#[tokio::test]
async fn a_realm_that_is_referred_to_is_asked_for_the_server() {
    let table = &[
        ("kafka/broker.c.test@A.TEST", "krbtgt/B.TEST@A.TEST"),
        ("kafka/broker.c.test@B.TEST", "krbtgt/C.TEST@B.TEST"),
        ("kafka/broker.c.test@C.TEST", "kafka/broker.c.test@C.TEST"),
    ];
    let (server, asked) = walk(table, "").await;
    assert_eq!(asked, table.map(|(question, _)| question));
    assert_eq!(server.as_deref(), Some("kafka/broker.c.test@C.TEST"));
}

#[tokio::test]
async fn referrals_without_end_are_given_up() {
    let circle = &[
        ("kafka/broker.c.test@A.TEST", "krbtgt/B.TEST@A.TEST"),
        ("kafka/broker.c.test@B.TEST", "krbtgt/A.TEST@B.TEST"),
    ];
    let (server, asked) = walk(circle, "").await;
    assert_eq!((server, asked.len()), (None, 6), "{asked:?}");
    // One that sends to itself has no ticket for the server.
    let itself = &[("kafka/broker.c.test@A.TEST", "krbtgt/A.TEST@A.TEST")];
    let (server, asked) = walk(itself, "").await;
    assert_eq!((server, asked.len()), (None, 1), "{asked:?}");
}
