//! `allowed_outbound_hosts`: which addresses a component may connect to.
//!
//! Entries read `scheme://host:port` as in Spin: `*` for any scheme, host or
//! port, `*.domain` for subdomains, address blocks (`10.0.0.0/8`) and port
//! ranges (`1000..2000`, the end excluded).

use std::{fmt, ops::Range, str::FromStr};

use anyhow::{Context, Error, Result, bail, ensure};
use ipnet::IpNet;
use url::Host;

use crate::variables::Variables;

/// The addresses that one component may connect to.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

/// An address that a component asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    scheme: Option<String>,
    host: HostPattern,
    ports: Range<u32>,
}

#[derive(Clone, Debug, PartialEq)]
enum HostPattern {
    Any,
    Subdomains(String),
    Block(IpNet),
    Exact(Host),
    /// The app itself, which devhost's guests cannot call.
    Own,
}

impl AllowedHosts {
    /// Parses a component's entries, with their variables filled in.
    pub fn parse(entries: &[String], variables: &Variables) -> Result<Self> {
        let entries = entries
            .iter()
            .map(|entry| {
                let expanded = variables.expand(entry)?;
                if is_switched_off(entry, &expanded) {
                    return Ok(None);
                }
                // The template is named, not what it became: that may be secret.
                let parsed = expanded.parse();
                parsed
                    .map(Some)
                    .with_context(|| format!("allowed_outbound_hosts: `{entry}`"))
            })
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?;
        Ok(Self { entries })
    }

    /// Whether some entry allows `destination`.
    pub fn allow(&self, destination: &Destination) -> bool {
        self.entries.iter().any(|entry| entry.allows(destination))
    }
}

/// A template that an empty variable leaves without a host allows nothing.
fn is_switched_off(entry: &str, expanded: &str) -> bool {
    entry != expanded && matches!(expanded, "" | "http://" | "https://")
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

impl Entry {
    fn allows(&self, to: &Destination) -> bool {
        let port = to.port.or_else(|| well_known_port(&to.scheme));
        self.scheme
            .as_ref()
            .is_none_or(|scheme| *scheme == to.scheme)
            && self.host.matches(&to.host)
            && (self.ports == ANY_PORT
                || port.is_some_and(|port| self.ports.contains(&port.into())))
    }
}

impl HostPattern {
    fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Block(block), Host::Ipv4(ip)) => block.contains(&std::net::IpAddr::V4(*ip)),
            (Self::Block(block), Host::Ipv6(ip)) => block.contains(&std::net::IpAddr::V6(*ip)),
            (Self::Exact(exact), host) => exact == host,
            _ => false,
        }
    }
}

const ANY_PORT: Range<u32> = 0..u32::MAX;

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

fn parse_ports(port: &str, scheme: &str) -> Result<Range<u32>> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map(u32::from)
            .with_context(|| "its port is not a number, range or *")
    };
    if port == "*" {
        return Ok(ANY_PORT);
    }
    if port.is_empty() {
        let port = well_known_port(scheme)
            .with_context(|| format!("it has no port, and {scheme} has no usual one"))?;
        return Ok(port.into()..u32::from(port) + 1);
    }
    if let Some((start, end)) = port.split_once("..") {
        return Ok(number(start)?..number(end)?);
    }
    let port = number(port)?;
    Ok(port..port + 1)
}

impl FromStr for HostPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Ok(block) = text.parse::<IpNet>() {
            return Ok(Self::Block(block.trunc()));
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        ensure!(
            !text.contains(['/', '@']),
            "it may hold neither a path nor a user name"
        );
        match text {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Own),
            _ => {}
        }
        if let Some(domain) = text.strip_prefix("*.") {
            return match parse_host(domain) {
                Ok(Host::Domain(domain)) if !domain.contains('*') => {
                    Ok(Self::Subdomains(format!(".{domain}")))
                }
                _ => bail!("what follows *. is not a domain"),
            };
        }
        ensure!(!text.contains('*'), "a * stands for whole subdomains only");
        Ok(Self::Exact(parse_host(text)?))
    }
}

fn parse_host(text: &str) -> Result<Host> {
    // Postgres addresses hold IPv6 addresses without their brackets.
    match text.parse() {
        Ok(address) => Ok(Host::Ipv6(address)),
        Err(_) => Host::parse(text).context("its host is not valid"),
    }
}

/// The ports that Spin knows by scheme; `rediss` is not among them.
fn well_known_port(scheme: &str) -> Option<u16> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, url: &str) -> bool {
        let hosts = AllowedHosts::parse(&[entry.to_owned()], &Variables::default()).unwrap();
        hosts.allow(&Destination::from_url(url).unwrap())
    }

    #[test]
    fn entries_allow_what_spin_allows() {
        for (entry, url) in [
            ("redis://cache:6379", "redis://:pw@cache:6379/0"),
            ("redis://cache", "redis://cache"),
            ("redis://cache/", "redis://cache:6379"),
            ("*://*:*", "rediss://anything:1"),
            ("*://*:*", "rediss://anything"),
            ("postgres://*.example.com:*", "postgres://db.example.com:9"),
            ("postgres://db:5000..5433", "postgres://db:5432/x"),
            ("redis://127.0.0.0/8:*", "redis://127.9.9.9:7"),
            ("redis://[::1]:6379", "redis://[::1]:6379"),
            ("redis://[::1]", "redis://[::1]"),
        ] {
            assert!(allows(entry, url), "{entry} should allow {url}");
        }
    }

    #[test]
    fn entries_refuse_everything_else() {
        for (entry, url) in [
            ("redis://cache:6379", "rediss://cache:6379"),
            ("redis://cache:6379", "redis://cache:6380"),
            ("redis://cache:6379", "redis://cache.evil:6379"),
            ("rediss://cache:6379", "rediss://cache"),
            ("postgres://*.example.com:*", "postgres://example.com:5432"),
            (
                "postgres://*.example.com:*",
                "postgres://badexample.com:5432",
            ),
            ("postgres://db:5000..5432", "postgres://db:5432"),
            ("redis://127.0.0.0/8:*", "redis://localhost:6379"),
            ("http://self", "http://self"),
        ] {
            assert!(!allows(entry, url), "{entry} should refuse {url}");
        }
    }

    #[test]
    fn malformed_entries_are_errors() {
        for entry in [
            "*",
            "",
            "cache:6379",
            "redis://cache:port",
            "rediss://cache",
            "redis://a*b:1",
            "redis://cache:6379/path",
            "redis://:pw@cache:6379",
            "re-dis://cache:1",
        ] {
            let parsed = AllowedHosts::parse(&[entry.to_owned()], &Variables::default());
            assert!(parsed.is_err(), "{entry} should be refused");
        }
    }

    #[test]
    fn a_destination_is_shown_as_the_entry_that_would_allow_it() {
        let destination = Destination::from_url("redis://user:pw@cache:6379/1").unwrap();
        assert_eq!(destination.to_string(), "redis://cache:6379");
    }
}
