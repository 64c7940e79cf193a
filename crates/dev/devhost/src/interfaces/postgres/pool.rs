//! Pools of Postgres connections, by address.
//!
//! Each event loop has its own, shared by all components: a connection is driven
//! by the event loop that opened it. With `--strict`, each component has its
//! own, shared by all threads.

use std::{cell::RefCell, collections::VecDeque, sync::PoisonError, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::{Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::client::Client;
use crate::{bindings::spin::postgres::postgres::Error, guest::GuestContext, redact::redact, tls};

/// Connections per address; Spin's number.
pub const POOL_SIZE: usize = 64;

/// Pools that are kept; Spin's number. The least recently used is dropped first.
const MAX_POOLS: usize = 16;

/// How long a server may take to accept a connection, unless the address says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    static POOLS: RefCell<Pools> = RefCell::default();
}

/// An address, and the certificates to trust in addition to the system's.
#[derive(Clone, PartialEq)]
pub struct Key {
    /// A URL or a `key=value` connection string.
    pub address: String,
    /// Certificates in PEM form.
    pub ca_root: Option<String>,
}

/// Waits for a client of the pool for `key`.
pub async fn client(context: &GuestContext, key: Key) -> Result<Client, Error> {
    let failed = |text: String| Error::ConnectionFailed(redact(&text, &key.address));
    let pool = pool(context, &key).map_err(|error| failed(format!("{error:#}")))?;
    let client = pool.get().await;
    let client = client.map_err(|error| failed(format!("{error:?}")))?;
    let managed = context.services.deviations.managed_connections;
    Ok(Client::new(client, managed))
}

fn pool(context: &GuestContext, key: &Key) -> anyhow::Result<Pool> {
    let size = context.services.postgres_pool_size;
    if context.services.deviations.shared_pools {
        return POOLS.with_borrow_mut(|pools| pools.pool(key, size));
    }
    let pools = context.postgres_pools.lock();
    pools
        .unwrap_or_else(PoisonError::into_inner)
        .pool(key, size)
}

/// Several pools, the most recently used first.
#[derive(Default)]
pub struct Pools(VecDeque<(Key, Pool)>);

impl Pools {
    fn pool(&mut self, key: &Key, size: usize) -> anyhow::Result<Pool> {
        let found = self.0.iter().position(|(other, _)| other == key);
        let pool = match found.and_then(|index| self.0.remove(index)) {
            Some((_, pool)) => pool,
            None => new_pool(key, size)?,
        };
        self.0.push_front((key.clone(), pool.clone()));
        self.0.truncate(MAX_POOLS);
        Ok(pool)
    }
}

fn new_pool(key: &Key, size: usize) -> anyhow::Result<Pool> {
    let mut config: Config = key.address.parse()?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    let settings = ManagerConfig {
        recycling_method: RecyclingMethod::Clean,
    };
    let manager = if config.get_ssl_mode() == SslMode::Disable {
        Manager::from_config(config, NoTls, settings)
    } else {
        let tls = tls::client_config(key.ca_root.as_deref())?;
        Manager::from_config(config, MakeRustlsConnect::new(tls), settings)
    };
    Ok(Pool::builder(manager).max_size(size).build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_pool_is_dropped() {
        let mut pools = Pools::default();
        let key = |index| Key {
            address: format!("postgres://h{index}/x?sslmode=disable"),
            ca_root: None,
        };
        for index in 0..=MAX_POOLS {
            pools.pool(&key(index), 1).unwrap();
        }
        assert_eq!(pools.0.len(), MAX_POOLS);
        assert!(pools.0.iter().all(|(kept, _)| *kept != key(0)));
    }
}
