//! Where a receiver is. Others choose it, so it must not lead into the service's own network.

use std::fmt;
use std::net::IpAddr;

use platform::config;
use public_address::is_public;
use url::{Host, Url};

use crate::{Error, Result};

/// The longest address, in bytes.
const MAX_LENGTH: usize = 2048;
/// Names of this machine and its network, which no public name server knows (RFC 6761, 6762, 8375, 9476).
const LOCAL_NAMES: [&str; 7] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "alt",
];

/// The address of a receiver: `https`, and public as far as it says so itself. What a name resolves to is
/// known only to the host, which has to refuse it (docs/webhooks.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(&'static str);

/// Whether the operator lets receivers be anywhere, and reached in the clear: for development.
pub async fn allows_private() -> Result<bool> {
    Ok(&*config::text("webhook_allow_private").await? == "true")
}

impl Address {
    /// Reads an address as the operator allows it; 422 for another one.
    pub async fn parse_allowed(text: &str) -> Result<Self> {
        let address = Self::parse(text, allows_private().await?);
        address.map_err(|refused| Error::invalid("url", refused))
    }

    /// Reads an address; with `allow_private` it may be any of `http` and `https`.
    pub fn parse(text: &str, allow_private: bool) -> Result<Self, InvalidAddress> {
        let refuse = |why| Err(InvalidAddress(why));
        if text.len() > MAX_LENGTH {
            return refuse("is too long");
        }
        let Ok(url) = Url::parse(text) else {
            return refuse("is not a URL");
        };
        match url.scheme() {
            "https" => {}
            "http" if allow_private => {}
            _ => return refuse("must be https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not hold a user name or a password");
        }
        if url.fragment().is_some() {
            return refuse("must not have a fragment");
        }
        match url.host() {
            _ if allow_private => {}
            Some(Host::Ipv4(address)) if is_public(IpAddr::V4(address)) => {}
            Some(Host::Ipv6(address)) if is_public(IpAddr::V6(address)) => {}
            Some(Host::Domain(name)) if is_public_name(name) => {}
            _ => return refuse("is not a public address"),
        }
        Ok(Self(url.into()))
    }

    /// The address as it is requested.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether public name servers may know a name. A name of one part is of the local network.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_local = |local: &str| {
        let rest = name.strip_suffix(local);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    name.contains('.') && !LOCAL_NAMES.into_iter().any(is_local)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_taken_in_its_canonical_form() {
        for (text, canonical) in [
            ("https://hooks.example.com", "https://hooks.example.com/"),
            (
                "HTTPS://Hooks.Example.com:443/a?b=c",
                "https://hooks.example.com/a?b=c",
            ),
            (
                "https://hooks.example.com:8443/a",
                "https://hooks.example.com:8443/a",
            ),
            (
                "https://bücher.example.com/",
                "https://xn--bcher-kva.example.com/",
            ),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            (
                "https://[2606:4700:4700::1111]/",
                "https://[2606:4700:4700::1111]/",
            ),
        ] {
            let address = Address::parse(text, false);
            assert_eq!(
                address.map(|address| address.0).as_deref(),
                Ok(canonical),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_however_it_is_written() {
        for text in [
            "http://hooks.example.com/",
            "ftp://hooks.example.com/",
            "hooks.example.com",
            "https://",
            "https://user@hooks.example.com/",
            "https://:secret@hooks.example.com/",
            "https://hooks.example.com/#part",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://printer/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://router.home.arpa/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://１２７.０.０.１/",
        ] {
            assert!(Address::parse(text, false).is_err(), "{text}");
        }
        let long = format!("https://hooks.example.com/{}", "x".repeat(MAX_LENGTH));
        assert!(Address::parse(&long, false).is_err());
    }

    #[test]
    fn development_may_use_private_addresses() {
        for text in ["http://127.0.0.1:4000/", "http://localhost:4000/a"] {
            assert_eq!(Address::parse(text, true).unwrap().as_str(), text);
        }
        assert!(Address::parse("ftp://127.0.0.1/", true).is_err());
    }
}
