//! One entry of `allowed_outbound_hosts`.

use std::{ops::Range, str::FromStr};

use anyhow::{Context, Error, Result, ensure};

use super::{
    destination::{Destination, well_known_port},
    host_pattern::HostPattern,
};

const ANY_PORT: Range<u32> = 0..u32::MAX;

/// Scheme, host and ports that an entry allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Absent for `*`.
    scheme: Option<String>,
    host: HostPattern,
    ports: Range<u32>,
}

impl Entry {
    /// Whether the entry allows a connection to `to`.
    pub fn allows(&self, to: &Destination) -> bool {
        let scheme_fits = |scheme: &String| *scheme == to.scheme;
        self.scheme.as_ref().is_none_or(scheme_fits)
            && self.host.matches(&to.host)
            && self.allows_port(to.port.or_else(|| well_known_port(&to.scheme)))
    }

    fn allows_port(&self, port: Option<u16>) -> bool {
        let in_range = |port: u16| self.ports.contains(&port.into());
        self.ports == ANY_PORT || port.is_some_and(in_range)
    }
}

impl FromStr for Entry {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .context("it is not of the form scheme://host[:port]")?;
        ensure!(
            scheme == "*" || scheme.chars().all(char::is_alphabetic),
            "its scheme is neither letters nor *"
        );
        let (host, port) = split_port(rest);
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: host.parse()?,
            ports: parse_ports(port, scheme)?,
        })
    }
}

/// Splits at the last colon, unless that belongs to an IPv6 address.
fn split_port(rest: &str) -> (&str, &str) {
    match rest.rsplit_once(':') {
        Some((host, port)) if port.is_empty() || rest.parse::<HostPattern>().is_err() => {
            (host, port.strip_suffix('/').unwrap_or(port))
        }
        _ => (rest, ""),
    }
}

fn parse_ports(text: &str, scheme: &str) -> Result<Range<u32>> {
    if text == "*" {
        return Ok(ANY_PORT);
    }
    if let Some((start, end)) = text.split_once("..") {
        return Ok(parse_port(start)?..parse_port(end)?);
    }
    let port = match text {
        "" => well_known_port(scheme)
            .map(u32::from)
            .with_context(|| format!("it has no port, and {scheme} has no default port"))?,
        _ => parse_port(text)?,
    };
    Ok(port..port + 1)
}

fn parse_port(text: &str) -> Result<u32> {
    let port = text.parse::<u16>().map(u32::from);
    port.context("its port is not a number, range or *")
}
