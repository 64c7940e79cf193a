//! Free TCP ports on 127.0.0.1.
//!
//! They are chosen below the range that the kernel uses for outgoing connections. A client that
//! keeps dialling a stopped server on a port of that range can be given this very port for its
//! own end and connect to itself; then the server cannot bind it again.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};

/// Above the well-known ports, among them those of Redis and PostgreSQL.
const LOWEST: u16 = 10_000;
/// The default start of Linux's range for outgoing connections.
const DEFAULT_EPHEMERAL: u16 = 32_768;
const ATTEMPTS: usize = 1_000;

static RESERVED: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port that nothing listens on and that this process has not been given before.
///
/// # Errors
///
/// When none is found.
pub fn free() -> Result<u16> {
    let end = start_of_ephemeral_range();
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    (0..ATTEMPTS)
        .map(|_| rand::random_range(LOWEST..end))
        .find(|port| is_free(*port) && reserved.insert(*port))
        .context("no free port was found on 127.0.0.1: end some of the servers that run here")
}

/// The preferred port if it is free, else another.
///
/// # Errors
///
/// When none is found.
pub fn free_or(preferred: Option<u16>) -> Result<u16> {
    match preferred {
        Some(port) if is_free(port) => Ok(port),
        _ => free(),
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn start_of_ephemeral_range() -> u16 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .filter(|lowest| *lowest > LOWEST + 1_000)
        .unwrap_or(DEFAULT_EPHEMERAL)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_port_is_given_twice() {
        let ports: std::collections::HashSet<u16> =
            (0..50).map(|_| super::free().unwrap()).collect();
        assert_eq!(ports.len(), 50);
    }

    #[test]
    fn a_port_in_use_is_replaced() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_ne!(super::free_or(Some(port)).unwrap(), port);
    }
}
