use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::admin::{self, APIS, Acl, Credential};
use super::kerberos::{self, Realm, Service};
use super::listener::FURTHER;
use super::settings::{Listener, Node, Properties};
use super::wire::Client;
use super::{BACKEND, Kafka, START, is_ready, pipeline, settled, user};
use crate::broken::{Broken, Fault, RefusedPort};
use crate::server::{Backend, Launch, Place, Server, Tls};
use crate::token_issuer::{AUDIENCE, ISSUER};
use crate::wire::Wire;
use crate::{
    Certificates, Error, Identity, KafkaListener, KafkaUser, Kdc, LinkStatement, Scratch,
    TokenIssuer, server,
};

const SECURED: Backend = Backend {
    further: FURTHER.len(),
    ..BACKEND
};

/// The common name of [`Certificates::client`].
const CERTIFICATE_OWNER: &str = "linkdial-client";

/// Key and certificate of the broker, and the authority that it takes certificates of; below the
/// folder of the run.
const KEYSTORE: &str = "certs/broker.pem";
const TRUSTED: &str = "certs/ca.pem";

/// The key of the tokens' issuer, below the folder of the run: no way leads out of a container.
const ISSUER_KEY: &str = "issuer.json";

/// What clients name in their settings, below a folder of this machine.
const CA: &str = "ca.pem";
const CLIENT: &str = "client.pem";
const CLIENT_KEY: &str = "client-key.pem";

/// How a [`SecuredKafka`] is started.
#[derive(Debug, Clone, Default)]
pub struct KafkaOptions<'a> {
    tls: Tls<'a>,
    properties: Vec<(String, String)>,
}

impl<'a> KafkaOptions<'a> {
    /// Shows this certificate of these authorities; the default is the good one of
    /// [`Certificates::shared`].
    #[must_use]
    pub fn tls(mut self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        self.tls = Tls::new(certificates, identity);
        self
    }

    /// Sets a property of the broker, such as `auto.create.topics.enable`.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.properties.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Installs Kafka if needed (a minute, once), starts it and makes its users and topics (some
    /// seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start(self) -> Result<SecuredKafka, Error> {
        SecuredKafka::launch(self)
    }
}

/// An Apache Kafka broker on loopback with every [`KafkaListener`] at once, with users and their
/// rights; it ends with the handle.
///
/// Inside are the topics `orders` with three partitions, `empty` and `secret` with two, and no
/// record. [`KafkaUser`] says who may do what; the owner of the client certificate may do what
/// [`KafkaUser::Alice`] may. What is not allowed is denied.
#[derive(Debug)]
pub struct SecuredKafka {
    kafka: Kafka,
    credentials: ClientFiles,
    issuer: TokenIssuer,
    realm: Realm,
    dead: Dead,
}

/// What the listeners that mislead advertise.
#[derive(Debug)]
struct Dead {
    closed: RefusedPort,
    mute: Broken,
}

impl Deref for SecuredKafka {
    type Target = Kafka;

    fn deref(&self) -> &Kafka {
        &self.kafka
    }
}

