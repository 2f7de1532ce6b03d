//! The TLS handshake, and why it failed.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use tokio_rustls::TlsConnector;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;

use super::certificate::CertificateFacts;
use super::connect::{Connected, describe};
use super::fault::{ClientCertificate, FaultContext, looks_like_tls, name_protocol, show_bytes};
use super::stream::{Dialled, FirstBytes, Tap};
use super::{Net, NoCertificate};

/// Where the common systems keep all roots in one file: Debian, Red Hat (two), SUSE, Alpine and
/// macOS. `SSL_CERT_FILE` and its like are not read: a pass must not hang on the caller's shell.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A certificate that ends within this many days is worth a warning.
const EXPIRES_SOON_DAYS: i64 = 30;

/// TLS as one link wants it.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// Application protocols to offer, such as `http/1.1`.
    pub alpn: Vec<Vec<u8>>,
    /// The link's own certificate, where it has one.
    pub identity: Option<ClientIdentity>,
    /// The link's own roots, trusted in place of the system's and of `--ca-file`.
    pub roots: Option<Roots>,
    /// The name that the certificate has to hold, where it is not the host that is dialled.
    pub server_name: Option<String>,
}

impl TlsOptions {
    /// Offers HTTP/1.1 only, for a client that runs on the ladder's stream.
    pub fn http1() -> Self {
        Self {
            alpn: vec![b"http/1.1".to_vec()],
            ..Self::default()
        }
    }
}

/// The roots that one link brings along.
#[derive(Clone, Debug)]
pub struct Roots(Arc<WebPkiServerVerifier>);

impl Roots {
    /// Takes the certificates of a link's CA; those that can not sign are left out.
    pub fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, NoCertificate> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(provider()))
            .build()
            .map(Self)
            .map_err(|_| NoCertificate)
    }
}

/// A client certificate with its key.
#[derive(Clone)]
pub struct ClientIdentity(Arc<CertifiedKey>);

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ClientIdentity(..)")
    }
}

impl ClientIdentity {
    /// Takes a chain and its key; the error says when they do not belong together.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        CertifiedKey::from_der(chain, key, &provider()).map(|key| Self(Arc::new(key)))
    }
}

/// The roots of one run, loaded at the first TLS link.
#[derive(Debug)]
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

/// One link's TLS configuration, and what its handshakes show.
#[derive(Clone, Debug)]
pub struct TlsSession {
    config: Arc<ClientConfig>,
    seen: Arc<Recorder>,
    client: Arc<ClientCertificate>,
}

impl TlsSession {
    /// Returns the configuration, for a client that shakes hands itself.
    pub const fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }
}

/// What a good handshake showed.
#[derive(Clone, Debug)]
pub struct TlsFacts {
    version: Option<String>,
    cipher: Option<String>,
    certificate: Option<CertificateFacts>,
    client: Arc<ClientCertificate>,
}

impl TlsFacts {
    /// Returns the facts of the server's certificate.
    pub const fn certificate(&self) -> Option<&CertificateFacts> {
        self.certificate.as_ref()
    }

    /// Returns what the step's notes say.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let mut notes = Vec::with_capacity(8);
        notes.push(("version", self.version.clone().unwrap_or_default()));
        notes.push(("cipher", self.cipher.clone().unwrap_or_default()));
        if let Some(certificate) = &self.certificate {
            notes.extend(certificate.listed());
            notes.push((
                "days_left",
                certificate.days_left(Timestamp::now()).to_string(),
            ));
        }
        if self.client.asked() {
            notes.push(("client_certificate", "asked for".to_owned()));
        }
        notes
    }

    /// Returns the warning that the certificate ends soon.
    pub fn expiry_warning(&self, endpoint: &Endpoint) -> Option<Diagnosis> {
        let certificate = self.certificate.as_ref()?;
        let days = certificate.days_left(Timestamp::now());
        (0..EXPIRES_SOON_DAYS).contains(&days).then(|| {
            Diagnosis::new(
                Code::TlsExpiresSoon,
                format!("the certificate of {endpoint} expires in {days} days"),
            )
            .evidence("not_after", certificate.not_after)
            .evidence("subject", &certificate.subject)
            .evidence("issuer", &certificate.issuer)
            .hint("renew it before then")
        })
    }
}

