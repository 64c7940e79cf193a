//! Pools of Postgres connections, by address.
//!
//! Each thread has its own: a connection is driven by the event loop that
//! opened it.

use std::{
    cell::RefCell,
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::client::Client;
use crate::{
    bindings::spin::postgres::postgres::Error, guest::GuestContext, hosts::Destination,
    secrets::redact,
};

/// Connections per address; Spin's number.
pub const POOL_SIZE: usize = 64;

/// Pools that are kept; Spin's number. The least recently used goes first.
const MAX_POOLS: usize = 16;

/// How long a server may take to accept a connection, unless the address says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    static POOLS: RefCell<Pools> = RefCell::default();
}

/// Waits for a client of this thread's pool for `address`, of `size` clients.
pub async fn client(
    address: String,
    ca_root: Option<String>,
    size: usize,
) -> Result<Client, Error> {
    let key = Key { address, ca_root };
    let failed = |text: String| Error::ConnectionFailed(redact(&text, &key.address));
    let pool = POOLS
        .with_borrow_mut(|pools| pools.pool(&key, size))
        .map_err(|error| failed(format!("{error:#}")))?;
    let client = pool
        .get()
        .await
        .map_err(|error| failed(format!("{error:?}")))?;
    Ok(Client::new(client))
}

/// The pools of one thread, the most recently used first.
#[derive(Default)]
struct Pools(VecDeque<(Key, Pool)>);

#[derive(Clone, PartialEq)]
struct Key {
    address: String,
    ca_root: Option<String>,
}

impl Pools {
    fn pool(&mut self, key: &Key, size: usize) -> anyhow::Result<Pool> {
        let found = self.0.iter().position(|(other, _)| other == key);
        let pool = match found.and_then(|index| self.0.remove(index)) {
            Some((_, pool)) => pool,
            None => make_pool(key, size)?,
        };
        self.0.push_front((key.clone(), pool.clone()));
        self.0.truncate(MAX_POOLS);
        Ok(pool)
    }
}

fn make_pool(key: &Key, size: usize) -> anyhow::Result<Pool> {
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
        let tls = MakeRustlsConnect::new(tls_config(key.ca_root.as_deref())?);
        Manager::from_config(config, tls, settings)
    };
    Ok(Pool::builder(manager).max_size(size).build()?)
}

/// Trusts the system's certificates, and `ca_root` too.
fn tls_config(ca_root: Option<&str>) -> anyhow::Result<ClientConfig> {
    let mut roots = system_roots().clone();
    for certificate in certificates(ca_root.unwrap_or_default()) {
        roots.add(certificate?)?;
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Reading them takes a while, so that is done once.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

fn certificates(
    pem: &str,
) -> impl Iterator<Item = Result<CertificateDer<'static>, rustls::pki_types::pem::Error>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
}

/// Refuses text that holds no certificate.
pub fn check_certificate(pem: &str) -> Result<(), Error> {
    let invalid = |what: String| Error::Other(format!("invalid root certificate: {what}"));
    let first = certificates(pem)
        .next()
        .ok_or_else(|| invalid("none found".to_owned()))?;
    let certificate = first.map_err(|error| invalid(error.to_string()))?;
    RootCertStore::empty()
        .add(certificate)
        .map_err(|error| invalid(error.to_string()))
}

/// Refuses an address of which any host is not allowed.
pub fn check_allowed(context: &Arc<GuestContext>, address: &str) -> Result<(), Error> {
    let config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
        Error::ConnectionFailed(redact(&error.to_string(), address))
    })?;
    for destination in destinations(&config)? {
        if !context.may_connect(&destination) {
            return Err(Error::ConnectionFailed(format!(
                "address {destination} is not permitted"
            )));
        }
    }
    Ok(())
}

/// Every host and every literal address that the driver may connect to.
fn destinations(config: &Config) -> Result<Vec<Destination>, Error> {
    let names = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => Ok(name.clone()),
        Host::Unix(_) => Err(Error::ConnectionFailed(
            "Unix sockets are not supported on WebAssembly".to_owned(),
        )),
    });
    let literals = config.get_hostaddrs().iter().map(IpAddr::to_string).map(Ok);
    let ports = config.get_ports();
    let with_ports = |hosts: &mut dyn Iterator<Item = Result<String, Error>>| {
        hosts
            .enumerate()
            .map(|(index, host)| {
                let port = if ports.len() == 1 {
                    ports.first()
                } else {
                    ports.get(index)
                };
                let host = host?;
                Destination::new("postgres", &host, port.copied())
                    .ok_or_else(|| Error::ConnectionFailed(format!("{host} is not a host")))
            })
            .collect::<Result<Vec<_>, _>>()
    };
    let mut destinations = with_ports(&mut { names })?;
    destinations.extend(with_ports(&mut { literals })?);
    Ok(destinations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: &str) -> Vec<String> {
        let config = address.parse().unwrap();
        destinations(&config)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_host_of_an_address_is_checked() {
        assert_eq!(shown("postgres://u:p@db/x"), ["postgres://db:5432"]);
        assert_eq!(
            shown("postgres://a:1,b:2/x"),
            ["postgres://a:1", "postgres://b:2"]
        );
        assert_eq!(
            shown("host=a,b port=7"),
            ["postgres://a:7", "postgres://b:7"]
        );
        assert_eq!(
            shown("host=allowed hostaddr=10.0.0.1 port=5"),
            ["postgres://allowed:5", "postgres://10.0.0.1:5"]
        );
    }

    #[test]
    fn unix_sockets_are_refused() {
        assert!(destinations(&"host=/run/postgresql".parse().unwrap()).is_err());
    }

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

    #[test]
    fn text_without_a_certificate_is_refused() {
        assert!(check_certificate("nothing").is_err());
    }
}
