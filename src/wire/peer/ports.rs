//! Where peers listen: every one on a port that no other peer of the run has had.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use tokio::net::{TcpListener, TcpSocket};

use super::PeerError;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// The ports of a run.
#[derive(Debug)]
pub(super) struct Ports {
    address: IpAddr,
    range: Option<RangeInclusive<u16>>,
    /// Those that peers have had, dead peers among them: a target may remember what it met there.
    used: BTreeSet<u16>,
}

impl Ports {
    pub(super) fn new(address: IpAddr, range: Option<RangeInclusive<u16>>) -> Self {
        Self { address, range, used: BTreeSet::new() }
    }

    /// Listens on the next port.
    pub(super) fn listen(&mut self) -> Result<(TcpListener, u16), PeerError> {
        match self.range.clone() {
            Some(range) => self.in_range(range),
            None => self.anywhere(),
        }
    }

    /// On the next port of the range that nobody else listens on.
    fn in_range(&mut self, range: RangeInclusive<u16>) -> Result<(TcpListener, u16), PeerError> {
        let next = self.used.last().map_or(Some(*range.start()), |last| last.checked_add(1));
        for port in next.into_iter().flat_map(|next| next..=*range.end()) {
            match listen(self.address, port) {
                Ok(listener) => {
                    self.used.insert(port);
                    return Ok((listener, port));
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(self.failed(&port.to_string(), &error.to_string())),
            }
        }
        match self.used.is_empty() {
            true => {
                let ports = format!("{}-{}", range.start(), range.end());
                Err(self.failed(&ports, "every port is in use"))
            }
            false => Err(PeerError::PortsUsedUp(range.count())),
        }
    }

    /// On a port that the system chooses.
    fn anywhere(&mut self) -> Result<(TcpListener, u16), PeerError> {
        // Held until another is found, or the system would give the same again.
        let mut seen = Vec::new();
        loop {
            let found = listen(self.address, 0).and_then(|listener| Ok((listener.local_addr()?, listener)));
            let (address, listener) = found.map_err(|error| self.failed("0", &error.to_string()))?;
            if self.used.insert(address.port()) {
                return Ok((listener, address.port()));
            }
            seen.push(listener);
        }
    }

    fn failed(&self, ports: &str, reason: &str) -> PeerError {
        PeerError::Listen { listen: format!("{} port {ports}", self.address), reason: reason.to_owned() }
    }
}

fn listen(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What was closed a moment ago does not keep a port of the range from being used again. On Windows
    // the option means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(address, port))?;
    socket.listen(BACKLOG)
}
