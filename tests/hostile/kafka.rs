//! Brokers that name ten thousand others, or never end a login.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use super::links::{Links, SECRET};
use super::peer::Peer;
use super::run::{Ran, verify};

const METADATA: i16 = 3;
const HANDSHAKE: i16 = 17;
const VERSIONS: i16 = 18;
const AUTHENTICATE: i16 = 36;

/// Answers requests by their key; nothing hangs up.
fn broker(answer: impl Fn(i16, &[u8]) -> Option<Vec<u8>> + Send + Sync + 'static) -> Peer {
    Peer::start(move |mut stream| {
        while let Some((key, number, body)) = asked(&mut stream)? {
            let Some(answer) = answer(key, &body) else {
                break;
            };
            let length = i32::try_from(answer.len() + 4).unwrap();
            stream.write_all(&length.to_be_bytes())?;
            stream.write_all(&number)?;
            stream.write_all(&answer)?;
        }
        Ok(())
    })
}

/// A request: its key, its number, and what comes behind.
type Asked = (i16, [u8; 4], Vec<u8>);

/// Reads a request; `None` where the client has hung up.
fn asked(stream: &mut TcpStream) -> io::Result<Option<Asked>> {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return Ok(None);
    }
    let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut request)?;
    let key = i16::from_be_bytes([request[0], request[1]]);
    let number = [request[4], request[5], request[6], request[7]];
    Ok(Some((key, number, request.split_off(8))))
}

fn text(text: &str) -> Vec<u8> {
    let length = i16::try_from(text.len()).unwrap().to_be_bytes();
    [&length[..], text.as_bytes()].concat()
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    let length = i32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

/// The versions of a broker that speaks Metadata 1, the login and nothing else.
fn versions() -> Vec<u8> {
    let keys = [
        (METADATA, 1),
        (HANDSHAKE, 1),
        (VERSIONS, 0),
        (AUTHENTICATE, 0),
    ];
    let mut answer = vec![0, 0];
    answer.extend(i32::try_from(keys.len()).unwrap().to_be_bytes());
    for (key, newest) in keys {
        for number in [key, 0, newest] {
            answer.extend(number.to_be_bytes());
        }
    }
    answer
}

/// The mechanism is taken.
fn taken() -> Vec<u8> {
    [&[0, 0][..], &1_i32.to_be_bytes(), &text("PLAIN")].concat()
}

/// A cluster of so many brokers at one address, with one topic that the first of them leads.
fn cluster(brokers: i32, host: &str, port: u16) -> Vec<u8> {
    let mut answer = brokers.to_be_bytes().to_vec();
    for broker in 0..brokers {
        answer.extend(broker.to_be_bytes());
        answer.extend(text(host));
        answer.extend(i32::from(port).to_be_bytes());
        answer.extend((-1_i16).to_be_bytes());
    }
    // The controller.
    answer.extend(0_i32.to_be_bytes());
    answer.extend(1_i32.to_be_bytes());
    answer.extend([0, 0]);
    answer.extend(text("orders"));
    answer.push(0);
    answer.extend(1_i32.to_be_bytes());
    answer.extend([0, 0]);
    answer.extend(0_i32.to_be_bytes());
    answer.extend(0_i32.to_be_bytes());
    for _ in 0..2 {
        answer.extend(1_i32.to_be_bytes());
        answer.extend(0_i32.to_be_bytes());
    }
    answer
}

fn verify_kafka(name: &str, peer: &Peer, options: &[&str]) -> Ran {
    let links = Links::default().to(name, &["KAFKA"], peer);
    let ran = verify(options, links.script());
    assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET));
    ran
}

/// A broker that lets everybody in and names so many others.
fn names(brokers: i32, port: u16) -> Peer {
    broker(move |key, _| match key {
        VERSIONS => Some(versions()),
        HANDSHAKE => Some(taken()),
        AUTHENTICATE => Some([&[0, 0, 0xff, 0xff][..], &bytes(b"")].concat()),
        METADATA => Some(cluster(brokers, "127.0.0.1", port)),
        _ => None,
    })
}

/// All of them hang up: a thousand are dialled, and no more.
#[test]
fn ten_thousand_advertised_brokers_are_not_all_dialled() {
    let dead = Peer::counting();
    let peer = names(10_000, dead.address.port());
    let ran = verify_kafka("many", &peer, &[]);
    ran.within_limits("10,000 advertised brokers that hang up");
    assert_eq!(ran.check("kafka_many")["verdict"], "fail");
    assert!(
        (1..=1_000).contains(&dead.connections()),
        "{}",
        dead.connections()
    );
}

/// None of them says a word: the deadline of the check ends it.
#[test]
fn ten_thousand_silent_brokers_end_at_the_deadline() {
    let silent = Peer::start(|mut stream| super::peer::rest(&mut stream));
    let peer = names(10_000, silent.address.port());
    let ran = verify_kafka("silent", &peer, &["--check-timeout", "6s"]);
    ran.within_limits("10,000 advertised brokers that are silent, 6 s");
    assert_eq!(ran.check("kafka_silent")["verdict"], "fail");
    let took = ran.check("kafka_silent")["elapsed_ms"].as_f64().unwrap();
    assert!(took < 6_500.0, "{took}");
    // Sixteen at a time, each for five seconds, and the next ones until the sixth.
    assert!(silent.connections() <= 48, "{}", silent.connections());
    let steps = ran.check("kafka_silent")["steps"].as_array().unwrap();
    let told = steps.last().unwrap()["notes"]["not_dialled"].as_str();
    assert!(
        told.unwrap().ends_with("the check was out of time"),
        "{told:?}"
    );
}

