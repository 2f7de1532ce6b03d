use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::SRV;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::background::Background;

/// What a [`DnsServer`] answers for a name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DnsAnswer {
    /// The name does not exist (`NXDOMAIN`).
    NotFound,
    /// The name exists and has no address (`NOERROR` without a record).
    NoAddress,
    /// The server failed (`SERVFAIL`).
    ServerFailure,
    /// The server refuses to answer (`REFUSED`).
    Refused,
    /// Nothing is sent back.
    Silence,
    /// These addresses, each as A or AAAA record.
    Addresses(Vec<IpAddr>),
    /// These servers, each with its port, as SRV records; the first one is the preferred one.
    Services(Vec<(String, u16)>),
}

/// A DNS server inside the process, on one port of 127.0.0.1 for both UDP and TCP.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    zone: Arc<Zone>,
    _background: Background,
}

#[derive(Debug)]
struct Zone {
    names: HashMap<String, DnsAnswer>,
    otherwise: DnsAnswer,
    asked: Mutex<Vec<String>>,
    queries: AtomicUsize,
}

impl DnsServer {
    /// Answers the given names as said and every other name with `otherwise`.
    ///
    /// # Panics
    ///
    /// When loopback has no port that is free for both UDP and TCP.
    pub fn start<N: Into<String>>(
        names: impl IntoIterator<Item = (N, DnsAnswer)>,
        otherwise: DnsAnswer,
    ) -> Self {
        let names = names
            .into_iter()
            .map(|(name, answer)| (normal(&name.into()), answer))
            .collect();
        let zone = Zone {
            names,
            otherwise,
            asked: Mutex::default(),
            queries: AtomicUsize::new(0),
        };
        let zone = Arc::new(zone);
        let (udp, tcp, address) = bind();
        let shared = Arc::clone(&zone);
        let background = Background::spawn("dns-server", move || serve(udp, tcp, shared));
        Self {
            address,
            zone,
            _background: background,
        }
    }

    /// Answers every name in the same way.
    pub fn always(answer: DnsAnswer) -> Self {
        Self::start([] as [(String, DnsAnswer); 0], answer)
    }

    /// The address for both UDP and TCP.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// How many queries it got, unanswered ones included.
    pub fn queries(&self) -> usize {
        self.zone.queries.load(Ordering::SeqCst)
    }

    /// The names it was asked for, in lower case without a final dot, in the order of arrival.
    pub fn asked(&self) -> Vec<String> {
        self.zone
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Zone {
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).ok()?;
        let question = query.queries.first()?.clone();
        let name = normal(&question.name().to_string());
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name.clone());

        let mut message = Message::new(
            query.metadata.id,
            MessageType::Response,
            query.metadata.op_code,
        );
        message.metadata.recursion_desired = query.metadata.recursion_desired;
        message.metadata.recursion_available = true;
        message.metadata.response_code = match self.names.get(&name).unwrap_or(&self.otherwise) {
            DnsAnswer::Silence => return None,
            DnsAnswer::NotFound => ResponseCode::NXDomain,
            DnsAnswer::ServerFailure => ResponseCode::ServFail,
            DnsAnswer::Refused => ResponseCode::Refused,
            DnsAnswer::NoAddress => ResponseCode::NoError,
            DnsAnswer::Addresses(addresses) => {
                let records = addresses.iter().filter_map(|address| {
                    let data = match (address, question.query_type()) {
                        (IpAddr::V4(address), RecordType::A) => RData::from(*address),
                        (IpAddr::V6(address), RecordType::AAAA) => RData::from(*address),
                        _ => return None,
                    };
                    Some(Record::from_rdata(question.name().clone(), 1, data))
                });
                message.add_answers(records);
                ResponseCode::NoError
            }
            DnsAnswer::Services(services) => {
                let services = services
                    .iter()
                    .filter(|_| question.query_type() == RecordType::SRV);
                let records = (1_u16..)
                    .zip(services)
                    .filter_map(|(priority, (host, port))| {
                        let target = Name::from_utf8(host).ok()?;
                        let data = RData::SRV(SRV::new(priority, 0, *port, target));
                        Some(Record::from_rdata(question.name().clone(), 1, data))
                    });
                message.add_answers(records);
                ResponseCode::NoError
            }
        };
        message.add_query(question);
        message.to_vec().ok()
    }
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn bind() -> (UdpSocket, TcpListener, SocketAddr) {
    for _ in 0..64 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = udp.local_addr().expect("a bound socket has an address");
        if let Ok(tcp) = TcpListener::bind(address) {
            udp.set_nonblocking(true)
                .expect("a socket can be set non-blocking");
            tcp.set_nonblocking(true)
                .expect("a socket can be set non-blocking");
            return (udp, tcp, address);
        }
    }
    panic!("loopback has no port that is free for both UDP and TCP");
}

async fn serve(udp: UdpSocket, tcp: TcpListener, zone: Arc<Zone>) {
    let udp = tokio::net::UdpSocket::from_std(udp).expect("the socket is already non-blocking");
    let tcp = tokio::net::TcpListener::from_std(tcp).expect("the socket is already non-blocking");
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            Ok((count, peer)) = udp.recv_from(&mut buffer) => {
                if let Some(answer) = zone.answer(&buffer[..count]) {
                    // The resolver may have given up already.
                    drop(udp.send_to(&answer, peer).await);
                }
            }
            Ok((stream, _)) = tcp.accept() => {
                let zone = Arc::clone(&zone);
                tokio::spawn(async move { drop(converse(stream, &zone).await) });
            }
            else => {}
        }
    }
}

/// Answers queries on one TCP connection, each behind its length (RFC 1035, section 4.2.2).
async fn converse(mut stream: TcpStream, zone: &Zone) -> std::io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        if let Some(answer) = zone.answer(&query) {
            let length = u16::try_from(answer.len()).map_err(std::io::Error::other)?;
            stream.write_u16(length).await?;
            stream.write_all(&answer).await?;
        }
    }
}
