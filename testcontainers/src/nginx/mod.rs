//! nginx as the HTTP service that an external function calls.

use std::ops::Deref;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::http_service::{self, LOGIN_PAGE, NO_ROWS, PASSWORD, REALM, USER};
use crate::image::Image;
use crate::server::{Backend, CERTIFICATE, KEY, Launch, Place, Server, Tls, shared};
use crate::wire::Wire;
use crate::{Certificates, Error, HttpEndpoint, Identity, LinkStatement, install, versions};

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
    further: 0,
};

/// How an [`Nginx`] is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct NginxOptions<'a> {
    tls: Tls<'a>,
    mutual: bool,
}

impl<'a> NginxOptions<'a> {
    /// Speaks TLS with this certificate of these authorities.
    #[must_use]
    pub fn tls(mut self, certificates: &'a Certificates, identity: &'a Identity) -> Self {
        self.tls = Tls::new(certificates, identity);
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
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start(self) -> Result<Nginx, Error> {
        Nginx::launch(self)
    }
}

/// An nginx on loopback that answers as [`HttpEndpoint`] does; it ends with the handle.
///
/// Its paths are those of the table there, without `/echo` and `/echo-401`; `/redirect` leads to
/// `/` under another host name of the same server. The body of a refusal is nginx's own page.
/// [`HttpEndpoint`] also has the logins, such as [`HttpEndpoint::bearer`], and the link
/// ([`HttpEndpoint::create_link`]).
#[derive(Debug)]
pub struct Nginx {
    server: Server,
}

impl Deref for Nginx {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Nginx {
    /// Starts a server in plain text.
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Error> {
        NginxOptions::default().start()
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start_tls() -> Result<Self, Error> {
        Self::launch(NginxOptions {
            tls: Tls::shared(),
            mutual: false,
        })
    }

    /// Starts a server with TLS that wants a certificate of [`Certificates::shared`], such as
    /// [`Certificates::client`].
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start_mutual_tls() -> Result<Self, Error> {
        Self::launch(NginxOptions {
            tls: Tls::shared(),
            mutual: true,
        })
    }

    /// The plain server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Nginx> = OnceLock::new();
        shared(&SHARED, Self::start)
    }

    /// The server with TLS that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_tls() -> &'static Self {
        static SHARED: OnceLock<Nginx> = OnceLock::new();
        shared(&SHARED, Self::start_tls)
    }

    /// The server that wants a client certificate and that all tests of one process share; it ends
    /// with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared_mutual_tls() -> &'static Self {
        static SHARED: OnceLock<Nginx> = OnceLock::new();
        shared(&SHARED, Self::start_mutual_tls)
    }

    fn launch(options: NginxOptions<'_>) -> Result<Self, Error> {
        // Without a certificate of its own the probe is refused by a server that works.
        let wanted = if options.mutual { 400 } else { 200 };
        let ready = |wire: &Wire| {
            let reply = wire.send("GET", "/", &[], b"");
            match reply.map_err(|error| error.to_string())?.status {
                status if status == wanted => Ok(()),
                status => Err(format!("/ answers {status}")),
            }
        };
        let settings = |place: &Place| settings(place, options);
        let server = Server::start(&BACKEND, options.tls, settings, ready)?;
        Ok(Self { server })
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.wire().url())
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
        if options.tls.identity().is_some() {
            " ssl"
        } else {
            ""
        }
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
    if let Some(certificates) = options.tls.certificates() {
        server.extend(["ssl_certificate ", CERTIFICATE, ";\n"]);
        server.extend(["ssl_certificate_key ", KEY, ";\n"]);
        server.push_str("ssl_protocols TLSv1.2 TLSv1.3;\n");
        launch = launch.tls(options.tls);
        if options.mutual {
            server.push_str("ssl_client_certificate clients.crt;\nssl_verify_client on;\n");
            launch = launch.file("clients.crt", certificates.ca_pem());
        }
    }
    launch.file("server.conf", server)
}
