//! Free TCP ports on 127.0.0.1.
//!
//! They are taken from below the range that the kernel gives to outgoing connections. From
//! within that range a client which keeps dialling a stopped server can be given the server's
//! own port and connect to itself, and the server then cannot come back.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};

/// Above the well-known ports, those of Redis and PostgreSQL among them.
const LOWEST: u16 = 10_000;
/// Where outgoing connections begin on Linux unless it was configured otherwise.
const USUAL_EPHEMERAL: u16 = 32_768;
const TRIES: usize = 1_000;

static HANDED_OUT: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port that nothing listens on and that this process was not given before.
pub fn free() -> Result<u16> {
    let end = end_of_range();
    let mut handed_out = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    (0..TRIES)
        .map(|_| fastrand::u16(LOWEST..end))
        .find(|port| is_free(*port) && handed_out.insert(*port))
        .context("no free port was found on 127.0.0.1: end some of the servers that run here")
}

/// The wanted port if it is free, else another.
pub fn free_or(wanted: Option<u16>) -> Result<u16> {
    match wanted {
        Some(port) if is_free(port) => Ok(port),
        _ => free(),
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn end_of_range() -> u16 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .filter(|lowest| *lowest > LOWEST + 1_000)
        .unwrap_or(USUAL_EPHEMERAL)
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
    fn a_taken_port_is_passed_over() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(super::free_or(Some(port)).unwrap(), port);
    }
}
