//! Mistakes in the world: what can be wrong between a link and its service, once for every kind
//! that it can happen to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Expected, Family, Fault, Kind, Mark, Seeded};
use crate::broken::{
    self, BlackHole, Broken, HTTP_BAD_REQUEST, RefusedPort, SSH_BANNER, TLS_HANDSHAKE_FAILURE,
    UNREACHABLE,
};
use crate::{
    Answer, Certificates, ConnectProxy, DnsAnswer, DnsServer, HttpEndpoint, LinkStatement,
    ProxyBehaviour, ScriptedHttp,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    NameUnknown,
    NameWithoutAddress,
    NameServerFails,
    NameServerRefuses,
    NameServerSilent,
    MetadataAddress,
    Closed,
    FullQueue,
    Unreachable,
    Reset,
    HangsUp,
    Silent,
    Drip,
    EndlessBody,
    EndlessHeader,
    Ssh,
    PlainPort,
    SshPort,
    TlsPort,
    Expired,
    NotYetValid,
    UnknownIssuer,
    WrongName,
    Alert,
    SilentHandshake,
    ClientCertificate,
    ProxyForbids,
    ProxyLogin,
    ProxyClosed,
    ProxySilent,
    ProxyLost,
}

use Trouble::{
    Alert, ClientCertificate, Closed, Drip, EndlessBody, EndlessHeader, Expired, FullQueue,
    HangsUp, MetadataAddress, NameServerFails, NameServerRefuses, NameServerSilent, NameUnknown,
    NameWithoutAddress, NotYetValid, PlainPort, ProxyClosed, ProxyForbids, ProxyLogin, ProxyLost,
    ProxySilent, Reset, Silent, SilentHandshake, Ssh, SshPort, TlsPort, UnknownIssuer, Unreachable,
    WrongName,
};

/// Kinds that dial every kind of address.
const EVERY: &[Kind] = &Kind::ALL;
/// Kinds that speak HTTP.
const WEB: &[Kind] = &[Kind::S3, Kind::Azure, Kind::Gcs, Kind::Http];
/// Kinds that may speak TLS.
const TLS: &[Kind] = &[Kind::S3, Kind::Azure, Kind::Gcs, Kind::Http, Kind::Kafka];

/// The trouble, its name, its code, the kinds it happens to, the server and the source.
type Row = (
    Trouble,
    &'static str,
    &'static str,
    &'static [Kind],
    &'static str,
    &'static str,
);

