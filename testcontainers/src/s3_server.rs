use std::net::SocketAddr;
use std::path::Path;

use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio_rustls::TlsAcceptor;

use crate::background::{Background, listen};
use crate::store::Store;
use crate::wire::Wire;
use crate::{Certificates, Error, LinkStatement, Login, Scratch};

/// An S3 server inside the process that checks signatures and keeps objects as files.
///
/// It has one key, every region, and one bucket `demo` with `top.txt` and `orders/2026/one.csv`.
/// It is there in milliseconds and needs no installation; [`Minio`](crate::Minio) has the rest.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    tls: bool,
    // The server first: its folder goes only after it has gone.
    _background: Background,
    folder: Scratch,
}

impl S3Server {
    /// Starts a server in plain text.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn start() -> Result<Self, Error> {
        Self::launch(None)
    }

    /// Starts a server with TLS and the good certificate of [`Certificates::shared`].
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn start_tls() -> Result<Self, Error> {
        let certificates = Certificates::shared();
        Self::launch(Some(certificates.server_tls(certificates.good()).into()))
    }

    fn launch(tls: Option<TlsAcceptor>) -> Result<Self, Error> {
        let folder = Scratch::new("s3")?;
        folder.write("demo/top.txt", "hello\n")?;
        folder.write("demo/orders/2026/one.csv", "id,product\n1,pen\n2,ink\n")?;
        let files = FileSystem::new(folder.path()).map_err(|error| Error::Refused {
            doing: "open the folder of the S3 server".to_owned(),
            answer: format!("{error:?}"),
        })?;
        let login = Self::login();
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(
            login.access_key_id,
            login.secret_access_key,
        ));
        let service = service.build();

        let (listener, address) = listen();
        let is_tls = tls.is_some();
        let background = Background::accept("s3-server", listener, move |stream| {
            let (service, tls) = (service.clone(), tls.clone());
            async move {
                let http = hyper::server::conn::http1::Builder::new();
                // A client that leaves in the middle is a client's right.
                match tls {
                    None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            drop(http.serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                }
            }
        });
        Ok(Self {
            address,
            tls: is_tls,
            _background: background,
            folder,
        })
    }

    /// The only key.
    pub fn login() -> Login {
        Login::new("DEMOACCESSKEY", "demo-secret-key")
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address as `endpoint_url`.
    pub fn endpoint_url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls { "https" } else { "http" },
            self.address
        )
    }

    /// The folder with one folder for each bucket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A small client that may do everything.
    pub fn store(&self) -> Store {
        let tls = self.tls.then(|| Certificates::shared().client_tls());
        Store::new(
            Wire {
                address: self.address,
                tls,
            },
            "us-east-1",
            Self::login(),
        )
    }

    /// A ready `CREATE LINK` for this login.
    pub fn create_link(&self, name: &str, login: &Login) -> LinkStatement {
        LinkStatement::new(name, "S3")
            .credential("aws_access_key_id", login.access_key_id.as_str())
            .credential("aws_secret_access_key", login.secret_access_key.as_str())
            .config("endpoint_url", self.endpoint_url())
            .config("region", "us-east-1")
    }
}
