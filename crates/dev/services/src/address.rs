//! The network address in a store's URL.

use anyhow::{Context, Result, bail};
use url::Url;

/// The `host:port` of a URL such as `redis://:secret@cache.example:6380/1`, with the default port
/// of the scheme if the URL names none. An allow list may hold this: it has no user and no path.
///
/// # Errors
///
/// When this is not a URL of Redis or PostgreSQL.
pub fn host_and_port(url: &str) -> Result<String> {
    let url = Url::parse(url).context("not a URL such as redis://host:port")?;
    let default = match url.scheme() {
        "redis" | "rediss" => 6379,
        "postgres" | "postgresql" => 5432,
        other => bail!("no default port is known for the scheme {other}"),
    };
    let host = url.host_str().unwrap_or("127.0.0.1");
    Ok(format!("{host}:{}", url.port().unwrap_or(default)))
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
    fn a_missing_port_is_the_default_of_the_scheme() {
        assert_eq!(of("rediss://cache.example"), "cache.example:6379");
        assert_eq!(of("postgresql://db.example/app"), "db.example:5432");
        assert_eq!(of("redis://[::1]"), "[::1]:6379");
        assert_eq!(of("redis://[::1]:7000"), "[::1]:7000");
    }

    #[test]
    fn other_texts_are_refused() {
        assert!(host_and_port("cache.example").is_err());
        assert!(host_and_port("cache.example:6379").is_err());
        assert!(host_and_port("http://cache.example").is_err());
    }
}