impl Net {
    /// Returns a TLS configuration on the shared roots, for one link.
    pub fn tls_session(&self, options: &TlsOptions) -> Result<TlsSession, Diagnosis> {
        let trust = self
            .0
            .trust
            .get_or_init(|| Trust::load(&self.0.extra_roots));
        let own = options.roots.as_ref().map(|roots| Arc::clone(&roots.0));
        let verifier = own.or_else(|| trust.verifier.clone()).ok_or_else(|| {
            Diagnosis::new(
                Code::TlsUnknownIssuer,
                "this machine has no root certificates",
            )
            .evidence("looked_in", SYSTEM_ROOTS.join(", "))
            .hint("install the package ca-certificates, or name a file with --ca-file")
        })?;
        let seen = Arc::new(Recorder {
            inner: verifier,
            leaf: Mutex::new(None),
        });
        let client = Arc::new(ClientCertificate::new(
            options
                .identity
                .as_ref()
                .map(|identity| Arc::clone(&identity.0)),
        ));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&trust.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Diagnosis::new(Code::TlsHandshakeFailed, "TLS can not be set up")
                    .evidence("error", error)
            })?;
        // Not dangerous: the recorder only looks; the verifier within decides.
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>)
            .with_client_cert_resolver(Arc::clone(&client) as _);
        config.alpn_protocols.clone_from(&options.alpn);
        // A resumed handshake would show no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(TlsSession {
            config: Arc::new(config),
            seen,
            client,
        })
    }

    /// Shakes hands on a connection.
    pub async fn shake_hands(
        &self,
        endpoint: &Endpoint,
        connected: Connected,
        options: &TlsOptions,
    ) -> Result<Dialled, Diagnosis> {
        let session = self.tls_session(options)?;
        let host = options.server_name.as_ref().unwrap_or(&endpoint.host);
        let name = ServerName::try_from(host.clone()).map_err(|_| {
            Diagnosis::new(
                Code::TlsNameMismatch,
                format!("`{host}` can not stand in a certificate"),
            )
            .hint("TLS wants a host name of letters, digits, dashes and dots, or an address")
        })?;
        let first = FirstBytes::default();
        let tap = Tap::new(connected.stream, first.clone());
        let connector = TlsConnector::from(Arc::clone(&session.config));
        match connector.connect(name, tap).await {
            Ok(stream) => {
                let (_, connection) = stream.get_ref();
                let facts = TlsFacts {
                    version: connection.protocol_version().map(|it| format!("{it:?}")),
                    cipher: connection
                        .negotiated_cipher_suite()
                        .map(|it| format!("{:?}", it.suite())),
                    certificate: session.seen.facts(),
                    client: Arc::clone(&session.client),
                };
                let context =
                    FaultContext::encrypted(endpoint.clone(), first, Arc::clone(&session.client));
                Ok(Dialled::encrypted(stream, facts, context))
            }
            Err(error) => Err(explain(endpoint, host, &error, &session, &first.get())),
        }
    }
}

/// Returns the file of the system's roots that is read.
pub(super) fn system_roots() -> Option<&'static Path> {
    let mut files = SYSTEM_ROOTS.iter().map(Path::new);
    files.find(|path| path.is_file())
}

/// Returns the one cryptography of the program.
pub(super) fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

