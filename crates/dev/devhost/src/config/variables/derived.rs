//! `redis_host`, `database_host`, `grip_host` and `ai_host`: host and port of the URLs of the stores, the
//! proxies and the assistant's endpoint; and `redis_database`, the number of the database that the URL names.
//!
//! The manifest has them in addition to the URLs, because an entry of
//! `allowed_outbound_hosts` may hold no password, and a channel no URL. An
//! operator of devhost need not set both.

use anyhow::{Result, anyhow};
use store_url::InvalidUrl;
use tokio_postgres::config::Host;

use super::{Declared, Values};

type Parse = fn(&str) -> Result<Option<String>, InvalidUrl>;

/// Inserts the derived variables that are declared and have no value. The error
/// names the variable of a URL that cannot be taken, and never its value.
pub fn insert(declared: &Declared, values: &mut Values) -> Result<()> {
    let mut insert = |name: &str, url: &str, parse: Parse| -> Result<()> {
        if declared.contains_key(name)
            && !values.contains_key(name)
            && let Some(address) = values.get(url)
        {
            let value = parse(address).map_err(|reason| anyhow!("the variable {url} {reason}"))?;
            values.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(())
    };
    insert("redis_host", "redis_url", redis_host)?;
    insert("redis_database", "redis_url", redis_database)?;
    insert("database_host", "database_url", database_host)?;
    insert("ai_host", "ai_url", host_of_first)?;
    insert("grip_host", "grip_url", host_of_first)
}

/// Of the first address.
fn host_of_first(addresses: &str) -> Result<Option<String>, InvalidUrl> {
    let first = addresses.split(',').next().unwrap_or_default();
    let url = url::Url::parse(first.trim()).ok();
    Ok(url.and_then(|url| {
        Some(format!(
            "{}:{}",
            url.host_str()?,
            url.port_or_known_default()?
        ))
    }))
}

fn redis_host(address: &str) -> Result<Option<String>, InvalidUrl> {
    let url = url::Url::parse(&store_url::redis(address)?).ok();
    Ok(url.and_then(|url| {
        let port = url.port().unwrap_or(6379);
        Some(format!("{}:{port}", url.host_str()?))
    }))
}

/// The number in the path, as the driver reads it; none in `redis://host` and
/// `redis://host/`.
fn redis_database(address: &str) -> Result<Option<String>, InvalidUrl> {
    let url = url::Url::parse(&store_url::redis(address)?).ok();
    let number = url.and_then(|url| url.path().strip_prefix('/')?.parse::<u32>().ok());
    Ok(number.map(|number| number.to_string()))
}

/// Parses the address as the driver does, which takes URLs and `key=value`
/// strings alike.
fn database_host(address: &str) -> Result<Option<String>, InvalidUrl> {
    let config = store_url::postgres(address)?.parse().ok();
    Ok(config.as_ref().and_then(first_tcp_host))
}

fn first_tcp_host(config: &tokio_postgres::Config) -> Option<String> {
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
