//! Ports that behave badly before a byte is exchanged: one that refuses, one that never completes a connection, and
//! one that only watches whether somebody comes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Refuses each connection, and keeps the port from being taken by somebody who would not.
#[derive(Debug)]
pub struct RefusingPort {
    socket: TcpSocket,
}

impl RefusingPort {
    pub fn bind() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // Bound and never listening: the kernel answers with a reset.
        socket.bind(ANY)?;
        Ok(Self { socket })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection to it is never completed: its queue is full and nobody takes from it.
#[derive(Debug)]
pub struct FullPort {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl FullPort {
    pub async fn bind() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(ANY)?;
        let listener = socket.listen(0)?;
        let address = listener.local_addr()?;
        let mut queue = Vec::new();
        // A queue of length zero takes one or two; the first that waits shows that it is full.
        while let Ok(connected) = timeout(Duration::from_millis(30), TcpStream::connect(address)).await {
            queue.push(connected?);
            if queue.len() > 64 {
                return Err(io::Error::other("this system's queue of connections has no end"));
            }
        }
        Ok(Self { address, _listener: listener, _queue: queue })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Notes whether anybody connected.
#[derive(Debug)]
pub struct Witness {
    listener: std::net::TcpListener,
}

impl Witness {
    pub fn bind() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(ANY)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether a connection has been made since the last question.
    pub fn visited(&self) -> bool {
        self.listener.accept().is_ok()
    }
}