impl Trust {
    fn load(extra: &[CertificateDer<'static>]) -> Self {
        let mut roots = RootCertStore::empty();
        for path in SYSTEM_ROOTS {
            let Ok(pem) = fs::read(path) else { continue };
            roots.add_parsable_certificates(
                CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok),
            );
            if !roots.is_empty() {
                break;
            }
        }
        roots.add_parsable_certificates(extra.iter().cloned());
        let provider = Arc::new(provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .ok();
        Self { provider, verifier }
    }
}

/// Remembers the server's certificate while another verifier judges it.
#[derive(Debug)]
struct Recorder {
    inner: Arc<WebPkiServerVerifier>,
    leaf: Mutex<Option<CertificateDer<'static>>>,
}

impl Recorder {
    fn facts(&self) -> Option<CertificateFacts> {
        let leaf = self.leaf.lock().ok()?.clone()?;
        CertificateFacts::parse(&leaf)
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Ok(mut leaf) = self.leaf.lock() {
            *leaf = Some(end_entity.clone().into_owned());
        }
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn explain(
    endpoint: &Endpoint,
    host: &str,
    error: &io::Error,
    session: &TlsSession,
    first: &[u8],
) -> Diagnosis {
    let certificate = session.seen.facts();
    let source = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<TlsError>());
    let diagnosis = match source {
        Some(TlsError::InvalidCertificate(reason)) => {
            distrusted(endpoint, host, reason, certificate.as_ref())
        }
        _ if !first.is_empty() && !looks_like_tls(first) => not_tls(endpoint, first),
        Some(TlsError::AlertReceived(alert)) => {
            let alert = *alert;
            if let Some(diagnosis) = session.client.explain_alert(endpoint, alert) {
                return diagnosis;
            }
            Diagnosis::new(
                Code::TlsHandshakeFailed,
                format!("{endpoint} refused the TLS handshake"),
            )
            .evidence("alert", format!("{alert:?}"))
            .evidence("offered", "TLS 1.2, TLS 1.3")
            .hint(match alert {
                rustls::AlertDescription::ProtocolVersion => {
                    "the server speaks only older TLS versions; SingleStore needs 1.2 or newer too"
                }
                rustls::AlertDescription::UnrecognisedName => {
                    "the server has no certificate for that host name: check the host"
                }
                _ => "compare versions and ciphers with `openssl s_client -connect HOST:PORT`",
            })
        }
        Some(other) => Diagnosis::new(
            Code::TlsHandshakeFailed,
            format!("the TLS handshake with {endpoint} failed"),
        )
        .evidence("error", other)
        .hint("look at it with `openssl s_client -connect HOST:PORT`"),
        // A TLS 1.2 server that misses a client certificate sends an alert and closes; what we
        // still had to say then meets a reset that can overtake the alert.
        None if session.client.asked() => session
            .client
            .refusal(endpoint)
            .evidence("during", "TLS handshake")
            .evidence("error", describe(error)),
        None => broken_off(endpoint, error),
    };
    match certificate {
        Some(facts) if diagnosis.code != Code::TlsNotTls => facts
            .listed()
            .into_iter()
            .fold(diagnosis, |diagnosis, (name, value)| {
                diagnosis.evidence(name, value)
            }),
        _ => diagnosis,
    }
}

fn broken_off(endpoint: &Endpoint, error: &io::Error) -> Diagnosis {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Diagnosis::new(
            Code::ConnectReset,
            format!("{endpoint} reset the connection during the TLS handshake"),
        )
        .evidence("during", "TLS handshake")
        .hint("a firewall that inspects TLS, or a port that does not speak it, looks like this"),
        _ => Diagnosis::new(
            Code::TlsHandshakeFailed,
            format!("{endpoint} closed the connection during the TLS handshake"),
        )
        .evidence("error", describe(error))
        .hint("check that the port speaks TLS; some plain-text servers hang up without a word"),
    }
}

fn not_tls(endpoint: &Endpoint, first: &[u8]) -> Diagnosis {
    let protocol = name_protocol(first);
    Diagnosis::new(
        Code::TlsNotTls,
        format!("{endpoint} speaks plain {protocol}, not TLS"),
    )
    .evidence("protocol", protocol)
    .evidence("first_bytes", show_bytes(first))
    .hint(if protocol == "HTTP" {
        "write http:// instead of https://, or the port that speaks TLS"
    } else {
        "this is another service: check the port"
    })
}

fn distrusted(
    endpoint: &Endpoint,
    host: &str,
    reason: &CertificateError,
    certificate: Option<&CertificateFacts>,
) -> Diagnosis {
    let now = Timestamp::now();
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let (what, since) = match certificate.filter(|facts| facts.not_after < now) {
                Some(facts) => {
                    let days = now.duration_since(facts.not_after).as_hours() / 24;
                    ("the certificate", format!(" {days} days ago"))
                }
                None => ("a certificate in the chain", String::new()),
            };
            Diagnosis::new(
                Code::TlsExpired,
                format!("{what} of {endpoint} expired{since}"),
            )
            .evidence("now", now)
            .evidence("reason", reason)
            .hint("renew it on the server, and check the clock of this machine")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let leaf = certificate.is_some_and(|facts| facts.not_before > now);
            let what = if leaf {
                "the certificate"
            } else {
                "a certificate in the chain"
            };
            Diagnosis::new(
                Code::TlsNotYetValid,
                format!("{what} of {endpoint} is not valid yet"),
            )
            .evidence("now", now)
            .evidence("reason", reason)
            .hint("check the clock of this machine, then the certificate's dates")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Diagnosis::new(
                Code::TlsNameMismatch,
                format!("the certificate of {endpoint} is for other names"),
            )
            .evidence("asked_for", host)
            .hint(match certificate.and_then(|facts| facts.names.first()) {
                Some(name) => {
                    format!("use one of its names, such as `{name}`, or add this one to it")
                }
                None => "it has no subject alternative name at all; make one that has".to_owned(),
            })
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Diagnosis::new(
            Code::TlsUnknownIssuer,
            format!("nobody trusted here signed the certificate of {endpoint}"),
        )
        .evidence("reason", reason)
        .hint(
            "give its CA with --ca-file if it is a private one; the cluster must trust it as well",
        ),
        // rustls keeps this reason of its verifier as an unnamed one.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            Diagnosis::new(
                Code::TlsHandshakeFailed,
                format!("the certificate of {endpoint} is that of a CA, not of a server"),
            )
            .evidence("reason", reason)
            .hint(
                "make a server certificate without CA:TRUE, or have that CA sign one and give the \
                 CA with --ca-file",
            )
        }
        other => Diagnosis::new(
            Code::TlsHandshakeFailed,
            format!("the certificate of {endpoint} can not be used"),
        )
        .evidence("reason", other)
        .hint(match other {
            CertificateError::Revoked => "its CA took it back: the server needs a new one",
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "it is not made for servers: its extended key usage must name serverAuth"
            }
            CertificateError::BadEncoding => {
                "it is damaged, or older than X.509 version 3: make a new one"
            }
            _ => "make a new one with a common key and signature, such as RSA 2048 or P-256 with SHA-256",
        }),
    }
}

impl ClientCertificate {
    /// Alerts that servers send when they miss or refuse a client certificate (RFC 8446, section
    /// 6.2; TLS 1.2 servers send `handshake_failure` or `bad_certificate` as well).
    pub(super) fn explain_alert(
        &self,
        endpoint: &Endpoint,
        alert: rustls::AlertDescription,
    ) -> Option<Diagnosis> {
        use rustls::AlertDescription as Alert;
        let about_certificates = matches!(
            alert,
            Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::HandshakeFailure
        );
        if !about_certificates || (!self.asked() && alert != Alert::CertificateRequired) {
            return None;
        }
        Some(
            self.refusal(endpoint)
                .evidence("alert", format!("{alert:?}")),
        )
    }
}

impl rustls::client::ResolvesClientCert for ClientCertificate {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ClientCertificate {
    fn new(identity: Option<Arc<CertifiedKey>>) -> Self {
        Self {
            asked: AtomicBool::new(false),
            identity,
        }
    }
}
