//! nginx as the HTTP service that an external function calls.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::http_service::{self, LOGIN_PAGE, NO_ROWS, PASSWORD, REALM, USER};
use crate::image::Image;
use crate::server::{Backend, Launch, Place, Server};
use crate::wire::Wire;
use crate::{
    Certificates, Error, HttpEndpoint, Identity, LinkStatement, Runtime, install, versions,
};

pub(crate) const BACKEND: Backend = Backend {
    name: "nginx",
    image: Image {
        repository: "nginx",
        tag: versions::NGINX_IMAGE,
        variable: "LINKDIAL_NGINX_IMAGE",
        // Needs no rights, whoever the image's user is.
        port: 8080,
        command: &["nginx"],
        pull: true,
    },
    program: || install::nginx().map(Command::new),
    // It usually takes some milliseconds.
    start: Duration::from_secs(30),
};

/// How an [`Nginx`] is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct NginxOptions<'a> {
    tls: Option<(&'a Certificates, &'a Identity)>,
    mutual: bool,
}

impl<'a> NginxOptions<'a> {
    /// Speaks TLS with this certificate of these authorities.
    #[must_use]
    pub fn tls(mut self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        self.tls = Some((certificates, identity));
        self
    }

    /// Speaks TLS with this certificate, and wants a certificate of this authority from the client
    /// (`ssl_verify_client on`).
    ///
    /// nginx shakes hands without one too, and then answers 400 to every request.
    #[must_use]
    pub fn mutual_tls(self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        Self {
            mutual: true,
            ..self.tls(certificates, identity)
        }
    }

    /// Starts it, and installs it before if needed (seconds, once).
    pub fn start(self) -> Result<Nginx, Error> {
        Nginx::launch(self)
    }
}

/// An nginx on loopback that answers as [`HttpEndpoint`] does; it ends with the handle.
///
/// Its paths are those of the table there, without `/echo` and `/echo-401`; `/redirect` leads to
/// `/` under another host name of the same server. The body of a refusal is nginx's own page.
#[derive(Debug)]
pub struct Nginx {
    server: Server,
    tls: bool,
    ca_file: Option<PathBuf>,
}

impl Nginx {
    /// Starts a server in plain text.
    pub fn start() -> Result<Self, Error> {
        NginxOptions::default().start()
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    pub fn start_tls() -> Result<Self, Error> {
        let certificates = Certificates::shared();
        NginxOptions::default()
            .tls(certificates, certificates.good())
            .start()
    }

    /// Starts a server with TLS that wants a certificate of [`Certificates::shared`], such as
    /// [`Certificates::client`].
    pub fn start_mutual_tls() -> Result<Self, Error> {
        let certificates = Certificates::shared();
        NginxOptions::default()
            .mutual_tls(certificates, certificates.good())
            .start()
    }

    /// The plain server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Nginx> = OnceLock::new();
        Self::once(&SHARED, Self::start)
    }

    /// The server with TLS that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_tls() -> &'static Self {
        static SHARED: OnceLock<Nginx> = OnceLock::new();
        Self::once(&SHARED, Self::start_tls)
    }

    /// The server that wants a client certificate and that all tests of one process share; it ends
    /// with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_mutual_tls() -> &'static Self {
        static SHARED: OnceLock<Nginx> = OnceLock::new();
        Self::once(&SHARED, Self::start_mutual_tls)
    }

    fn once(shared: &'static OnceLock<Self>, start: fn() -> Result<Self, Error>) -> &'static Self {
        let nginx = shared.get_or_init(|| start().unwrap_or_else(|error| panic!("nginx: {error}")));
        nginx.server.record();
        nginx
    }

    fn launch(options: NginxOptions<'_>) -> Result<Self, Error> {
        let tls = options
            .tls
            .map(|(_, identity)| Certificates::pinned(identity));
        // Without a certificate of its own the probe is refused by a server that works.
        let wanted = if options.mutual { 400 } else { 200 };
        let ready = |address| {
            let wire = Wire {
                address,
                tls: tls.clone(),
            };
            let reply = wire.send("GET", "/", &[], b"");
            match reply.map_err(|error| error.to_string())?.status {
                status if status == wanted => Ok(()),
                status => Err(format!("/ answers {status}")),
            }
        };
        let server = Server::start(&BACKEND, |place| settings(place, options), ready)?;
        let ca_file = options
            .tls
            .map(|(certificates, _)| certificates.ca_file().to_owned());
        Ok(Self {
            server,
            tls: options.tls.is_some(),
            ca_file,
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.addr())
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

    /// The folder with its settings and log, when it is a process of this machine.
    pub fn folder(&self) -> Option<&Path> {
        self.server.folder()
    }

    /// The process id, when it is a process of this machine.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// A ready `CREATE LINK` that sends these header fields, such as [`HttpEndpoint::bearer`].
    pub fn create_link<'a>(
        name: &str,
        headers: impl IntoIterator<Item = (&'a str, String)>,
    ) -> LinkStatement {
        http_service::link(name, headers)
    }

    /// A ready `CREATE EXTERNAL FUNCTION` that calls a path through a link.
    pub fn create_function(&self, function: &str, path: &str, link: &LinkStatement) -> String {
        http_service::function(function, &self.url(path), link)
    }
}

/// Every file is named relative to the folder, which may have any name.
fn settings(place: &Place, options: NginxOptions<'_>) -> Launch {
    let (_, bearer) = HttpEndpoint::bearer();
    let (_, api_key) = HttpEndpoint::api_key();
    let mut server = format!(
        "listen {}{};\n",
        place.listen,
        if options.tls.is_some() { " ssl" } else { "" }
    );
    let port = place.address.port().to_string();
    for (name, value) in [
        ("port", port.as_str()),
        ("realm", REALM),
        ("rows", NO_ROWS),
        ("login", LOGIN_PAGE),
        ("bearer", &bearer),
        ("api_key", &api_key),
    ] {
        server.extend(["set $", name, " '", value, "';\n"]);
    }
    let mut launch = Launch::default()
        .arguments(["-e", "stderr", "-p", &place.path(""), "-c", "nginx.conf"])
        .file("nginx.conf", include_str!("nginx.conf"))
        .file("htpasswd", format!("{USER}:{{PLAIN}}{PASSWORD}\n"));
    if let Some((certificates, identity)) = options.tls {
        server.push_str(
            "ssl_certificate server.crt;\nssl_certificate_key server.key;\n\
             ssl_protocols TLSv1.2 TLSv1.3;\n",
        );
        launch = launch
            .file("server.crt", identity.certificate_pem())
            .file("server.key", identity.key_pem());
        if options.mutual {
            server.push_str("ssl_client_certificate clients.crt;\nssl_verify_client on;\n");
            launch = launch.file("clients.crt", certificates.ca_pem());
        }
    }
    launch.file("server.conf", server)
}
