//! fake-gcs-server, a stand-in for Google Cloud Storage, with a small world of buckets and objects
//! inside.

mod service_account;
mod store;

use std::ops::Deref;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

pub use service_account::ServiceAccount;
pub use store::GcsStore;

use crate::image::Image;
use crate::server::{Backend, CERTIFICATE, KEY, Launch, Place, Server, Tls, shared};
use crate::wire::Wire;
use crate::{Certificates, Error, Identity, LinkStatement, install, versions};

pub(crate) const BACKEND: Backend = Backend {
    name: "fake-gcs",
    image: Image {
        repository: "fsouza/fake-gcs-server",
        tag: versions::FAKE_GCS,
        variable: "LINKDIAL_FAKE_GCS_IMAGE",
        port: 4443,
        command: &[],
        pull: true,
    },
    program: || install::fake_gcs().map(Command::new),
    // It usually takes some milliseconds.
    start: Duration::from_secs(30),
    further: 0,
};

/// How a [`FakeGcs`] is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeGcsOptions<'a> {
    tls: Tls<'a>,
}

impl<'a> FakeGcsOptions<'a> {
    /// Speaks TLS with this certificate of these authorities.
    #[must_use]
    pub fn tls(mut self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        self.tls = Tls::new(certificates, identity);
        self
    }

    /// Installs fake-gcs-server if needed (two minutes, once), starts it and fills it
    /// (milliseconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start(self) -> Result<FakeGcs, Error> {
        FakeGcs::launch(self.tls)
    }
}

/// A fake-gcs-server on loopback with its own buckets and objects; it ends with the handle.
///
/// | bucket | what is inside |
/// | --- | --- |
/// | `public` | `top.txt`, `team/a/one.txt`, `other/two.txt`, each with `hello\n` |
/// | `empty` | nothing |
///
/// **It checks no credentials.** Everybody may list, read, write and delete everything: without any,
/// with a key that nobody knows, with a wrong signature. So it serves for anonymous links and for
/// the way a token takes, and never for a refusal; [`Minio::shared_gcs`](crate::Minio::shared_gcs)
/// checks the signatures of HMAC keys.
///
/// Of the XML API it lists buckets and reads and deletes objects. A bucket that does not exist is
/// a 500 there (`<Code>500`), and a 404 in the JSON API. An upload by `PUT` is refused with 400
/// `invalid uploadType` unless its URL is signed; [`GcsStore`] uploads by the JSON API. It knows
/// its host by [`FakeGcs::endpoint_url`] alone: in any other name it sees a bucket.
///
/// It keeps everything in memory.
#[derive(Debug)]
pub struct FakeGcs {
    server: Server,
}

impl Deref for FakeGcs {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl FakeGcs {
    /// Starts a server in plain text.
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start() -> Result<Self, Error> {
        FakeGcsOptions::default().start()
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start_tls() -> Result<Self, Error> {
        Self::launch(Tls::shared())
    }

    /// The plain server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<FakeGcs> = OnceLock::new();
        shared(&SHARED, Self::start)
    }

    /// The server with TLS that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_tls() -> &'static Self {
        static SHARED: OnceLock<FakeGcs> = OnceLock::new();
        shared(&SHARED, Self::start_tls)
    }

    fn launch(tls: Tls<'_>) -> Result<Self, Error> {
        let ready = |wire: &Wire| wire.healthy("/_internal/healthcheck");
        let settings = |place: &Place| settings(place, tls);
        let server = Server::start(&BACKEND, tls, settings, ready)?;
        let fake = Self { server };
        fake.fill()?;
        Ok(fake)
    }

    fn fill(&self) -> Result<(), Error> {
        let store = self.store();
        for bucket in ["public", "empty"] {
            store.make_bucket(bucket)?;
        }
        for object in ["top.txt", "team/a/one.txt", "other/two.txt"] {
            store.put("public", object, b"hello\n")?;
        }
        Ok(())
    }

    /// The address as `endpoint_url`.
    pub fn endpoint_url(&self) -> String {
        self.server.wire().url()
    }

    /// A small client.
    pub fn store(&self) -> GcsStore {
        GcsStore::new(self.server.wire().clone())
    }

    /// A ready `CREATE LINK` without credentials.
    pub fn anonymous_link(&self, name: &str) -> LinkStatement {
        LinkStatement::new(name, "GCS")
            .with_empty_credentials()
            .config("endpoint_url", self.endpoint_url())
    }

    /// A ready `CREATE LINK` with the key of this account inside, as an object of JSON.
    pub fn service_account_link(&self, name: &str, account: &ServiceAccount) -> LinkStatement {
        self.anonymous_link(name)
            .credential(ServiceAccount::LINK_KEY, account.json())
    }
}

fn settings(place: &Place, tls: Tls<'_>) -> Launch {
    let scheme = if tls.identity().is_some() {
        "https"
    } else {
        "http"
    };
    let launch = Launch::default()
        .arguments(["-backend", "memory", "-log-level", "warn"])
        .arguments(["-scheme", scheme])
        .arguments(["-host", &place.listen.ip().to_string()])
        .arguments(["-port", &place.listen.port().to_string()])
        // What it does not know as its host is a bucket to it.
        .arguments(["-public-host", &place.address.to_string()])
        .arguments(["-external-url", &format!("{scheme}://{}", place.address)]);
    if tls.identity().is_none() {
        return launch;
    }
    launch
        .arguments(["-cert-location".to_owned(), place.path(CERTIFICATE)])
        .arguments(["-private-key-location".to_owned(), place.path(KEY)])
        .tls(tls)
}
