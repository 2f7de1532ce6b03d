//! Azurite, Azure's emulator of blob storage, with a small world of containers and blobs inside.

mod account;
mod blob_store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

pub use account::StorageAccount;
pub use blob_store::BlobStore;

use crate::image::Image;
use crate::server::{Backend, Launch, Place, Server};
use crate::wire::Wire;
use crate::{Certificates, Error, Identity, LinkStatement, Runtime, install, versions};

/// How long a start may take on a busy machine; it usually takes two seconds.
const START: Duration = Duration::from_mins(1);

pub(crate) const BACKEND: Backend = Backend {
    name: "azurite",
    image: Image {
        // The vendor publishes it in a registry of its own, so nobody owns this name elsewhere.
        repository: "azure-storage/azurite",
        tag: versions::AZURITE,
        variable: "LINKDIAL_AZURITE_IMAGE",
        port: 10_000,
        command: &["azurite-blob"],
        pull: false,
    },
    program: install::azurite,
    start: START,
};

/// An Azurite on loopback with its own account, containers and blobs; it ends with the handle.
///
/// | container | what is inside |
/// | --- | --- |
/// | `private` | `top.txt`, `team/a/one.txt`, `other/two.txt`, each with `hello\n` |
/// | `public` | the same, open to everybody for list and read |
/// | `empty` | nothing |
///
/// It runs the blob service alone and keeps everything in memory. It never checks the clock, and
/// says `AuthorizationFailure` where Azure says `AuthenticationFailed`.
#[derive(Debug)]
pub struct Azurite {
    server: Server,
    wire: Wire,
    account: StorageAccount,
    ca_file: Option<PathBuf>,
}

impl Azurite {
    /// Installs Azurite if needed (a minute, once), starts it in plain text and fills it.
    pub fn start() -> Result<Self, Error> {
        Self::launch(None)
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    pub fn start_tls() -> Result<Self, Error> {
        let certificates = Certificates::shared();
        Self::launch(Some((certificates, certificates.good())))
    }

    /// The plain server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        let azurite =
            SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("Azurite: {error}")));
        azurite.server.record();
        azurite
    }

    /// The server with TLS that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_tls() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        let azurite = SHARED
            .get_or_init(|| Self::start_tls().unwrap_or_else(|error| panic!("Azurite: {error}")));
        azurite.server.record();
        azurite
    }

    fn launch(tls: Option<(&Certificates, &Identity)>) -> Result<Self, Error> {
        let account = StorageAccount::own();
        let client = tls.map(|(_, identity)| Certificates::pinned(identity));
        let wire = |address| Wire {
            address,
            tls: client.clone(),
        };
        // Any answer will do, and without a signature it is a refusal.
        let ready = |address| {
            let path = format!("/{}?comp=list", account.name);
            let reply = wire(address).send("GET", &path, &[], b"");
            reply.map(drop).map_err(|error| error.to_string())
        };
        let identity = tls.map(|(_, identity)| identity);
        let server = Server::start(&BACKEND, |place| settings(place, &account, identity), ready)?;
        let azurite = Self {
            wire: wire(server.address()),
            server,
            account,
            ca_file: tls.map(|(certificates, _)| certificates.ca_file().to_owned()),
        };
        azurite.fill()?;
        Ok(azurite)
    }

    fn fill(&self) -> Result<(), Error> {
        let blobs = self.blobs();
        blobs.make_container("private")?;
        blobs.make_public_container("public")?;
        blobs.make_container("empty")?;
        for container in ["private", "public"] {
            for blob in ["top.txt", "team/a/one.txt", "other/two.txt"] {
                blobs.put(container, blob, b"hello\n")?;
            }
        }
        Ok(())
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.wire.address
    }

    /// The address of the account's blob service, `http://127.0.0.1:PORT/ACCOUNT`.
    pub fn endpoint_url(&self) -> String {
        format!("{}/{}", self.wire.url(), self.account.name)
    }

    /// The only account.
    pub fn account(&self) -> StorageAccount {
        self.account.clone()
    }

    /// The name of the only account.
    pub fn account_name(&self) -> &str {
        &self.account.name
    }

    /// The account's key, in Base64.
    pub fn account_key(&self) -> &str {
        &self.account.key
    }

    /// What Azure's own clients take instead of an address and a key.
    pub fn connection_string(&self) -> String {
        let protocol = if self.wire.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!(
            "DefaultEndpointsProtocol={protocol};AccountName={};AccountKey={};BlobEndpoint={};",
            self.account.name,
            self.account.key,
            self.endpoint_url()
        )
    }

    /// The authority's certificate for `--ca-file`, when it speaks TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// How it runs.
    pub fn runtime(&self) -> Runtime {
        self.server.runtime()
    }

    /// Where a person finds it: its process, or its container and image.
    pub fn whereabouts(&self) -> String {
        self.server.whereabouts()
    }

    /// The folder with its certificate and log, when it is a process of this machine.
    pub fn folder(&self) -> Option<&Path> {
        self.server.folder()
    }

    /// The process id, when it is a process of this machine.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// A small client that may do everything.
    pub fn blobs(&self) -> BlobStore {
        self.blobs_as(self.account())
    }

    /// A small client that signs as this account.
    pub fn blobs_as(&self, account: StorageAccount) -> BlobStore {
        BlobStore::new(self.wire.clone(), &self.account.name, Some(account))
    }

    /// A small client that does not sign.
    pub fn anonymous_blobs(&self) -> BlobStore {
        BlobStore::new(self.wire.clone(), &self.account.name, None)
    }

    /// A ready `CREATE LINK` for this account, which may have another key.
    pub fn create_link(&self, name: &str, account: &StorageAccount) -> LinkStatement {
        LinkStatement::new(name, "AZURE")
            .credential("account_name", account.name.as_str())
            .credential("account_key", account.key.as_str())
            .config("endpoint_url", self.endpoint_url())
    }
}

fn settings(place: &Place, account: &StorageAccount, identity: Option<&Identity>) -> Launch {
    let launch = Launch::default()
        .arguments(["--blobHost", &place.listen.ip().to_string()])
        .arguments(["--blobPort", &place.listen.port().to_string()])
        .arguments(["--inMemoryPersistence", "--disableTelemetry", "--silent"])
        // Clients may be newer than the server.
        .arguments(["--skipApiVersionCheck"])
        .variable(
            "AZURITE_ACCOUNTS",
            format!("{}:{}", account.name, account.key),
        );
    match identity {
        Some(identity) => launch
            .arguments(["--cert".to_owned(), place.path("certs/public.crt")])
            .arguments(["--key".to_owned(), place.path("certs/private.key")])
            .file("certs/public.crt", identity.certificate_pem())
            .file("certs/private.key", identity.key_pem()),
        None => launch,
    }
}
