//! The network address inside a store's URL.

use anyhow::{Context, Result};

/// The `host:port` of a URL such as `redis://:secret@cache.example:6380/1`, with the scheme's
/// own port where the URL names none. This is what an allow list may hold: no user, no path.
pub fn host_and_port(url: &str) -> Result<String> {
    let (scheme, rest) = url
        .split_once("://")
        .context("a store's URL needs a scheme, as in redis://host:port")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = authority
        .rsplit_once('@')
        .map_or(authority, |(_, address)| address);
    let host = if address.starts_with(':') || address.is_empty() {
        format!("127.0.0.1{address}")
    } else {
        address.into()
    };
    if has_port(&host) {
        Ok(host)
    } else {
        Ok(format!("{host}:{}", default_port(scheme)?))
    }
}

/// Whether the address ends in a port; a colon inside an IPv6 address's brackets is not one.
fn has_port(address: &str) -> bool {
    let after_brackets = address.rsplit_once(']').map_or(address, |(_, rest)| rest);
    after_brackets.contains(':')
}

fn default_port(scheme: &str) -> Result<u16> {
    match scheme {
        "redis" | "rediss" => Ok(6379),
        "postgres" | "postgresql" => Ok(5432),
        other => anyhow::bail!("no default port is known for the scheme {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    fn of(url: &str) -> String {
        host_and_port(url).unwrap()
    }

    #[test]
    fn credentials_paths_and_queries_are_left_out() {
        assert_eq!(
            of("redis://:se%40cret@cache.example:6380/1"),
            "cache.example:6380"
        );
        assert_eq!(
            of("postgres://u:p@db.example:5433/app?sslmode=require"),
            "db.example:5433"
        );
        assert_eq!(
            of("postgres://u:a@b@db.example:5433/app"),
            "db.example:5433"
        );
    }

    #[test]
    fn a_missing_port_is_the_schemes_own() {
        assert_eq!(of("rediss://cache.example"), "cache.example:6379");
        assert_eq!(of("postgresql://db.example/app"), "db.example:5432");
        assert_eq!(of("redis://[::1]"), "[::1]:6379");
        assert_eq!(of("redis://[::1]:7000"), "[::1]:7000");
    }

    #[test]
    fn what_is_not_a_url_is_refused() {
        assert!(host_and_port("cache.example:6379").is_err());
        assert!(host_and_port("http://cache.example").is_err());
    }
}
