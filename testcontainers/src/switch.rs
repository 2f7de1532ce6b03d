use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpSocket, TcpStream};

use crate::background::{Background, listen};

/// One address that stays while the server behind it is exchanged.
///
/// A certificate that is swapped, a service that moves: the link sees the same host and port. Without
/// a server behind it a connection is accepted and closed at once.
#[derive(Debug)]
pub struct Switch {
    address: SocketAddr,
    server: Arc<Mutex<Option<SocketAddr>>>,
    _background: Background,
}

impl Switch {
    /// Starts on a free port of 127.0.0.1, with this server behind it.
    pub fn start(server: SocketAddr) -> Self {
        let (listener, address) = listen();
        let server = Arc::new(Mutex::new(Some(server)));
        let shared = Arc::clone(&server);
        let background = Background::accept("switch", listener, move |client| {
            let server = *shared.lock().unwrap_or_else(PoisonError::into_inner);
            async move {
                if let Some(server) = server {
                    // A side that leaves ends its own connection and nothing else.
                    drop(tunnel(client, server).await);
                }
            }
        });
        Self {
            address,
            server,
            _background: background,
        }
    }

    /// The address that stays.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Puts another server behind it, or none; connections that are open stay with theirs.
    pub fn turn_to(&self, server: Option<SocketAddr>) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }
}

async fn tunnel(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let mut server = socket.connect(server).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
