//! `spin.toml`, manifest version 2: the keys that devhost supports.
//!
//! A key that is not supported is an error, so that a misspelt key is never
//! silently without effect.
//!
//! # Layout
//!
//! * [`application`]: `[application]` and `[variables]`
//! * [`trigger`]: `[[trigger.http]]` and `[[trigger.redis]]`
//! * [`component`]: `[component.<id>]`

pub mod application;
pub mod component;
pub mod trigger;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use self::{
    application::{Application, Variable},
    component::Component,
    trigger::Triggers,
};

/// A whole manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    /// `[application]`
    pub application: Application,
    /// `[variables]`, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]` and `[[trigger.redis]]`
    #[serde(default, rename = "trigger")]
    pub triggers: Triggers,
    /// `[component.<id>]`, by id.
    #[serde(default, rename = "component")]
    pub components: BTreeMap<String, Component>,
}

impl Manifest {
    /// Reads the manifest at `path`; errors name the file and the key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("could not read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not valid", path.display()))
    }

    /// Parses the text of a manifest.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        let version = manifest.spin_manifest_version;
        ensure!(
            version == 2,
            "spin_manifest_version is {version}, but only version 2 is supported"
        );
        manifest.check_components_exist()?;
        Ok(manifest)
    }

    fn check_components_exist(&self) -> Result<()> {
        for id in self.triggers.components() {
            ensure!(
                self.components.contains_key(id),
                "a trigger names component `{id}`, but there is no [component.{id}]"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const APP: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "app"
        [application.trigger.redis]
        address = "{{ redis_url }}"
        [variables]
        redis_url = { required = true, secret = true }
        [[trigger.http]]
        route = "/a/:id/..."
        component = "a"
        [[trigger.http]]
        route = { private = true }
        component = "b"
        [[trigger.redis]]
        channel = "wake-up"
        component = "b"
        [component.a]
        source = "a.wasm"
        allowed_outbound_hosts = ["redis://{{ redis_host }}"]
        variables = { redis_url = "{{ redis_url }}" }
        [component.a.build]
        command = "cargo build"
        watch = ["src/**/*.rs"]
        [component.b]
        source = "b.wasm"
    "#;

    fn error(text: &str) -> String {
        format!("{:#}", Manifest::parse(text).unwrap_err())
    }

    #[test]
    fn every_supported_key_is_read() {
        let manifest = Manifest::parse(APP).unwrap();
        assert_eq!(manifest.triggers.http.len(), 2);
        assert_eq!(manifest.triggers.redis[0].channel, "wake-up");
        assert!(manifest.variables["redis_url"].required);
        assert_eq!(manifest.components["a"].source, Path::new("a.wasm"));
    }

    #[test]
    fn unknown_keys_are_named() {
        for (known, misspelt) in [
            ("allowed_outbound_hosts", "allowed_hosts"),
            ("channel =", "chanel ="),
            ("secret", "secrets"),
            ("watch", "watches"),
        ] {
            let message = error(&APP.replacen(known, misspelt, 1));
            let key = misspelt.trim_end_matches(" =");
            let expected = format!("unknown field `{key}`");
            assert!(message.contains(&expected), "{message}");
        }
    }

    #[test]
    fn a_trigger_for_a_missing_component_is_an_error() {
        let message = error(&APP.replacen("component = \"a\"", "component = \"c\"", 1));
        assert!(message.contains("[component.c]"), "{message}");
    }

    #[test]
    fn other_manifest_versions_are_refused() {
        assert!(error(&APP.replacen("version = 2", "version = 1", 1)).contains("only version 2"));
    }

    #[test]
    fn a_route_is_a_path_or_private() {
        let message = error(&APP.replacen("private = true", "private = false", 1));
        assert!(message.contains("`{ private = true }`"), "{message}");
    }
}
