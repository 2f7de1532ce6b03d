use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpSocket, TcpStream};

use crate::background::{Background, listen};

/// How a [`ConnectProxy`] answers to `CONNECT`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ProxyBehaviour {
    /// Opens the tunnel; targets have to be addresses, or `localhost`.
    Tunnel,
    /// Opens the tunnel when `Proxy-Authorization` has exactly this value, else answers 407.
    TunnelFor(String),
    /// Answers with this status, 403 or 407 for example.
    Refuse(u16),
    /// Takes the request and never answers.
    Silent,
}

/// A `CONNECT` request that a proxy got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyRequest {
    /// The request line's target, as `127.0.0.1:9000`.
    pub target: String,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<String>,
}

type Requests = Arc<Mutex<Vec<ProxyRequest>>>;

/// An HTTP proxy inside the process; it ends, with its tunnels, when the handle does.
#[derive(Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    requests: Requests,
    _background: Background,
}

impl ConnectProxy {
    /// Starts the proxy on a free port of 127.0.0.1.
    pub fn start(behaviour: ProxyBehaviour) -> Self {
        let (listener, address) = listen();
        let requests = Requests::default();
        let shared = Arc::clone(&requests);
        let background = Background::accept("connect-proxy", listener, move |stream| {
            let (behaviour, requests) = (behaviour.clone(), Arc::clone(&shared));
            async move { drop(serve(stream, behaviour, requests).await) }
        });
        Self {
            address,
            requests,
            _background: background,
        }
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address as a URL, for `--proxy`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ProxyRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn serve(
    mut client: TcpStream,
    behaviour: ProxyBehaviour,
    requests: Requests,
) -> std::io::Result<()> {
    let head = read_head(&mut client).await?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let authorization = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then(|| value.trim().to_owned())
    });
    let request = ProxyRequest {
        target: target.to_owned(),
        authorization,
    };
    requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    if method != "CONNECT" {
        return refuse(&mut client, 405).await;
    }
    match behaviour {
        ProxyBehaviour::Silent => std::future::pending().await,
        ProxyBehaviour::Refuse(status) => refuse(&mut client, status).await,
        ProxyBehaviour::TunnelFor(wanted) if request.authorization.as_ref() != Some(&wanted) => {
            refuse(&mut client, 407).await
        }
        ProxyBehaviour::Tunnel | ProxyBehaviour::TunnelFor(_) => {
            let Ok(address) = target
                .replace("localhost", "127.0.0.1")
                .parse::<SocketAddr>()
            else {
                return refuse(&mut client, 502).await;
            };
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()?
            } else {
                TcpSocket::new_v6()?
            };
            let Ok(mut server) = socket.connect(address).await else {
                return refuse(&mut client, 502).await;
            };
            client
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await?;
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
    }
}

async fn refuse(client: &mut TcpStream, status: u16) -> std::io::Result<()> {
    let challenge = if status == 407 {
        "proxy-authenticate: Basic realm=\"proxy\"\r\n"
    } else {
        ""
    };
    let answer = format!(
        "HTTP/1.1 {status} refused\r\n{challenge}content-length: 0\r\nconnection: close\r\n\r\n"
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

async fn read_head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 * 1024 {
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
