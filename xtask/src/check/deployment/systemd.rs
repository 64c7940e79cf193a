//! `deploy/systemd`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use super::arguments::{self, component_ids};
use super::{PREFIX, ensure_processes, pushpin, read};
use crate::check::components::ensure_same;
use crate::check::spin_manifest::Manifest;

pub struct Files {
    pub api: String,
    pub relay: String,
    pub probe: String,
    pub pushpin: String,
    pub environment: String,
}

impl Files {
    pub fn read() -> Result<Self> {
        Ok(Self {
            api: read("deploy/systemd/lexiflow-messaging-api.service")?,
            relay: read("deploy/systemd/lexiflow-messaging-relay.service")?,
            probe: read("deploy/systemd/lexiflow-messaging-probe.service")?,
            pushpin: read("deploy/systemd/lexiflow-messaging-pushpin.service")?,
            environment: read("deploy/systemd/messaging.env.example")?,
        })
    }
}

pub fn check(manifest: &Manifest, files: &Files) -> Result<()> {
    let (api, relay) = (arguments(&files.api)?, arguments(&files.relay)?);
    ensure_processes(manifest, &component_ids(&api), &component_ids(&relay))?;
    ensure!(
        listen(&api)? != listen(&relay)?,
        "the units listen at one address"
    );
    probe(manifest, &files.probe, &relay)?;
    for unit in [&files.api, &files.relay, &files.pushpin] {
        ensure!(
            unit.contains("\nRestart=always\n") && unit.contains("\nStartLimitIntervalSec=0\n"),
            "a unit is not started again however often Spin ends"
        );
    }
    ensure!(
        pushpin::target_of_unit(&files.pushpin) == Some(listen(&api)?),
        "Pushpin's target is not where the API listens"
    );
    environment(manifest, &files.environment)
}

/// The arguments of `ExecStart=`, whose lines are continued by backslashes.
fn arguments(unit: &str) -> Result<Vec<String>> {
    let unit = unit.replace("\\\n", " ");
    let command = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .context("a unit has no ExecStart")?;
    shlex::split(command).context("ExecStart has an open quote")
}

fn listen(arguments: &[String]) -> Result<&str> {
    arguments::listen(arguments).context("a unit names no address")
}

/// The probe asks a route of the relay's process, at its address.
fn probe(manifest: &Manifest, unit: &str, relay: &[String]) -> Result<()> {
    let arguments = arguments(unit)?;
    let origin = format!("http://{}", listen(relay)?);
    let path = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix(&origin));
    let path = path.with_context(|| format!("the probe does not ask {origin}"))?;
    ensure!(
        manifest.has_route(&component_ids(relay), path),
        "no component of the relay answers {path}"
    );
    Ok(())
}

/// The template names all variables: what has to be set is, and the rest shows its default.
fn environment(manifest: &Manifest, template: &str) -> Result<()> {
    let line = |line: &str| {
        let (name, value) = line
            .trim_start_matches('#')
            .strip_prefix(PREFIX)?
            .split_once('=')?;
        let default = line.starts_with('#').then(|| value.to_string());
        Some((name.to_lowercase(), default))
    };
    let shown: BTreeMap<String, Option<String>> = template.lines().filter_map(line).collect();
    let names: BTreeSet<String> = shown.keys().cloned().collect();
    ensure_same(
        "messaging.env.example",
        &names,
        "spin.toml",
        &manifest.names(),
    )?;
    shown.iter().try_for_each(|(name, default)| {
        ensure!(
            default.as_deref() == manifest.default_of(name),
            "messaging.env.example and spin.toml have different defaults for {name}"
        );
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{Files, Manifest, check};

    fn error_of(files: &Files) -> String {
        let manifest = Manifest::read().unwrap();
        format!("{:#}", check(&manifest, files).unwrap_err())
    }

    #[test]
    fn the_units_listen_at_different_addresses() {
        let mut files = Files::read().unwrap();
        files.relay = files.relay.replace("127.0.0.1:3001", "127.0.0.1:3000");
        assert!(error_of(&files).contains("one address"));
    }

    #[test]
    fn pushpin_is_in_front_of_the_api() {
        let mut files = Files::read().unwrap();
        files.pushpin = files.pushpin.replace("127.0.0.1:3000", "127.0.0.1:3001");
        assert!(error_of(&files).contains("Pushpin's target"));
    }

    #[test]
    fn the_probe_asks_the_process_of_the_relay() {
        let mut files = Files::read().unwrap();
        files.probe = files.probe.replace("127.0.0.1:3001", "127.0.0.1:3000");
        assert!(error_of(&files).contains("does not ask http://127.0.0.1:3001"));
    }

    #[test]
    fn what_has_to_be_set_is_not_commented_out() {
        let mut files = Files::read().unwrap();
        files.environment = files
            .environment
            .replace("\nSPIN_VARIABLE_REDIS_HOST", "\n#SPIN_VARIABLE_REDIS_HOST");
        assert!(error_of(&files).contains("redis_host"));
    }
}
