//! `deploy/compose`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_yaml_ng::Value;

use super::arguments::{component_ids, listen};
use super::yaml::{at, map, text, texts};
use super::{PREFIX, ensure_processes, pushpin};
use crate::check::components::ensure_same;
use crate::check::spin_manifest::Manifest;

pub const FILE: &str = "deploy/compose/compose.yaml";
/// The connections that Spin opens to PostgreSQL for each component and process at the most.
const POOL: usize = 64;

pub fn check(manifest: &Manifest, compose: &str) -> Result<()> {
    let mut compose: Value = serde_yaml_ng::from_str(compose)?;
    compose.apply_merge()?;
    let [api, relay] = ["api", "relay"].map(|name| at(&compose, &["services", name]));
    let (api, relay) = (api?, relay?);
    let (api_ids, relay_ids) = (ids(api)?, ids(relay)?);
    ensure_processes(manifest, &api_ids, &relay_ids)?;
    for (service, ids) in [(api, &api_ids), (relay, &relay_ids)] {
        variables(manifest, service)?;
        health_check(manifest, service, ids)?;
    }
    pushpin::service(
        manifest,
        at(&compose, &["services", "pushpin"])?,
        api,
        &api_ids,
    )?;
    let migrations = text(&compose, &["services", "migrate", "build", "dockerfile"])?;
    super::read(migrations)?;
    let pools = api_ids.iter().chain(&relay_ids);
    connections(
        &compose,
        pools.filter(|id| manifest.uses_postgres(id)).count(),
    )
}

fn ids(service: &Value) -> Result<BTreeSet<String>> {
    Ok(component_ids(&texts(service, &["command"])?))
}

fn variables(manifest: &Manifest, service: &Value) -> Result<()> {
    let environment = map(service, &["environment"])?;
    let set: BTreeSet<String> = environment
        .keys()
        .filter_map(|name| Some(name.strip_prefix(PREFIX)?.to_lowercase()))
        .collect();
    ensure_same("the environment", &set, "spin.toml", &manifest.names())?;
    set.iter().try_for_each(|name| {
        let key = name.to_uppercase();
        let value = &environment[&format!("{PREFIX}{key}")];
        let expected = manifest
            .default_of(name)
            .map(|default| format!("${{{key}:-{default}}}"));
        ensure!(
            expected.as_ref().is_none_or(|expected| expected == value),
            "{key} has another default in spin.toml than {value}"
        );
        Ok(())
    })
}

/// The health check asks a route of the service, at the port that it listens on.
fn health_check(manifest: &Manifest, service: &Value, ids: &BTreeSet<String>) -> Result<()> {
    let command = texts(service, &["command"])?;
    let port = listen(&command).and_then(|address| address.rsplit_once(':'));
    let (_, port) = port.context("--listen names no port")?;
    asks(manifest, service, ids, port)
}

/// The health check of a container asks a route of these components, at a port.
pub fn asks(
    manifest: &Manifest,
    service: &Value,
    ids: &BTreeSet<String>,
    port: &str,
) -> Result<()> {
    let script = texts(service, &["healthcheck", "test"])?.join(" ");
    let path = script
        .split_once("GET ")
        .and_then(|(_, rest)| rest.split(' ').next())
        .context("the health check has no path")?;
    ensure!(manifest.has_route(ids, path), "no component answers {path}");
    ensure!(
        script.contains(&format!("/dev/tcp/127.0.0.1/{port};")),
        "the health check asks another port than {port}"
    );
    Ok(())
}

/// PostgreSQL accepts what the pools may open, and a few more.
fn connections(compose: &Value, pools: usize) -> Result<()> {
    let command = texts(compose, &["services", "postgres", "command"])?;
    let limit = command
        .iter()
        .find_map(|argument| argument.strip_prefix("max_connections="))
        .context("PostgreSQL's max_connections is not set")?;
    let limit: usize = limit.parse()?;
    ensure!(
        limit > pools * POOL,
        "max_connections is {limit}, and {pools} pools open up to {}",
        pools * POOL
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::{FILE, Manifest, check};

    fn error_with(from: &str, to: &str) -> String {
        let text = read(FILE).unwrap();
        assert!(text.contains(from), "{from}");
        let manifest = Manifest::read().unwrap();
        format!(
            "{:#}",
            check(&manifest, &text.replace(from, to)).unwrap_err()
        )
    }

    #[test]
    fn every_pool_gets_its_connections() {
        let error = error_with("max_connections=1232", "max_connections=100");
        assert!(error.contains("19 pools open up to 1216"), "{error}");
    }

    #[test]
    fn the_health_check_asks_a_route_at_the_port_of_the_service() {
        let error = error_with("GET /api/v1/health/ready", "GET /healthz");
        assert!(error.contains("/healthz"), "{error}");
        let error = error_with("\"0.0.0.0:3000\"", "\"0.0.0.0:8080\"");
        assert!(error.contains("8080"), "{error}");
    }
}