const ROWS: &[Row] = &[
    (
        NameUnknown,
        "name-unknown",
        "resolve.not-found",
        EVERY,
        "name server: NXDOMAIN",
        "RFC 1035, 4.1.1: response code 3, the name does not exist",
    ),
    (
        NameWithoutAddress,
        "name-without-address",
        "resolve.no-address",
        EVERY,
        "name server: no record",
        "RFC 2308, 2.2: NOERROR without a record, the name has no address",
    ),
    (
        NameServerFails,
        "name-server-fails",
        "resolve.server-failed",
        EVERY,
        "name server: SERVFAIL",
        "RFC 1035, 4.1.1: response code 2, server failure",
    ),
    (
        NameServerRefuses,
        "name-server-refuses",
        "resolve.server-failed",
        WEB,
        "name server: REFUSED",
        "RFC 1035, 4.1.1: response code 5, the server refuses by policy",
    ),
    (
        NameServerSilent,
        "name-server-silent",
        "resolve.timed-out",
        EVERY,
        "name server: silence",
        "RFC 1035, 4.2.1: a query without an answer; the deadline of the stage",
    ),
    (
        MetadataAddress,
        "metadata-address",
        "resolve.address-refused",
        EVERY,
        "none: no packet is sent",
        "RFC 3927, 2.7: link-local addresses; Amazon EC2 User Guide, instance metadata: 169.254.169.254",
    ),
    (
        Closed,
        "port-closed",
        "connect.refused",
        EVERY,
        "port without a listener",
        "RFC 9293, 3.5.2: a reset answers a SYN to a closed port (ECONNREFUSED)",
    ),
    (
        FullQueue,
        "queue-full",
        "connect.timed-out",
        EVERY,
        "listener with a full queue",
        "listen(2), tcp(7): a SYN beyond a full queue is dropped, nothing is answered",
    ),
    (
        Unreachable,
        "unreachable",
        "connect.unreachable",
        EVERY,
        "address without a way",
        "RFC 1122, 3.2.2.1; connect(2): ENETUNREACH",
    ),
    (
        Reset,
        "reset",
        "connect.reset",
        EVERY,
        "listener that resets",
        "RFC 9293, 3.10.7: a reset after the connection was open (ECONNRESET)",
    ),
    (
        HangsUp,
        "hangs-up",
        "connect.reset",
        WEB,
        "listener that hangs up",
        "RFC 9112, 8: the connection closes before an answer begins",
    ),
    (
        Silent,
        "silent",
        "access.timed-out",
        EVERY,
        "listener that says nothing",
        "the deadline of the stage; recorded: every field's client waits its full time-out",
    ),
    (
        Drip,
        "drip",
        "access.timed-out",
        WEB,
        "HTTP server that sends a byte a second",
        "the deadline of the stage holds for the whole answer",
    ),
    (
        EndlessBody,
        "endless-body",
        "access.not-this-service",
        WEB,
        "HTTP server whose body never ends",
        "RFC 9112, 7.1: chunked coding without a last chunk; beyond every answer of the service",
    ),
    (
        EndlessHeader,
        "endless-header",
        "access.not-this-service",
        WEB,
        "HTTP server whose header never ends",
        "RFC 9110, 5.4: fields beyond what a client takes",
    ),
    (
        Ssh,
        "ssh-in-its-place",
        "access.not-this-service",
        EVERY,
        "SSH server",
        "RFC 4253, 4.2: the server's first line",
    ),
    (
        PlainPort,
        "tls-to-plain-http",
        "tls.not-tls",
        TLS,
        "HTTP server without TLS",
        "RFC 8446, 5.1: the answer is no TLS record, it is `HTTP/1.1 400`",
    ),
    (
        SshPort,
        "tls-to-ssh",
        "tls.not-tls",
        TLS,
        "SSH server",
        "RFC 8446, 5.1: the answer is no TLS record, it is `SSH-2.0`",
    ),
    (
        TlsPort,
        "plain-to-tls",
        "tls.required",
        TLS,
        "server with TLS alone",
        "RFC 8446, 6: an alert answers what is no TLS record",
    ),
    (
        Expired,
        "certificate-expired",
        "tls.expired",
        TLS,
        "certificate of the past",
        "RFC 5280, 4.1.2.5: notAfter has passed",
    ),
    (
        NotYetValid,
        "certificate-not-yet-valid",
        "tls.not-yet-valid",
        TLS,
        "certificate of the future",
        "RFC 5280, 4.1.2.5: notBefore is to come; a clock that is slow looks the same",
    ),
    (
        UnknownIssuer,
        "issuer-unknown",
        "tls.unknown-issuer",
        TLS,
        "certificate of a foreign authority",
        "RFC 5280, 6.1: no path to a trust anchor",
    ),
    (
        WrongName,
        "name-mismatch",
        "tls.name-mismatch",
        TLS,
        "certificate for another host",
        "RFC 9525, 6: no name of the certificate is that of the service",
    ),
    (
        Alert,
        "handshake-alert",
        "tls.handshake-failed",
        TLS,
        "server that ends the handshake",
        "RFC 8446, 6.2: handshake_failure, no common parameters",
    ),
    (
        SilentHandshake,
        "handshake-silent",
        "tls.timed-out",
        TLS,
        "listener silent in the handshake",
        "the deadline of the stage; no ServerHello (RFC 8446, 4.1.3)",
    ),
    (
        ClientCertificate,
        "client-certificate-required",
        "tls.client-certificate-required",
        TLS,
        "server that wants a client's certificate",
        "RFC 8446, 6.2: certificate_required; RFC 5246, 7.2.2: handshake_failure",
    ),
    (
        ProxyForbids,
        "proxy-forbids",
        "connect.proxy-failed",
        WEB,
        "proxy that answers 403",
        "RFC 9110, 9.3.6: CONNECT is answered with another status than 2xx",
    ),
    (
        ProxyLogin,
        "proxy-login",
        "connect.proxy-failed",
        WEB,
        "proxy that answers 407",
        "RFC 9110, 15.5.8: proxy authentication required",
    ),
    (
        ProxyClosed,
        "proxy-closed",
        "connect.proxy-failed",
        WEB,
        "proxy that is down",
        "the proxy, not the target, is what refuses",
    ),
    (
        ProxySilent,
        "proxy-silent",
        "connect.proxy-failed",
        WEB,
        "proxy that says nothing",
        "the proxy, not the target, is what stays silent",
    ),
    (
        ProxyLost,
        "proxy-without-a-way",
        "connect.proxy-failed",
        WEB,
        "proxy that answers 502",
        "RFC 9110, 15.6.3: the proxy did not reach the target",
    ),
];

