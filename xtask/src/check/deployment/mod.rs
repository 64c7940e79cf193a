//! The files of `deploy/`: each names the components, variables, routes and ports of spin.toml.

mod arguments;
mod compose;
mod pushpin;
mod spinkube;
mod systemd;
mod yaml;

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::components::ensure_same;
use super::spin_manifest::Manifest;
use crate::workspace;

/// All files of `deploy/` can be parsed, and set what spin.toml wants.
pub fn files_and_manifest_agree() -> Result<()> {
    let manifest = Manifest::read()?;
    spinkube::check(&manifest, &spinkube::documents()?).context("deploy/spinkube")?;
    compose::check(&manifest, &read(compose::FILE)?).context(compose::FILE)?;
    systemd::check(&manifest, &systemd::Files::read()?).context("deploy/systemd")?;
    pushpin::check(&pushpin::Files::read()?).context("deploy/pushpin")?;
    runtime_config(&read("deploy/runtime-config.toml")?).context("deploy/runtime-config.toml")
}

/// What the variables of Spin begin with in the environment.
const PREFIX: &str = "SPIN_VARIABLE_";

fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(workspace::root().join(file))
        .with_context(|| format!("cannot read {file}"))
}

fn runtime_config(text: &str) -> Result<()> {
    text.parse::<toml::Table>()?;
    Ok(())
}

/// A deployment runs two processes: Spin ends when a Redis subscription ends, and requests need not
/// end with it. The process with the Redis triggers has `health` too, for its probes.
fn ensure_processes(
    manifest: &Manifest,
    api: &BTreeSet<String>,
    relay: &BTreeSet<String>,
) -> Result<()> {
    let http = manifest.triggered_by("http");
    ensure_same("the API's process", api, "the http triggers", &http)?;
    let mut redis = manifest.triggered_by("redis");
    redis.insert("health".to_string());
    ensure_same(
        "the relay's process",
        relay,
        "the redis triggers and health",
        &redis,
    )
}

#[cfg(test)]
mod tests {
    use super::{Manifest, compose, files_and_manifest_agree, read, spinkube, systemd};

    /// spin.toml with one more variable, which `messages` reads.
    fn with_another_variable(definition: &str) -> Manifest {
        let text = read("spin.toml").unwrap();
        let text = text
            .replace(
                "[variables]",
                &format!("[variables]\nanother = {definition}"),
            )
            .replace(
                "variables = { redis_url",
                "variables = { another = \"{{ another }}\", redis_url",
            );
        Manifest::parse(&text).unwrap()
    }

    fn errors(manifest: &Manifest) -> [String; 3] {
        let results = [
            spinkube::check(manifest, &spinkube::documents().unwrap()),
            compose::check(manifest, &read(compose::FILE).unwrap()),
            systemd::check(manifest, &systemd::Files::read().unwrap()),
        ];
        results.map(|result| format!("{:#}", result.unwrap_err()))
    }

    #[test]
    fn the_files_and_the_manifest_agree() {
        files_and_manifest_agree().unwrap();
    }

    #[test]
    fn a_new_variable_has_to_be_in_every_deployment() {
        for definition in [r#"{ default = "1" }"#, "{ required = true, secret = true }"] {
            for error in errors(&with_another_variable(definition)) {
                assert!(error.contains("another"), "{error}");
            }
        }
    }

    #[test]
    fn a_new_default_has_to_be_in_every_deployment() {
        let text = read("spin.toml").unwrap();
        let text = text.replace(
            r#"presence_ttl = { default = "300" }"#,
            r#"presence_ttl = { default = "301" }"#,
        );
        for error in errors(&Manifest::parse(&text).unwrap()) {
            assert!(error.to_lowercase().contains("presence_ttl"), "{error}");
        }
    }

    #[test]
    fn a_new_component_has_to_be_in_every_deployment() {
        let text = read("spin.toml").unwrap();
        let route = r#"http = [ { route = "/api/v1/new", component = "archive" },"#;
        let text = text.replace("http = [", route);
        for error in errors(&Manifest::parse(&text).unwrap()) {
            assert!(error.contains("archive"), "{error}");
        }
    }
}
