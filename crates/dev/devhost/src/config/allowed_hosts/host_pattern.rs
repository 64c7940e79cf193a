//! The host part of an entry.

use std::{net::IpAddr, str::FromStr};

use anyhow::{Error, Result, bail, ensure};
use ipnet::IpNet;
use url::Host;

use super::destination::parse_host;

/// The hosts that an entry allows.
#[derive(Clone, Debug, PartialEq)]
pub enum HostPattern {
    /// `*`
    Any,
    /// `*.domain`; holds `.domain`.
    Subdomains(String),
    /// `10.0.0.0/8`
    Block(IpNet),
    /// A name or an address.
    Exact(Host),
    /// The app itself, which guests of devhost cannot call.
    App,
}

impl HostPattern {
    /// Whether the pattern allows `host`.
    pub fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Block(block), Host::Ipv4(ip)) => block.contains(&IpAddr::V4(*ip)),
            (Self::Block(block), Host::Ipv6(ip)) => block.contains(&IpAddr::V6(*ip)),
            (Self::Exact(exact), host) => exact == host,
            _ => false,
        }
    }
}

impl FromStr for HostPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Ok(block) = text.parse::<IpNet>() {
            return Ok(Self::Block(block.trunc()));
        }
        let host = text.strip_suffix('/').unwrap_or(text);
        ensure!(
            !host.contains(['/', '@']),
            "it may hold neither a path nor a user name"
        );
        match host {
            "*" => Ok(Self::Any),
            "self" | "self.alt" => Ok(Self::App),
            _ => parse_name(host),
        }
    }
}

fn parse_name(text: &str) -> Result<HostPattern> {
    let Some(domain) = text.strip_prefix("*.") else {
        ensure!(!text.contains('*'), "a * stands for whole subdomains only");
        return parse_host(text).map(HostPattern::Exact);
    };
    match parse_host(domain) {
        Ok(Host::Domain(domain)) if !domain.contains('*') => {
            Ok(HostPattern::Subdomains(format!(".{domain}")))
        }
        _ => bail!("the part after *. is not a domain"),
    }
}