/// Every trouble with every kind that it can happen to.
pub(super) fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for &(trouble, name, code, kinds, server, source) in ROWS {
        for &kind in kinds {
            let expected = expected(kind, trouble, code);
            let seed = move |mark: &Mark| Ok(seed(kind, trouble, mark));
            let fault = Fault::new(kind, Family::World, name, server, expected, source, seed);
            let waits = matches!(
                trouble,
                NameServerSilent | FullQueue | Silent | Drip | SilentHandshake | ProxySilent
            );
            faults.push(if waits { fault.silent() } else { fault });
        }
    }
    faults
}

/// The key that names the address is the one to look at; where the target names it, none is.
fn expected(kind: Kind, trouble: Trouble, code: &'static str) -> Expected {
    let config = |pointer| ("CONFIG", pointer);
    // A login of its own is what a broker and a NameNode are asked for first.
    let code = match (trouble, kind) {
        (Silent, Kind::Kafka | Kind::Hdfs) => "authenticate.timed-out",
        _ => code,
    };
    let expected = Expected::fail(code).at(match kind {
        Kind::Hdfs => "namenode",
        Kind::Kafka => "bootstrap",
        Kind::S3 | Kind::Azure | Kind::Gcs | Kind::Http => "endpoint",
    });
    match (kind, trouble) {
        // The option is to blame, which is no key.
        (_, ProxyForbids | ProxyLogin | ProxyClosed | ProxySilent | ProxyLost) => expected,
        (Kind::S3 | Kind::Azure | Kind::Gcs, _) => expected.key(config("/endpoint_url")),
        (Kind::Kafka, PlainPort | SshPort | TlsPort) => expected.key(config("/security.protocol")),
        (Kind::Kafka, UnknownIssuer) => expected.key(config("/ssl.ca.pem")),
        (Kind::Kafka, ClientCertificate) => expected.key(config("/ssl.certificate.location")),
        (Kind::Http | Kind::Hdfs | Kind::Kafka, _) => expected,
    }
}

/// Where a link goes to.
struct Address {
    tls: bool,
    host: String,
    port: u16,
}

impl Address {
    fn plain(address: SocketAddr) -> Self {
        Self {
            tls: false,
            host: address.ip().to_string(),
            port: address.port(),
        }
    }

    fn tls(address: SocketAddr) -> Self {
        Self {
            tls: true,
            ..Self::plain(address)
        }
    }

    fn named(host: &str) -> Self {
        Self {
            tls: false,
            host: host.to_owned(),
            port: 8020,
        }
    }

    fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

fn seed(kind: Kind, trouble: Trouble, mark: &Mark) -> Seeded {
    let to = |address: &Address| link(kind, mark, address);
    let broken = |fault| {
        let server = Broken::start(fault);
        to(&Address::plain(server.addr())).hold(server)
    };
    let secure = |fault| {
        let server = Broken::start(fault);
        to(&Address::tls(server.addr())).hold(server)
    };
    let named = |answer| {
        let server = DnsServer::always(answer);
        to(&Address::named("service.zoo.test")).name_server(server)
    };
    let proxied = |behaviour| {
        let proxy = ConnectProxy::start(behaviour);
        let server = HttpEndpoint::start();
        to(&Address::plain(server.addr()))
            .proxy(proxy.url())
            .hold(server)
            .hold(proxy)
    };
    let certificates = Certificates::shared();
    let shown = |identity| {
        let script = ScriptedHttp::script();
        let server = script.start_tls(certificates.server_tls(identity));
        to(&Address::tls(server.addr())).hold(server)
    };
    match trouble {
        NameUnknown => named(DnsAnswer::NotFound),
        NameWithoutAddress => named(DnsAnswer::NoAddress),
        NameServerFails => named(DnsAnswer::ServerFailure),
        NameServerRefuses => named(DnsAnswer::Refused),
        NameServerSilent => named(DnsAnswer::Silence),
        MetadataAddress => {
            let address = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
            let mut seeded = to(&Address::plain(SocketAddr::new(address, 80)));
            // Another tool would send its packets there.
            seeded.untold = Some("it would leave this machine");
            seeded
        }
        Closed => {
            let port = RefusedPort::start();
            to(&Address::plain(port.addr())).hold(port)
        }
        FullQueue => {
            let hole = BlackHole::start();
            to(&Address::plain(hole.addr())).hold(hole)
        }
        Unreachable => to(&Address {
            tls: false,
            host: UNREACHABLE.to_owned(),
            port: 9000,
        }),
        Reset => broken(broken::Fault::Reset),
        HangsUp => broken(broken::Fault::Close),
        Silent => broken(broken::Fault::Silent),
        Drip => broken(broken::Fault::Drip {
            interval: Duration::from_secs(1),
        }),
        EndlessBody => broken(broken::Fault::EndlessBody),
        EndlessHeader => broken(broken::Fault::EndlessHeader),
        Ssh => broken(broken::Fault::SpeaksFirst(SSH_BANNER.to_vec())),
        PlainPort => secure(broken::Fault::Answers(HTTP_BAD_REQUEST.to_vec())),
        SshPort => secure(broken::Fault::SpeaksFirst(SSH_BANNER.to_vec())),
        TlsPort => {
            let tls = certificates.server_tls(certificates.good());
            let server = ScriptedHttp::script().start_tls(tls);
            to(&Address::plain(server.addr())).hold(server)
        }
        Expired => shown(certificates.expired()),
        NotYetValid => shown(certificates.not_yet_valid()),
        UnknownIssuer => shown(certificates.unknown_issuer()),
        WrongName => shown(certificates.wrong_name()),
        Alert => secure(broken::Fault::Answers(TLS_HANDSHAKE_FAILURE.to_vec())),
        SilentHandshake => secure(broken::Fault::Silent),
        ClientCertificate => {
            let tls = certificates.mutual_tls(certificates.good());
            let server = ScriptedHttp::script()
                .on(crate::Match::any(), [Answer::status(200)])
                .start_tls(tls);
            to(&Address::tls(server.addr())).hold(server)
        }
        ProxyForbids => proxied(ProxyBehaviour::Refuse(403)),
        ProxyLogin => proxied(ProxyBehaviour::Refuse(407)),
        ProxySilent => proxied(ProxyBehaviour::Silent),
        ProxyLost => proxied(ProxyBehaviour::Refuse(502)),
        ProxyClosed => {
            let port = RefusedPort::start();
            let server = HttpEndpoint::start();
            to(&Address::plain(server.addr()))
                .proxy(format!("http://{}", port.addr()))
                .hold(server)
                .hold(port)
        }
    }
}

/// A link of this kind that goes to an address, with marked secrets.
fn link(kind: Kind, mark: &Mark, address: &Address) -> Seeded {
    match kind {
        Kind::S3 => Seeded::read(mark, super::s3::link(mark, &address.url()), "orders/2026/"),
        Kind::Azure => super::azure::read(mark, super::azure::link(mark, &address.url())),
        Kind::Gcs => Seeded::read(mark, super::gcs::link(mark, &address.url()), "orders/2026/"),
        Kind::Http => {
            let url = format!("{}/score", address.url());
            Seeded::call(mark, super::http::link(mark), url)
        }
        Kind::Hdfs => {
            let link = LinkStatement::new("l", "HDFS").config("kerberos.user", "alice");
            let link = link.with_empty_credentials();
            let target = format!("hdfs://{}:{}/data", address.host, address.port);
            Seeded::read(mark, link, target)
        }
        Kind::Kafka => {
            let link = super::kafka::link(mark, address.tls);
            let target = format!("{}:{}/orders", address.host, address.port);
            Seeded::read(mark, link, target)
        }
    }
}
