//! `redis_host` and `database_host`: host and port of the stores' URLs.
//!
//! The manifest has them beside the URLs, because an entry of
//! `allowed_outbound_hosts` may hold no password. An operator of devhost need
//! not set both.

use tokio_postgres::config::Host;

use super::{Declared, Values};

/// Inserts the hosts that are declared and have no value.
pub fn insert_hosts(declared: &Declared, values: &mut Values) {
    let mut insert = |host: &str, url: &str, parse: fn(&str) -> Option<String>| {
        if declared.contains_key(host)
            && !values.contains_key(host)
            && let Some(value) = values.get(url).and_then(|url| parse(url))
        {
            values.insert(host.to_owned(), value);
        }
    };
    insert("redis_host", "redis_url", redis_host);
    insert("database_host", "database_url", database_host);
}

fn redis_host(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let port = url.port().unwrap_or(6379);
    Some(format!("{}:{port}", url.host_str()?))
}

/// Parses the address as the driver does, which takes URLs and `key=value`
/// strings alike.
fn database_host(address: &str) -> Option<String> {
    let config: tokio_postgres::Config = address.parse().ok()?;
    let Host::Tcp(host) = config.get_hosts().first()? else {
        return None;
    };
    let port = config.get_ports().first().unwrap_or(&5432);
    let is_ipv6 = host.contains(':');
    Some(if is_ipv6 {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}
