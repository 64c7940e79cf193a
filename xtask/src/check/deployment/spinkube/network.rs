//! The network policies.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_yaml_ng::Value;

use super::documents::{Documents, get};
use super::{API, MIGRATE, NAME, RELAY};
use crate::check::deployment::yaml::{at, list, map, text};

/// The port of an app's pods is the operator's choice.
const POD_PORT: u64 = 80;
/// Where receivers of webhooks are, outside of the cluster.
const OUTSIDE: u64 = 443;

/// Every pod has a policy, which lets it reach the ports of its stores.
pub fn check(documents: &Documents) -> Result<()> {
    let settings = map(get(documents, "ConfigMap", NAME)?, &["data"])?;
    let port = |host: &str| -> Result<u64> {
        let (_, port) = settings[host]
            .rsplit_once(':')
            .context("a host has no port")?;
        Ok(port.parse()?)
    };
    let (redis, postgres) = (port("redis_host")?, port("database_host")?);
    let expected = [
        (API, "core.spinkube.dev/app-name", vec![53, redis, postgres]),
        (
            RELAY,
            "core.spinkube.dev/app-name",
            vec![53, redis, postgres, OUTSIDE],
        ),
        (MIGRATE, "app.kubernetes.io/name", vec![53, postgres]),
    ];
    for (name, label, outgoing) in expected {
        let policy = get(documents, "NetworkPolicy", name)?;
        let selected = text(policy, &["spec", "podSelector", "matchLabels", label])?;
        ensure!(selected == name, "the policy {name} is for {selected}");
        let found = ports(policy, "egress")?;
        ensure!(
            found == outgoing.into_iter().collect(),
            "{name} may reach the ports {found:?}"
        );
        let found = ports(policy, "ingress")?;
        let expected = (name == API).then_some(POD_PORT).into_iter().collect();
        ensure!(
            found == expected,
            "{name} may be reached at the ports {found:?}"
        );
    }
    Ok(())
}

fn ports(policy: &Value, direction: &str) -> Result<BTreeSet<u64>> {
    let mut ports = BTreeSet::new();
    for rule in list(policy, &["spec", direction]).unwrap_or_default() {
        for port in list(rule, &["ports"])? {
            ports.insert(
                at(port, &["port"])?
                    .as_u64()
                    .context("a port is not a number")?,
            );
        }
    }
    Ok(ports)
}
