//! `deploy/spinkube`.

mod documents;
mod network;
mod workloads;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_yaml_ng::Value;

use super::ensure_processes;
use super::manifest::Manifest;
use super::yaml::{at, list, map, text, texts};
use crate::check::components::ensure_same;
pub use documents::documents;
use documents::{Documents, get, key};

/// The ConfigMap and the Secret with the variables, and the start of all other names.
const NAME: &str = "lexiflow-messaging";
const API: &str = "lexiflow-messaging-api";
const RELAY: &str = "lexiflow-messaging-relay";
const MIGRATE: &str = "lexiflow-messaging-migrate";

pub fn check(manifest: &Manifest, documents: &Documents) -> Result<()> {
    let (api, relay) = (
        get(documents, "SpinApp", API)?,
        get(documents, "SpinApp", RELAY)?,
    );
    ensure_processes(manifest, &components(api)?, &components(relay)?)?;
    for app in [api, relay] {
        check_app(manifest, documents, app).with_context(|| key(app).unwrap_or_default().1)?;
    }
    ensure!(
        text(api, &["spec", "image"])? == text(relay, &["spec", "image"])?,
        "the apps have different images"
    );
    check_values(manifest, documents)?;
    workloads::check_scaling(documents)?;
    workloads::check_migration(documents)?;
    network::check(documents)
}

fn components(app: &Value) -> Result<BTreeSet<String>> {
    Ok(texts(app, &["spec", "components"])?.into_iter().collect())
}

fn check_app(manifest: &Manifest, documents: &Documents, app: &Value) -> Result<()> {
    let components = components(app)?;
    let bindings = list(app, &["spec", "variables"])?;
    let bound: Result<BTreeSet<String>> = bindings.iter().map(|it| binding(manifest, it)).collect();
    ensure_same(
        "variables",
        &bound?,
        "spin.toml",
        &manifest.variables_of(&components),
    )?;
    for probe in ["liveness", "readiness"] {
        let path = text(app, &["spec", "checks", probe, "httpGet", "path"])?;
        ensure!(
            manifest.has_route(&components, path),
            "no component answers {path}"
        );
    }
    get(
        documents,
        "SpinAppExecutor",
        text(app, &["spec", "executor"])?,
    )?;
    let runtime_config = text(app, &["spec", "runtimeConfig", "loadFromSecret"])?;
    let secret = get(documents, "Secret", runtime_config)?;
    super::runtime_config(text(secret, &["stringData", "runtime-config.toml"])?)
}

/// A secret is bound to the Secret, anything else to the ConfigMap, each to its own name.
fn binding(manifest: &Manifest, binding: &Value) -> Result<String> {
    let name = text(binding, &["name"])?;
    let is_secret = manifest.variables.get(name).is_some_and(|it| it.is_secret);
    let source = if is_secret {
        "secretKeyRef"
    } else {
        "configMapKeyRef"
    };
    let reference = at(binding, &["valueFrom", source]).with_context(|| name.to_string())?;
    ensure!(
        text(reference, &["name"])? == NAME && text(reference, &["key"])? == name,
        "{name} is bound to something else"
    );
    Ok(name.to_string())
}

/// The ConfigMap and the Secret have a value for each variable, by default that of spin.toml.
fn check_values(manifest: &Manifest, documents: &Documents) -> Result<()> {
    let mut values = map(get(documents, "ConfigMap", NAME)?, &["data"])?;
    for name in values.keys() {
        let is_secret = manifest.variables.get(name).is_some_and(|it| it.is_secret);
        ensure!(!is_secret, "{name} is secret and in the ConfigMap");
    }
    values.extend(map(get(documents, "Secret", NAME)?, &["stringData"])?);
    let names = values.keys().cloned().collect();
    ensure_same(
        "the ConfigMap and the Secret",
        &names,
        "spin.toml",
        &manifest.names(),
    )?;
    for (name, value) in &values {
        if let Some(default) = manifest.default_of(name) {
            ensure!(
                value == default,
                "{name} is {value:?}, and in spin.toml {default:?}"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{manifest::Manifest, read};
    use super::{Documents, Value, check, documents};

    /// The error when the file with this document has another text in it.
    fn error_with(kind: &str, name: &str, from: &str, to: &str) -> String {
        let mut documents: Documents = documents().unwrap();
        let document = documents
            .get_mut(&(kind.to_string(), name.to_string()))
            .unwrap();
        let text = serde_yaml_ng::to_string(document).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        *document = serde_yaml_ng::from_str::<Value>(&text.replacen(from, to, 1)).unwrap();
        let manifest = Manifest::parse(&read("spin.toml").unwrap()).unwrap();
        format!("{:#}", check(&manifest, &documents).unwrap_err())
    }

    #[test]
    fn probes_ask_routes_of_the_app() {
        let error = error_with(
            "SpinApp",
            super::RELAY,
            "/api/v1/health/live",
            "/api/v1/messages",
        );
        assert!(
            error.contains("no component answers /api/v1/messages"),
            "{error}"
        );
    }

    #[test]
    fn secrets_are_bound_to_the_secret() {
        let error = error_with("SpinApp", super::API, "secretKeyRef", "configMapKeyRef");
        assert!(error.contains("secretKeyRef is missing"), "{error}");
    }

    #[test]
    fn pods_may_reach_their_stores_and_nothing_else() {
        let error = error_with("NetworkPolicy", super::RELAY, "6380", "6379");
        assert!(error.contains("may reach"), "{error}");
        let error = error_with("NetworkPolicy", super::API, "port: 80", "port: 8080");
        assert!(error.contains("may be reached"), "{error}");
    }

    #[test]
    fn all_images_are_of_one_release() {
        let error = error_with("SpinApp", super::API, ":TAG", ":OTHER");
        assert!(error.contains("different images"), "{error}");
        let error = error_with("Job", super::MIGRATE, ":TAG", ":OTHER");
        assert!(error.contains("the Job's image"), "{error}");
    }
}
