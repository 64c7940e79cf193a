//! `allowed_outbound_hosts`: which addresses a component may connect to.
//!
//! Entries read `scheme://host:port` as in Spin: `*` for any scheme, host or
//! port, `*.domain` for subdomains, address blocks (`10.0.0.0/8`) and port
//! ranges (`1000..2000`, the end excluded).
//!
//! # Layout
//!
//! * `entry`: one entry; `host_pattern`: its host
//! * `destination`: the address that a component wants to connect to

mod destination;
mod entry;
mod host_pattern;

use anyhow::{Context, Result};

pub use self::destination::Destination;
use self::entry::Entry;
use super::variables::Variables;

/// The addresses that one component may connect to.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

impl AllowedHosts {
    /// Parses a component's entries, with the variables in them replaced.
    pub fn parse(entries: &[String], variables: &Variables) -> Result<Self> {
        let parse = |entry: &String| parse_entry(entry, variables).transpose();
        let entries = entries.iter().filter_map(parse).collect::<Result<_>>()?;
        Ok(Self { entries })
    }

    /// Whether some entry allows `destination`.
    pub fn allow(&self, destination: &Destination) -> bool {
        self.entries.iter().any(|entry| entry.allows(destination))
    }
}

/// The parsed entry; none if an empty variable leaves it without a host.
fn parse_entry(template: &str, variables: &Variables) -> Result<Option<Entry>> {
    let expanded = variables.expand(template)?;
    if is_without_host(template, &expanded) {
        return Ok(None);
    }
    // The error names the template, not the expanded text: that may be secret.
    let invalid = || format!("allowed_outbound_hosts: `{template}`");
    expanded.parse().map(Some).with_context(invalid)
}

/// A template that an empty variable leaves without a host allows nothing.
fn is_without_host(template: &str, expanded: &str) -> bool {
    template != expanded && matches!(expanded, "" | "http://" | "https://")
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
