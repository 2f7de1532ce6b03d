//! Azurite, Azure's emulator of blob storage, with a small world of containers and blobs inside.

mod account;
mod blob_store;
mod shared_access;

use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

pub use account::StorageAccount;
use blob_store::Access;
pub use blob_store::BlobStore;
pub use shared_access::SharedAccess;

use crate::image::Image;
use crate::server::{Backend, CERTIFICATE, KEY, Launch, Place, Server, Tls, shared, twice};
use crate::wire::Wire;
use crate::{Certificates, Error, Identity, LinkStatement, install, versions};

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
    further: 0,
};

/// How an [`Azurite`] is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct AzuriteOptions<'a> {
    tls: Tls<'a>,
    accounts: &'a [StorageAccount],
}

impl<'a> AzuriteOptions<'a> {
    /// Speaks TLS with this certificate of these authorities.
    #[must_use]
    pub fn tls(mut self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        self.tls = Tls::new(certificates, identity);
        self
    }

    /// Knows these accounts too, each with no container. Two keys of one name are the two keys of
    /// one account.
    #[must_use]
    pub fn accounts(mut self, accounts: &'a [StorageAccount]) -> Self {
        self.accounts = accounts;
        self
    }

    /// Installs Azurite if needed (a minute, once), starts it and fills it (a second).
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start(self) -> Result<Azurite, Error> {
        Azurite::launch(self)
    }
}

/// An Azurite on loopback with its own account, containers and blobs; it ends with the handle.
///
/// | container | what is inside |
/// | --- | --- |
/// | `private` | `top.txt`, `team/a/one.txt`, `other/two.txt`, each with `hello\n` |
/// | `public` | the same, open to everybody for list and read |
/// | `empty` | nothing |
///
/// It runs the blob service alone and keeps everything in memory. It never checks the clock, but
/// the times of a [`SharedAccess`], and says `AuthorizationFailure` where Azure says
/// `AuthenticationFailed`. It knows archived blobs ([`BlobStore::set_tier`]) and no soft delete: what
/// is deleted is gone.
#[derive(Debug)]
pub struct Azurite {
    server: Server,
    account: StorageAccount,
    /// The names of the other accounts.
    others: Vec<String>,
}

impl Deref for Azurite {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Azurite {
    /// Starts a server in plain text.
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start() -> Result<Self, Error> {
        AzuriteOptions::default().start()
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed, started or filled.
    pub fn start_tls() -> Result<Self, Error> {
        Self::launch(AzuriteOptions {
            tls: Tls::shared(),
            ..AzuriteOptions::default()
        })
    }

    /// The plain server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        shared(&SHARED, Self::start)
    }

    /// The server with TLS that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_tls() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        shared(&SHARED, Self::start_tls)
    }

    fn launch(options: AzuriteOptions<'_>) -> Result<Self, Error> {
        twice("azurite", || Self::launch_once(options))
    }