impl SecuredKafka {
    /// Starts a broker with the certificates of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start() -> Result<Self, Error> {
        KafkaOptions::default().start()
    }

    /// The broker that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<SecuredKafka> = OnceLock::new();
        server::shared_by(&SHARED, Self::start, |shared| &shared.kafka)
    }

    /// Allows a principal, as `User:alice`, an operation on a topic, by the name that `kafka-acls.sh`
    /// has for it, and waits until the broker goes by that.
    ///
    /// # Errors
    ///
    /// When the broker does not answer or refuses, or knows no such operation or principal.
    pub fn allow(&self, principal: &str, operation: &str, topic: &str) -> Result<(), Error> {
        let doing = "give a right to a user";
        let user = principal.strip_prefix("User:");
        let (Some(user), Some(operation)) = (user, admin::operation(operation)) else {
            return Err(Error::Refused {
                doing: doing.to_owned(),
                answer: format!("{principal} and {operation} are not spelled so"),
            });
        };
        let acl = Acl {
            topic,
            user,
            operation,
        };
        let client = &self.kafka.client;
        let count = || client.count_acls().map_err(Error::io("count the rights"));
        let before = count()?;
        settled(doing, |_| client.create_acls(&[acl]).map(|code| (code, ())))?;
        self.kafka.wait(START, || match count() {
            Ok(count) if count > before => Ok(()),
            Ok(_) => Err("the right is not known yet".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }

    fn launch(mut options: KafkaOptions<'_>) -> Result<Self, Error> {
        if options.tls.certificates().is_none() {
            options.tls = Tls::shared();
        }
        let dead = Dead {
            closed: RefusedPort::start(),
            mute: Broken::start(Fault::Silent),
        };
        let ready = |wire: &Wire| {
            let client = Client::new(wire.address);
            is_ready(&client)?;
            let versions = client.check_versions(&APIS);
            versions.map_err(|error| error.to_string())
        };
        let issuer = TokenIssuer::start();
        let kdc = Kdc::start()?;
        let service = Service::new(&kdc)?;
        let settings = |place: &Place| settings(place, &options, &issuer, &service, &dead);
        let (server, users, keytabs) = std::thread::scope(|scope| {
            // While the broker starts.
            let users = scope.spawn(|| {
                KafkaUser::ALL.map(|user| Credential::both(user.name(), &user.password()))
            });
            let keytabs = scope.spawn(|| kerberos::keytabs(&kdc));
            let server = Server::start(&SECURED, Tls::default(), settings, ready);
            (server, users.join(), keytabs.join())
        });
        let kafka = Kafka::of(server?);
        let users = users.expect("a password can be salted");
        let keytabs = keytabs.expect("making keytabs does not panic")?;
        fill(&kafka, &users)?;
        Ok(Self {
            kafka,
            credentials: ClientFiles::new(options.tls)?,
            issuer,
            realm: Realm::new(kdc, keytabs),
            dead,
        })
    }

    /// Who gives tokens for [`KafkaListener::Oidc`].
    pub fn issuer(&self) -> &TokenIssuer {
        &self.issuer
    }

    /// The realm of Kerberos whose users [`KafkaListener::Gssapi`] lets in.
    pub fn kdc(&self) -> &Kdc {
        &self.realm.kdc
    }

    /// The address of a listener as the target of a pipeline takes it: `127.0.0.1:PORT`, and
    /// `localhost:PORT` for [`KafkaListener::Gssapi`], since Kerberos knows services by name.
    pub fn bootstrap_of(&self, listener: KafkaListener) -> String {
        let address = self.addr_of(listener);
        match listener {
            KafkaListener::Gssapi => format!("{}:{}", kerberos::HOST, address.port()),
            _ => address.to_string(),
        }
    }

    /// The address of a listener.
    pub fn addr_of(&self, listener: KafkaListener) -> SocketAddr {
        let further = FURTHER.iter().zip(self.kafka.further());
        let mut further = further.filter(|(known, _)| known.name() == listener.name());
        match further.next() {
            Some((_, port)) => SocketAddr::from((Ipv4Addr::LOCALHOST, *port)),
            None => self.kafka.addr(),
        }
    }

    /// The `host:port` that a listener sends its clients to.
    pub fn advertised_by(&self, listener: KafkaListener) -> String {
        advertised(listener, self.addr_of(listener).port(), &self.dead)
    }

    /// The `host:port` of each broker, as a listener in plain text without a login tells of it.
    ///
    /// # Errors
    ///
    /// When it does not answer, or is another listener.
    pub fn brokers_of(&self, listener: KafkaListener) -> Result<Vec<String>, Error> {
        let metadata = Client::new(self.addr_of(listener)).metadata(None);
        Ok(metadata
            .map_err(Error::io("ask Kafka for brokers"))?
            .brokers)
    }

    /// A ready `CREATE LINK` for a listener, with certificates and keys in the statement.
    ///
    /// The user counts where the listener has a login. A keytab is always a file, which goes with
    /// the handle.
    pub fn create_link_for(
        &self,
        name: &str,
        listener: KafkaListener,
        user: KafkaUser,
    ) -> LinkStatement {
        let files = &self.credentials;
        let link = self.link(name, listener, user);
        let link = if listener.is_tls() {
            link.config("ssl.ca.pem", files.ca.as_str())
        } else {
            link
        };
        if listener == KafkaListener::MutualTls {
            link.config("ssl.certificate.pem", files.certificate.as_str())
                .credential("ssl.key.pem", files.key.as_str())
        } else {
            link
        }
    }

    /// The same with the paths of files that go with the handle.
    pub fn create_link_with_files(
        &self,
        name: &str,
        listener: KafkaListener,
        user: KafkaUser,
    ) -> LinkStatement {
        let link = self.link(name, listener, user);
        let path = |file| self.credentials.path(file).display().to_string();
        let link = if listener.is_tls() {
            link.config("ssl.ca.location", path(CA))
        } else {
            link
        };
        if listener == KafkaListener::MutualTls {
            link.config("ssl.certificate.location", path(CLIENT))
                .config("ssl.key.location", path(CLIENT_KEY))
        } else {
            link
        }
    }

    /// A link without certificates.
    fn link(&self, name: &str, listener: KafkaListener, user: KafkaUser) -> LinkStatement {
        let link = LinkStatement::new(name, "KAFKA")
            .config("security.protocol", listener.protocol().to_lowercase())
            .with_empty_credentials();
        let Some(mechanism) = listener.mechanism() else {
            return link;
        };
        let link = link.config("sasl.mechanism", mechanism);
        match listener {
            KafkaListener::OauthBearer => link
                .config("enable.sasl.oauthbearer.unsecure.jwt", "true")
                .config(
                    "sasl.oauthbearer.config",
                    format!("principal={}", user.name()),
                ),
            KafkaListener::Oidc => link
                .config("sasl.oauthbearer.method", "oidc")
                .config(
                    "sasl.oauthbearer.token.endpoint.url",
                    self.issuer.token_endpoint(),
                )
                .config("sasl.oauthbearer.client.id", user.name())
                .credential("sasl.oauthbearer.client.secret", user.password()),
            KafkaListener::Gssapi => self.realm.log_in(link, user),
            _ => link
                .credential("sasl.username", user.name())
                .credential("sasl.password", user.password()),
        }
    }

    /// A ready `CREATE PIPELINE` that reads a topic by this listener through the link.
    pub fn create_pipeline_for(
        &self,
        name: &str,
        listener: KafkaListener,
        topic: &str,
        link: &LinkStatement,
    ) -> String {
        pipeline(name, &self.bootstrap_of(listener), topic, link)
    }
}

/// The certificates and the key of a client, as text and as files.
struct ClientFiles {
    folder: Scratch,
    ca: String,
    certificate: String,
    key: String,
}

impl ClientFiles {
    fn new(tls: Tls<'_>) -> Result<Self, Error> {
        let certificates = tls.certificates().expect("the options have a default");
        let client = certificates.client();
        let files = Self {
            folder: Scratch::new("kafka-client")?,
            ca: certificates.ca_pem().to_owned(),
            certificate: client.certificate_pem().to_owned(),
            key: client.key_pem().to_owned(),
        };
        files.folder.write(CA, &files.ca)?;
        files.folder.write(CLIENT, &files.certificate)?;
        files.folder.write(CLIENT_KEY, &files.key)?;
        Ok(files)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}

impl fmt::Debug for ClientFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFiles")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn advertised(listener: KafkaListener, port: u16, dead: &Dead) -> String {
    match listener {
        KafkaListener::ClosedPort => dead.closed.addr().to_string(),
        KafkaListener::UnresolvableName => format!("broker-1.invalid:{port}"),
        KafkaListener::Mute => dead.mute.addr().to_string(),
        KafkaListener::Gssapi => format!("{}:{port}", kerberos::HOST),
        _ => format!("127.0.0.1:{port}"),
    }
}

/// Makes users, rights and topics, and waits until the broker goes by them.
fn fill(kafka: &Kafka, users: &[[Credential; 2]]) -> Result<(), Error> {
    let client = &kafka.client;
    for mechanism in [0, 1] {
        settled("make the users", |_| {
            let users = users.iter().map(|both| &both[mechanism]);
            client.set_credentials(users).map(|code| (code, ()))
        })?;
    }
    let rights = user::rights(CERTIFICATE_OWNER);
    settled("give rights to the users", |_| {
        client.create_acls(&rights).map(|code| (code, ()))
    })?;
    for (topic, partitions) in [("orders", 3), ("empty", 2), ("secret", 2)] {
        kafka.create_topic(topic, partitions)?;
    }
    // The broker takes over what the controller has stored in the same order: users come first.
    kafka.wait(START, || {
        match client.count_acls().map_err(|error| error.to_string())? {
            count if count == rights.len() => Ok(()),
            count => Err(format!("{count} of {} rights are known", rights.len())),
        }
    })
}

fn settings(
    place: &Place,
    options: &KafkaOptions<'_>,
    issuer: &TokenIssuer,
    service: &Service,
    dead: &Dead,
) -> Launch {
    let further = FURTHER.into_iter().zip(&place.further);
    let further = further.map(|(listener, port)| Listener {
        name: listener.name(),
        protocol: listener.protocol(),
        listen: SocketAddr::from((place.listen.ip(), *port)),
        advertised: advertised(listener, *port, dead),
    });
    let listeners: Vec<_> = [Listener::plaintext(place)]
        .into_iter()
        .chain(further)
        .collect();
    let mut properties = Properties::new(&Node::alone(place), &listeners);
    for (name, value) in [
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", &place.path(KEYSTORE)),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.location", &place.path(TRUSTED)),
        ("listener.name.mtls.ssl.client.auth", "required"),
        (
            "listener.name.mtls.ssl.principal.mapping.rules",
            "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        ),
        (
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        ),
        // Without a login everybody is ANONYMOUS, the broker too.
        ("super.users", "User:ANONYMOUS;User:admin"),
    ] {
        properties.set(name, value);
    }
    for listener in KafkaListener::ALL {
        if let Some(mechanism) = listener.mechanism() {
            let module = module(listener, service, place);
            add_login(&mut properties, listener, mechanism, module);
        }
    }
    let gssapi = KafkaListener::Gssapi.name().to_lowercase();
    Service::set(&mut properties, &gssapi, place);
    add_issuer(&mut properties, &place.path(ISSUER_KEY));
    for (name, value) in &options.properties {
        properties.set(name, value);
    }
    let tls = options.tls;
    let identity = tls.identity().expect("the options have a default");
    let keystore = format!("{}{}", identity.key_pem(), identity.certificate_pem());
    let certificates = tls.certificates().expect("the options have a default");
    service
        .files(properties.launch(place))
        .file(KEYSTORE, keystore)
        .file(TRUSTED, certificates.ca_pem())
        .file(ISSUER_KEY, issuer.key_set())
}

/// Adds whose tokens count.
fn add_issuer(properties: &mut Properties, key: &str) {
    let key = format!("file://{key}");
    for (name, value) in [
        (
            "oauthbearer.sasl.server.callback.handler.class",
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
        ),
        ("sasl.oauthbearer.jwks.endpoint.url", &key),
        ("sasl.oauthbearer.expected.audience", AUDIENCE),
        ("sasl.oauthbearer.expected.issuer", ISSUER),
    ] {
        properties.set(format!("listener.name.oidc.{name}"), value);
    }
    properties.set_java("org.apache.kafka.sasl.oauthbearer.allowed.urls", key);
}

/// The module that looks after the login of a listener.
fn module(listener: KafkaListener, service: &Service, place: &Place) -> String {
    let module = match listener {
        KafkaListener::Gssapi => return service.module(place),
        KafkaListener::Plain => {
            let users = KafkaUser::ALL.map(|user| {
                let (name, password) = (user.name(), user.password());
                format!(" user_{name}=\"{password}\"")
            });
            format!("plain.PlainLoginModule required{};", users.concat())
        }
        // The broker wants to know who it is, though it never logs in there itself.
        KafkaListener::OauthBearer | KafkaListener::Oidc => {
            "oauthbearer.OAuthBearerLoginModule required \
             unsecuredLoginStringClaim_sub=\"admin\";"
                .to_owned()
        }
        _ => "scram.ScramLoginModule required;".to_owned(),
    };
    format!("org.apache.kafka.common.security.{module}")
}

/// Adds a mechanism of a listener, with the module that looks after it.
fn add_login(
    properties: &mut Properties,
    listener: KafkaListener,
    mechanism: &str,
    module: String,
) {
    let prefix = format!("listener.name.{}", listener.name().to_lowercase());
    properties.set(
        format!("{prefix}.{}.sasl.jaas.config", mechanism.to_lowercase()),
        module,
    );
    let mechanisms = match listener {
        KafkaListener::ScramSha256 | KafkaListener::ScramSha512 => "SCRAM-SHA-256,SCRAM-SHA-512",
        _ => mechanism,
    };
    properties.set(format!("{prefix}.sasl.enabled.mechanisms"), mechanisms);
}
