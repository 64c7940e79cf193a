//! The hosts that an address names, and whether the component may connect to
//! them.

use std::net::IpAddr;

use tokio_postgres::{Config, config::Host};

use crate::{
    bindings::spin::postgres::postgres::Error, config::allowed_hosts::Destination,
    guest::GuestContext, redact::redact,
};

/// Refuses an address if the component may not connect to all of its hosts.
pub fn check_allowed(context: &GuestContext, address: &str) -> Result<(), Error> {
    let invalid =
        |error: tokio_postgres::Error| Error::ConnectionFailed(redact(&error.to_string(), address));
    let config: Config = address.parse().map_err(invalid)?;
    let destinations = destinations(&config)?;
    match destinations.iter().find(|to| !context.may_connect(to)) {
        Some(refused) => Err(Error::ConnectionFailed(format!(
            "address {refused} is not permitted"
        ))),
        None => Ok(()),
    }
}

/// Every host and every literal address that the driver may connect to.
fn destinations(config: &Config) -> Result<Vec<Destination>, Error> {
    let names = config.get_hosts().iter().map(name);
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let literals = config.get_hostaddrs().iter().map(IpAddr::to_string);
    let literals: Vec<_> = literals.collect();
    let ports = config.get_ports();
    let names = with_ports(&names, ports);
    names.chain(with_ports(&literals, ports)).collect()
}

fn name(host: &Host) -> Result<String, Error> {
    match host {
        Host::Tcp(name) => Ok(name.clone()),
        Host::Unix(_) => Err(Error::ConnectionFailed(
            "Unix sockets are not supported on WebAssembly".to_owned(),
        )),
    }
}

/// The hosts, each with the port of its position; a single port is that of all.
fn with_ports(hosts: &[String], ports: &[u16]) -> impl Iterator<Item = Result<Destination, Error>> {
    let port = |index| match ports {
        [single] => Some(*single),
        _ => ports.get(index).copied(),
    };
    hosts.iter().enumerate().map(move |(index, host)| {
        Destination::new("postgres", host, port(index))
            .ok_or_else(|| Error::ConnectionFailed(format!("{host} is not a host")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: &str) -> Vec<String> {
        let config = address.parse().unwrap();
        let destinations = destinations(&config).unwrap();
        destinations.iter().map(ToString::to_string).collect()
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
}
