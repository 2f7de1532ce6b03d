use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};
use time::{Duration, OffsetDateTime};

use crate::Scratch;

/// What a server needs to shake hands; made by [`Certificates`].
pub type ServerTls = Arc<ServerConfig>;

/// A certificate with its key.
pub struct Identity {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key: PrivateKeyDer<'static>,
    key_pem: String,
}

impl Identity {
    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key in PEM (PKCS #8).
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The certificate in DER.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    /// The private key in DER (PKCS #8).
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("certificate", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new(name: &str, now: OffsetDateTime) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = now - Duration::days(3650);
        params.not_after = now + Duration::days(3650);
        let key = generate();
        let certificate = params
            .self_signed(&key)
            .expect("the parameters are complete");
        Self {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self, mut params: CertificateParams) -> Identity {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = generate();
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the parameters are complete");
        Identity {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// A throw-away certificate authority, a foreign one, and certificates with one fault each.
///
/// Names of the good certificate: `localhost`, `*.localhost` (which rustls does not take for a
/// wildcard: it wants two labels behind the star), `*.s3.localhost`, `linkdial.test`,
/// `*.linkdial.test`, `127.0.0.1`, `::1`.
pub struct Certificates {
    folder: Scratch,
    ca_file: PathBuf,
    foreign_ca_file: PathBuf,
    ca: Authority,
    foreign_ca: Authority,
    good: Identity,
    expired: Identity,
    not_yet_valid: Identity,
    expires_soon: Identity,
    wrong_name: Identity,
    unknown_issuer: Identity,
    client: Identity,
    foreign_client: Identity,
}

impl Certificates {
    /// Makes new authorities and certificates (P-256, a few milliseconds) and writes the two
    /// authorities to files.
    ///
    /// # Panics
    ///
    /// When the folder for temporary files cannot be written.
    pub fn generate() -> Self {
        let now = OffsetDateTime::now_utc();
        let day = Duration::days(1);
        let ca = Authority::new("linkdial test CA", now);
        let foreign_ca = Authority::new("linkdial foreign CA", now);
        let valid = |from, to| server("localhost", local_names(), from, to);
        let folder = Scratch::new("certs").expect("temporary files can be written");
        let file = |name, text: &str| {
            folder
                .write(name, text)
                .expect("temporary files can be written")
        };
        Self {
            good: ca.issue(valid(now - day, now + day * 365)),
            expired: ca.issue(valid(now - day * 60, now - day * 30)),
            not_yet_valid: ca.issue(valid(now + day * 30, now + day * 395)),
            expires_soon: ca.issue(valid(now - day, now + day * 10)),
            wrong_name: ca.issue(server(
                "other.example",
                vec![dns_name("other.example")],
                now - day,
                now + day * 365,
            )),
            unknown_issuer: foreign_ca.issue(valid(now - day, now + day * 365)),
            client: ca.issue(client("linkdial-client", now)),
            foreign_client: foreign_ca.issue(client("linkdial-foreign-client", now)),
            ca_file: file("ca.pem", &ca.pem),
            foreign_ca_file: file("foreign-ca.pem", &foreign_ca.pem),
            folder,
            ca,
            foreign_ca,
        }
    }

    /// Issues a good certificate for other names, such as those of a service that is played.
    pub fn issue(&self, names: &[&str]) -> Identity {
        let now = OffsetDateTime::now_utc();
        let day = Duration::days(1);
        let names: Vec<_> = names.iter().map(|name| dns_name(name)).collect();
        self.ca
            .issue(server("issued", names, now - day, now + day * 365))
    }

    /// The certificates that all tests of one process may share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Certificates> = OnceLock::new();
        SHARED.get_or_init(Self::generate)
    }

    /// The authority's certificate in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca.pem
    }

    /// The file with the authority's certificate, for `--ca-file`.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The foreign authority's certificate in PEM.
    pub fn foreign_ca_pem(&self) -> &str {
        &self.foreign_ca.pem
    }

    /// The file with the foreign authority's certificate.
    pub fn foreign_ca_file(&self) -> &Path {
        &self.foreign_ca_file
    }

    /// The folder that holds the files; it goes away with this value or with the process.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A server certificate without a fault.
    pub fn good(&self) -> &Identity {
        &self.good
    }

    /// A server certificate that ended 30 days ago.
    pub fn expired(&self) -> &Identity {
        &self.expired
    }

    /// A server certificate that begins in 30 days.
    pub fn not_yet_valid(&self) -> &Identity {
        &self.not_yet_valid
    }

    /// A good server certificate that ends within 10 days.
    pub fn expires_soon(&self) -> &Identity {
        &self.expires_soon
    }

    /// A server certificate for `other.example` alone.
    pub fn wrong_name(&self) -> &Identity {
        &self.wrong_name
    }

    /// A server certificate of the foreign authority.
    pub fn unknown_issuer(&self) -> &Identity {
        &self.unknown_issuer
    }

    /// A client certificate.
    pub fn client(&self) -> &Identity {
        &self.client
    }

    /// A client certificate of the foreign authority.
    pub fn foreign_client(&self) -> &Identity {
        &self.foreign_client
    }

    /// A server that shows this certificate and asks for none.
    pub fn server_tls(&self, identity: &Identity) -> ServerTls {
        Self::server_tls_versions(identity, rustls::ALL_VERSIONS)
    }

    /// A server that shows this certificate and speaks these versions only.
    ///
    /// # Panics
    ///
    /// When no version is given.
    pub fn server_tls_versions(
        identity: &Identity,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ServerTls {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate()], identity.key())
            .expect("certificate and key belong together");
        Arc::new(config)
    }

    /// A server that shows this certificate and requires one of this authority from the client.
    ///
    /// # Panics
    ///
    /// Never: the authority was made by this value.
    pub fn mutual_tls(&self, identity: &Identity) -> ServerTls {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider())
                .build()
                .expect("there is a root");
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![identity.certificate()], identity.key())
            .expect("certificate and key belong together");
        Arc::new(config)
    }

