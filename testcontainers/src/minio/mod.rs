//! MinIO with a small world of buckets, objects and users inside.

mod world;

use std::ops::Deref;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha2::Digest;

pub use world::{KMS_KEY_ID, SSE_C_KEY, User};

use crate::image::Image;
use crate::server::{Backend, DATA, Launch, Place, Server, Tls, shared, twice};
use crate::store::Store;
use crate::wire::Wire;
use crate::{Certificates, Error, Identity, LinkStatement, Login, install, versions};

/// The region that the server insists on.
const REGION: &str = "us-east-1";

/// The region that clients of Google Cloud Storage sign for.
const GCS_REGION: &str = "auto";

/// The domain of virtual-host style: `bucket.s3.localhost`.
const DOMAIN: &str = "s3.localhost";

/// How long a start may take on a busy machine; it usually takes half a second.
const START: Duration = Duration::from_mins(1);

pub(crate) const BACKEND: Backend = Backend {
    name: "minio",
    image: Image {
        repository: "minio/minio",
        tag: versions::MINIO_IMAGE,
        variable: "LINKDIAL_MINIO_IMAGE",
        port: 9000,
        command: &[],
        pull: true,
    },
    program: || install::minio().map(Command::new),
    start: START,
    further: 0,
};

/// How a [`Minio`] is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct MinioOptions<'a> {
    tls: Tls<'a>,
    region: Option<&'a str>,
}

impl<'a> MinioOptions<'a> {
    /// Speaks TLS with this certificate of these authorities.
    #[must_use]
    pub fn tls(mut self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        self.tls = Tls::new(certificates, identity);
        self
    }

    /// Insists on another region than `us-east-1`, such as `auto`, which clients of Google Cloud
    /// Storage sign for.
    #[must_use]
    pub fn region(mut self, region: &'a str) -> Self {
        self.region = Some(region);
        self
    }

    /// Installs MinIO if needed (minutes, once), starts it and fills it (a second).
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start(self) -> Result<Minio, Error> {
        Minio::launch(self)
    }
}

/// A MinIO server on loopback with its own buckets and users; it ends with the handle.
///
/// | bucket | what is inside |
/// | --- | --- |
/// | `private`, `locked` | `top.txt`, `team/a/one.txt`, `other/two.txt`, each with `hello\n` |
/// | `public` | the same, open to everybody for list and read |
/// | `empty` | nothing |
/// | `sse-s3`, `sse-kms` | `top.txt`; every object is encrypted by default |
/// | `sse-c` | over TLS: `secret.txt`, encrypted with [`SSE_C_KEY`]; plain: nothing |
///
/// [`User`] says who may do what.
#[derive(Debug)]
pub struct Minio {
    server: Server,
    region: String,
}

impl Deref for Minio {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Minio {
    /// Starts a server in plain text.
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start() -> Result<Self, Error> {
        MinioOptions::default().start()
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start_tls() -> Result<Self, Error> {
        let tls = Tls::shared();
        Self::launch(MinioOptions {
            tls,
            ..MinioOptions::default()
        })
    }

    /// The plain server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Minio> = OnceLock::new();
        shared(&SHARED, Self::start)
    }

    /// The server with TLS that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_tls() -> &'static Self {
        static SHARED: OnceLock<Minio> = OnceLock::new();
        shared(&SHARED, Self::start_tls)
    }