#[test]
fn more_brokers_than_a_cluster_has_are_none() {
    let refused = Peer::counting();
    let peer = names(10_001, refused.address.port());
    let ran = verify_kafka("more", &peer, &[]);
    ran.within_limits("10,001 advertised brokers");
    assert_eq!(ran.check("kafka_more")["verdict"], "fail");
    assert_eq!(refused.connections(), 0);
}

/// A broker of the cluster that stands at an address which is refused.
#[test]
fn an_advertised_address_that_is_refused_is_not_dialled() {
    let peer = broker(|key, _| match key {
        VERSIONS => Some(versions()),
        HANDSHAKE => Some(taken()),
        AUTHENTICATE => Some([&[0, 0, 0xff, 0xff][..], &bytes(b"")].concat()),
        METADATA => Some(cluster(1, "127.0.0.2", 9092)),
        _ => None,
    });
    let links = Links::default().to("away", &["KAFKA"], &peer);
    let ran = verify(&["--only-net", "127.0.0.1"], links.script());
    assert_eq!(ran.code("kafka_away"), "resolve.address-refused");
    assert_eq!(
        ran.check("kafka_away")["steps"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()["role"],
        "advertised"
    );
}

#[test]
fn a_login_without_end_is_given_up() {
    // A broker that answers every proof with another challenge.
    let scram = broker(|key, body| match key {
        VERSIONS => Some(versions()),
        HANDSHAKE => Some([&[0, 0][..], &1_i32.to_be_bytes(), &text("SCRAM-SHA-256")].concat()),
        AUTHENTICATE => {
            let said = String::from_utf8_lossy(body).into_owned();
            let nonce = said.split("r=").nth(1).unwrap_or_default();
            let nonce = nonce.split(',').next().unwrap_or_default();
            let challenge = format!("r={nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
            Some([&[0, 0, 0xff, 0xff][..], &bytes(challenge.as_bytes())].concat())
        }
        _ => None,
    });
    // One that asks for as many rounds as it may.
    let rounds = broker(|key, body| match key {
        VERSIONS => Some(versions()),
        HANDSHAKE => Some([&[0, 0][..], &1_i32.to_be_bytes(), &text("SCRAM-SHA-256")].concat()),
        AUTHENTICATE => {
            let said = String::from_utf8_lossy(body).into_owned();
            let nonce = said.split("r=").nth(1).unwrap_or_default();
            let nonce = nonce.split(',').next().unwrap_or_default();
            let challenge = format!("r={nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000000");
            Some([&[0, 0, 0xff, 0xff][..], &bytes(challenge.as_bytes())].concat())
        }
        _ => None,
    });
    let links = Links::default()
        .to("loops", &["KAFKA"], &scram)
        .to("rounds", &["KAFKA"], &rounds);
    let script = links.script().replace(
        r#""sasl.mechanism": "PLAIN""#,
        r#""sasl.mechanism": "SCRAM-SHA-256""#,
    );
    let ran = verify(&[], &script);
    ran.within_limits("logins without end");
    for check in ran.checks() {
        // It takes the proof and shows none of its own.
        assert_eq!(check["code"], "access.not-this-service", "{check:#}");
    }
}

/// Frames that claim four megabytes, arrays that claim two thousand million elements.
#[test]
fn a_claim_is_no_reason_to_take_memory() {
    let frame = Peer::start(|mut stream| {
        while let Some((_, number, _)) = asked(&mut stream)? {
            stream.write_all(&4_194_304_i32.to_be_bytes())?;
            stream.write_all(&number)?;
        }
        Ok(())
    });
    let array = broker(|_, _| Some([&[0, 0][..], &i32::MAX.to_be_bytes()].concat()));
    let brokers = broker(|key, _| match key {
        VERSIONS => Some(versions()),
        HANDSHAKE => Some(taken()),
        AUTHENTICATE => Some([&[0, 0, 0xff, 0xff][..], &bytes(b"")].concat()),
        _ => Some(i32::MAX.to_be_bytes().to_vec()),
    });
    let mechanisms = broker(|key, _| match key {
        VERSIONS => Some(versions()),
        _ => Some([&[0, 33][..], &i32::MAX.to_be_bytes()].concat()),
    });
    let links = Links::default()
        .to("frame", &["KAFKA"], &frame)
        .to("array", &["KAFKA"], &array)
        .to("brokers", &["KAFKA"], &brokers)
        .to("mechanisms", &["KAFKA"], &mechanisms);
    let ran = verify(&[], links.script());
    ran.within_limits("claims of memory");
    for check in ran.checks() {
        assert_eq!(check["verdict"], "fail", "{check:#}");
    }
}