    /// A client that trusts this authority alone and shows no certificate.
    ///
    /// # Panics
    ///
    /// Never: the authority was made by this value.
    pub fn client_tls(&self) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        Arc::new(config)
    }

    /// A client that trusts this authority alone and shows this certificate.
    ///
    /// # Panics
    ///
    /// Never: the authority was made by this value.
    pub fn client_tls_with(&self, identity: &Identity) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_root_certificates(self.roots())
            .with_client_auth_cert(vec![identity.certificate()], identity.key())
            .expect("certificate and key belong together");
        Arc::new(config)
    }

    /// A client that trusts exactly this certificate: for the set-up of a server, which must work
    /// whatever fault the certificate has.
    pub(crate) fn pinned(identity: &Identity) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the provider knows TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned(identity.certificate())))
            .with_no_client_auth();
        Arc::new(config)
    }

    /// This authority as the only root.
    ///
    /// # Panics
    ///
    /// Never: the authority was made by this value.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.ca.certificate.clone())
            .expect("the authority is well formed");
        roots
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn generate() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("P-256 is supported")
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

fn server(
    common_name: &str,
    names: Vec<SanType>,
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> CertificateParams {
    let mut params = named(common_name);
    params.subject_alt_names = names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = from;
    params.not_after = to;
    params
}

fn client(common_name: &str, now: OffsetDateTime) -> CertificateParams {
    let mut params = named(common_name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(365);
    params
}

fn local_names() -> Vec<SanType> {
    vec![
        dns_name("localhost"),
        dns_name("*.localhost"),
        dns_name("*.s3.localhost"),
        dns_name("linkdial.test"),
        dns_name("*.linkdial.test"),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]
}

fn dns_name(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("the name is ASCII"))
}

/// Takes one certificate for good, and no other.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