    fn launch_once(options: AzuriteOptions<'_>) -> Result<Self, Error> {
        let account = StorageAccount::own();
        // Any answer will do, and without a signature it is a refusal.
        let ready = |wire: &Wire| {
            let path = format!("/{}?comp=list", account.name);
            let reply = wire.send("GET", &path, &[], b"");
            reply.map(drop).map_err(|error| error.to_string())
        };
        let settings = |place: &Place| settings(place, &account, options);
        let server = Server::start(&BACKEND, options.tls, settings, ready)?;
        let others = options.accounts.iter().map(|other| other.name.clone());
        let azurite = Self {
            server,
            account,
            others: others.collect(),
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

    /// The address of the own account's blob service, `http://127.0.0.1:PORT/ACCOUNT`.
    pub fn endpoint_url(&self) -> String {
        self.endpoint_url_of(&self.account.name)
    }

    /// The same of another account, known or not.
    pub fn endpoint_url_of(&self, account: &str) -> String {
        format!("{}/{account}", self.server.wire().url())
    }

    /// The own account.
    pub fn account(&self) -> StorageAccount {
        self.account.clone()
    }

    /// The name of the own account.
    pub fn account_name(&self) -> &str {
        &self.account.name
    }

    /// The own account's key, in Base64.
    pub fn account_key(&self) -> &str {
        &self.account.key
    }

    /// What Azure's own clients take instead of an address and a key.
    pub fn connection_string(&self) -> String {
        let protocol = if self.server.wire().tls.is_some() {
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

    /// A small client that may do everything.
    pub fn blobs(&self) -> BlobStore {
        self.blobs_as(self.account())
    }

    /// A small client that signs as this account, at its own address if the server knows it, else at
    /// that of the own account.
    pub fn blobs_as(&self, account: StorageAccount) -> BlobStore {
        let home = self.home(&account.name);
        BlobStore::new(self.server.wire().clone(), home, Access::Key(account))
    }

    /// A small client that shows this token of a [`SharedAccess`], at the address of the own account.
    pub fn blobs_with(&self, token: &str) -> BlobStore {
        let access = Access::Token(token.to_owned());
        BlobStore::new(self.server.wire().clone(), &self.account.name, access)
    }

    /// A small client that does not sign.
    pub fn anonymous_blobs(&self) -> BlobStore {
        let wire = self.server.wire().clone();
        BlobStore::new(wire, &self.account.name, Access::Nothing)
    }

    /// A ready `CREATE LINK` for this account, which may have another key; at the same address as
    /// [`Azurite::blobs_as`].
    pub fn create_link(&self, name: &str, account: &StorageAccount) -> LinkStatement {
        LinkStatement::new(name, "AZURE")
            .credential("account_name", account.name.as_str())
            .credential("account_key", account.key.as_str())
            .config(
                "endpoint_url",
                self.endpoint_url_of(self.home(&account.name)),
            )
    }

    /// A ready `CREATE LINK` for the own account with a token of a [`SharedAccess`] in place of the
    /// key.
    pub fn shared_access_link(&self, name: &str, token: &str) -> LinkStatement {
        LinkStatement::new(name, "AZURE")
            .credential("account_name", self.account.name.as_str())
            .credential("sas_token", token)
            .config("endpoint_url", self.endpoint_url())
    }

    /// The account whose address is used for this one.
    fn home(&self, name: &str) -> &str {
        let other = self.others.iter().find(|other| *other == name);
        other.unwrap_or(&self.account.name)
    }
}

fn settings(place: &Place, own: &StorageAccount, options: AzuriteOptions<'_>) -> Launch {
    let launch = Launch::default()
        .arguments(["--blobHost", &place.listen.ip().to_string()])
        .arguments(["--blobPort", &place.listen.port().to_string()])
        .arguments(["--inMemoryPersistence", "--disableTelemetry", "--silent"])
        // Clients may be newer than the server.
        .arguments(["--skipApiVersionCheck"])
        .variable("AZURITE_ACCOUNTS", known(own, options.accounts));
    if options.tls.identity().is_none() {
        return launch;
    }
    launch
        .arguments(["--cert".to_owned(), place.path(CERTIFICATE)])
        .arguments(["--key".to_owned(), place.path(KEY)])
        .tls(options.tls)
}

/// The accounts as Azurite reads them: `NAME:KEY[:KEY];...`.
fn known(own: &StorageAccount, others: &[StorageAccount]) -> String {
    let mut accounts: Vec<(&str, String)> = Vec::new();
    for account in std::iter::once(own).chain(others) {
        match accounts.iter_mut().find(|(name, _)| *name == account.name) {
            Some((_, keys)) => keys.extend([":", account.key.as_str()]),
            None => accounts.push((&account.name, account.key.clone())),
        }
    }
    let accounts = accounts.iter().map(|(name, keys)| format!("{name}:{keys}"));
    accounts.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_name_are_one_account() {
        let account = |name, key| StorageAccount::new(name, key);
        let others = [account("b", "2"), account("a", "3"), account("c", "4")];
        assert_eq!(known(&account("a", "1"), &others), "a:1:3;b:2;c:4");
    }
}