    /// The plain server with the region `auto` that all tests of one process share, in the place of
    /// Google Cloud Storage; it ends with the process.
    ///
    /// It checks the signatures of HMAC keys, which Google's XML API takes in the same form, and
    /// refuses every other region, which Google does not.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_gcs() -> &'static Self {
        static SHARED: OnceLock<Minio> = OnceLock::new();
        shared(&SHARED, Self::start_gcs)
    }

    /// The same with TLS.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_gcs_tls() -> &'static Self {
        static SHARED: OnceLock<Minio> = OnceLock::new();
        shared(&SHARED, Self::start_gcs_tls)
    }

    /// Starts a server of its own as [`Minio::shared_gcs`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start_gcs() -> Result<Self, Error> {
        MinioOptions::default().region(GCS_REGION).start()
    }

    /// The same with TLS and the good certificate of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start_gcs_tls() -> Result<Self, Error> {
        let tls = Tls::shared();
        let options = MinioOptions {
            tls,
            ..MinioOptions::default()
        };
        options.region(GCS_REGION).start()
    }

    fn launch(options: MinioOptions<'_>) -> Result<Self, Error> {
        twice("minio", || Self::launch_once(options))
    }

    fn launch_once(options: MinioOptions<'_>) -> Result<Self, Error> {
        let region = options.region.unwrap_or(REGION);
        let ready = |wire: &Wire| {
            wire.healthy("/minio/health/ready")?;
            knows_its_users(wire)
        };
        let settings = |place: &Place| settings(place, options, region);
        let server = Server::start(&BACKEND, options.tls, settings, ready)?;
        let minio = Self {
            server,
            region: region.to_owned(),
        };
        let root = minio.store();
        world::add_users(&root)?;
        world::add_objects(&root, minio.server.wire().tls.is_some())?;
        Ok(minio)
    }

    /// The address as `endpoint_url`.
    pub fn endpoint_url(&self) -> String {
        self.server.wire().url()
    }

    /// The region it insists on.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// A small client that may do everything.
    pub fn store(&self) -> Store {
        self.store_as(User::Root.login())
    }

    /// A small client with this login.
    pub fn store_as(&self, login: Login) -> Store {
        Store::new(self.server.wire().clone(), &self.region, login)
    }

    /// Trades the user's key for a temporary one (`AssumeRole`, 15 minutes).
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses.
    pub fn assume_role(&self, user: User) -> Result<Login, Error> {
        self.store_as(user.login())
            .assume_role("arn:aws:iam::123456789012:role/any")
    }

    /// Gives the user of a key another secret and returns the new key; the old one is refused from
    /// then on.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses.
    pub fn rotate_secret(&self, login: &Login) -> Result<Login, Error> {
        world::rotate_secret(&self.store(), login)
    }

    /// Gives the user of a key these policies of IAM, one at least, and no others; who is not there is
    /// made.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses.
    pub fn set_policies(&self, login: &Login, policies: &[serde_json::Value]) -> Result<(), Error> {
        world::set_policies(&self.store(), login, policies)
    }

    /// A ready `CREATE LINK` for this login.
    pub fn create_link(&self, name: &str, login: &Login) -> LinkStatement {
        let link = self
            .anonymous_link(name)
            .credential("aws_access_key_id", login.access_key_id.as_str())
            .credential("aws_secret_access_key", login.secret_access_key.as_str());
        match &login.session_token {
            Some(token) => link.credential("aws_session_token", token.as_str()),
            None => link,
        }
    }

    /// A ready `CREATE LINK` without credentials.
    pub fn anonymous_link(&self, name: &str) -> LinkStatement {
        LinkStatement::new(name, "S3")
            .config("endpoint_url", self.endpoint_url())
            .config("region", self.region.as_str())
    }

    /// A ready `CREATE LINK` of the kind `GCS` for this HMAC key, such as [`User::hmac_login`]; the
    /// server has to have the region `auto`.
    pub fn create_gcs_link(&self, name: &str, login: &Login) -> LinkStatement {
        self.anonymous_gcs_link(name)
            .credential("access_id", login.access_key_id.as_str())
            .credential("secret_key", login.secret_access_key.as_str())
    }

    /// A ready `CREATE LINK` of the kind `GCS` without credentials.
    pub fn anonymous_gcs_link(&self, name: &str) -> LinkStatement {
        LinkStatement::new(name, "GCS")
            .with_empty_credentials()
            .config("endpoint_url", self.endpoint_url())
    }

    /// A ready `CREATE LINK` for this login that sends a customer's key (SSE-C).
    pub fn encrypted_link(&self, name: &str, login: &Login, key: &[u8; 32]) -> LinkStatement {
        let prefix = "x-amz-server-side-encryption-customer";
        self.create_link(name, login)
            .config(&format!("{prefix}-algorithm"), "AES256")
            .config(&format!("{prefix}-key"), BASE64.encode(key))
            .config(
                &format!("{prefix}-key-MD5"),
                BASE64.encode(Md5::digest(key)),
            )
    }
}

fn settings(place: &Place, options: MinioOptions<'_>, region: &str) -> Launch {
    let root = User::Root.login();
    let kms_key = BASE64.encode(b"0123456789abcdef0123456789abcdef");
    let listen = place.listen.to_string();
    Launch::default()
        .arguments(["server", "--quiet", "--address", &listen, "--certs-dir"])
        .arguments([place.path("certs"), place.path(DATA)])
        .variable("MINIO_ROOT_USER", root.access_key_id)
        .variable("MINIO_ROOT_PASSWORD", root.secret_access_key)
        .variable("MINIO_BROWSER", "off")
        .variable("MINIO_UPDATE", "off")
        .variable("MINIO_CALLHOME_ENABLE", "off")
        // Without a region of its own MinIO takes every one.
        .variable("MINIO_REGION", region)
        .variable("MINIO_DOMAIN", DOMAIN)
        .variable("MINIO_PROMETHEUS_AUTH_TYPE", "public")
        .variable("MINIO_KMS_SECRET_KEY", format!("{KMS_KEY_ID}:{kms_key}"))
        .file("certs/CAs/.keep", "")
        .tls(options.tls)
}

/// The health page answers before the users have been read for the first time, and users that are
/// made in between get lost; the metrics tell when it has happened.
fn knows_its_users(wire: &Wire) -> Result<(), String> {
    let reply = wire.send("GET", "/minio/metrics/v3/cluster/iam", &[], b"");
    let text = reply.map_err(|error| error.to_string())?.text();
    let reads = text
        .lines()
        .find_map(|line| line.strip_prefix("minio_cluster_iam_sync_successes "));
    match reads {
        Some(count) if count.trim() != "0" => Ok(()),
        _ => Err("the users have not been read yet".to_owned()),
    }
}
