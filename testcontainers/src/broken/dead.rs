use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// An address of loopback to which the system knows no way: a connect fails at once with
/// `ENETUNREACH` (it is the broadcast address of 127.0.0.0/8).
pub const UNREACHABLE: &str = "127.255.255.255";

/// A port that nobody listens on and nobody else can take while the handle lives.
#[derive(Debug)]
pub struct RefusedPort {
    address: SocketAddr,
    _socket: Socket,
}

impl RefusedPort {
    /// Takes a free port of 127.0.0.1 without listening on it.
    pub fn start() -> Self {
        let (socket, address) = bind();
        Self {
            address,
            _socket: socket,
        }
    }

    /// The address that refuses.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }
}

/// A port whose queue is full: a connect gets no answer at all and runs into its deadline.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _socket: Socket,
    _fillers: Vec<TcpStream>,
}

impl BlackHole {
    /// Listens on 127.0.0.1 with the shortest queue and fills it.
    ///
    /// # Panics
    ///
    /// When the system still answers after 64 connections: then it has no queue to fill.
    pub fn start() -> Self {
        let (socket, address) = bind();
        Self::fill(socket, address)
    }

    /// The same at an address of somebody who has gone, such as a DataNode that was killed.
    ///
    /// # Errors
    ///
    /// When somebody else has it.
    ///
    /// # Panics
    ///
    /// As [`Self::start`] does.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // The last connections of the one before may still linger.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        Ok(Self::fill(socket, address))
    }

    fn fill(socket: Socket, address: SocketAddr) -> Self {
        socket.listen(0).expect("a bound socket can listen");
        let mut fillers = Vec::new();
        // Loopback answers within microseconds; silence for this long means that the queue is full.
        while let Ok(filler) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            fillers.push(filler);
            assert!(fillers.len() <= 64, "the queue of {address} does not fill");
        }
        Self {
            address,
            _socket: socket,
            _fillers: fillers,
        }
    }

    /// The address that stays silent.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }
}

fn bind() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).expect("loopback has a free port");
    let address = socket
        .local_addr()
        .ok()
        .and_then(|a| a.as_socket())
        .expect("it is an IP socket");
    (socket, address)
}
