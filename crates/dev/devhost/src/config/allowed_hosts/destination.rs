//! The address that a component wants to connect to.

use std::fmt;

use anyhow::{Context, Result};
use url::Host;

/// An address that a component wants to connect to.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    pub(super) scheme: String,
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

impl Destination {
    /// Takes scheme, host and port of `url`.
    pub fn from_url(url: &str) -> Option<Self> {
        let url = url::Url::parse(url).ok()?;
        Self::new(url.scheme(), url.host_str()?, url.port())
    }

    /// The address `host` (a name or a literal IP address) and `port`.
    pub fn new(scheme: &str, host: &str, port: Option<u16>) -> Option<Self> {
        let host = parse_host(host).ok()?;
        Some(Self {
            scheme: scheme.to_owned(),
            host,
            port,
        })
    }
}

impl fmt::Display for Destination {
    /// The form in which an entry would allow it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Parses a name or a literal IP address; Postgres addresses hold those of IPv6
/// without brackets.
pub(super) fn parse_host(text: &str) -> Result<Host> {
    match text.parse() {
        Ok(address) => Ok(Host::Ipv6(address)),
        Err(_) => Host::parse(text).context("its host is not valid"),
    }
}

/// The default port of a scheme. `rediss` has none, as in Spin.
pub(super) fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}
