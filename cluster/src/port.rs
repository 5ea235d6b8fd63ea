//! Ports of the loopback interface.
//!
//! A server keeps the port that it was given first, so that a URL once written down stays right. Only when another
//! program has taken that port meanwhile does it get a new one.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::Error;

/// Whether a server could listen on `port` now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The port to start on: the one that was asked for, else the last one, else any free one.
pub(crate) fn choose(asked: Option<u16>, last: Option<u16>) -> Result<u16, Error> {
    if let Some(port) = asked {
        return if is_free(port) { Ok(port) } else { Err(Error::PortTaken(port)) };
    }
    if let Some(port) = last.filter(|port| is_free(*port)) {
        return Ok(port);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address.map_err(Error::file("bound", Path::new("127.0.0.1")))?.port())
}

/// The port that `file` remembers.
pub(crate) fn remembered(file: &Path) -> Option<u16> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Remembers `port` in `file`.
pub(crate) fn remember(file: &Path, port: u16) -> Result<(), Error> {
    std::fs::write(file, format!("{port}\n")).map_err(Error::file("written", file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_asked_for_that_is_taken_is_refused_by_its_number() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = other.local_addr().expect("an address").port();
        let refusal = choose(Some(port), None).expect_err("taken").to_string();
        assert!(refusal.starts_with(&format!("port {port} on 127.0.0.1 is taken")), "{refusal}");
    }

    #[test]
    fn the_last_port_is_kept_while_it_is_free_and_given_up_when_it_is_taken() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = other.local_addr().expect("an address").port();
        assert_ne!(choose(None, Some(port)).expect("another"), port);
        drop(other);
        assert_eq!(choose(None, Some(port)).expect("the same"), port);
    }
}
