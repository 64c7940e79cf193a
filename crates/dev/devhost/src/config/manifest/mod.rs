//! `spin.toml`, manifest version 2: the keys that devhost supports.
//!
//! A key that is not supported is an error, so that a misspelt key is never
//! silently without effect. So is a manifest that Spin refuses.
//!
//! # Layout
//!
//! * [`application`]: `[application]`; [`variable`]: `[variables]`
//! * [`trigger`]: `[[trigger.http]]` and `[[trigger.redis]]`
//! * [`component`]: `[component.<id>]`
//! * `inline`: components that are written inside of a trigger

pub mod application;
pub mod component;
mod inline;
pub mod trigger;
pub mod variable;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use self::{
    application::Application, component::Component, inline::ComponentSpec, trigger::Triggers,
    variable::Variable,
};
use super::identifier::{ComponentId, VariableName};

/// A whole manifest.
#[derive(Debug)]
pub struct Manifest {
    /// `[application]`
    pub application: Application,
    /// `[variables]`, by name.
    pub variables: BTreeMap<VariableName, Variable>,
    /// `[[trigger.http]]` and `[[trigger.redis]]`
    pub triggers: Triggers,
    /// `[component.<id>]` and the inline components, by id.
    pub components: BTreeMap<ComponentId, Component>,
}

/// A manifest as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    spin_manifest_version: u32,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<VariableName, Variable>,
    trigger: Triggers<ComponentSpec>,
    #[serde(default)]
    component: BTreeMap<ComponentId, Component>,
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
        let document: Document = toml::from_str(text)?;
        let version = document.spin_manifest_version;
        ensure!(
            version == 2,
            "spin_manifest_version is {version}, but only version 2 is supported"
        );
        let mut components = document.component;
        let triggers = inline::resolve(document.trigger, &mut components);
        check_components_exist(&triggers, &components)?;
        Ok(Self {
            application: document.application,
            variables: document.variables,
            triggers,
            components,
        })
    }
}

fn check_components_exist(
    triggers: &Triggers,
    components: &BTreeMap<ComponentId, Component>,
) -> Result<()> {
    for id in triggers.components() {
        ensure!(
            components.contains_key(id),
            "a trigger names component `{id}`, but there is no [component.{id}]"
        );
    }
    Ok(())
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
        assert!(manifest.variables["redis_url"].secret);
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
    fn triggers_may_be_arrays_of_inline_tables() {
        let manifest = Manifest::parse(
            r#"
            spin_manifest_version = 2
            application = { name = "app", targets = ["spin-up:4.1"] }
            [trigger]
            http = [
                { route = "/a", component = "a" },
                { route = "/b", component = "a", executor = { type = "http" } },
            ]
            redis = [{ channel = "c", component = "a" }]
            [component]
            a = { source = "a.wasm", targets = ["spin-up:4.1"], build = { command = "make" } }
            "#,
        )
        .unwrap();
        assert_eq!(manifest.triggers.http.len(), 2);
        assert_eq!(manifest.triggers.redis.len(), 1);
    }

    #[test]
    fn settings_of_tools_are_ignored() {
        let tool = "[application.tool.some]\nkey = 1\n[variables]";
        Manifest::parse(&APP.replacen("[variables]", tool, 1)).unwrap();
    }

    #[test]
    fn malformed_identifiers_are_refused() {
        let message = error(&APP.replace("component.a", "component.snake_case"));
        assert!(message.contains("`snake_case`"), "{message}");
        let message = error(&APP.replacen("redis_url = {", "RedisUrl = {", 1));
        assert!(message.contains("`RedisUrl`"), "{message}");
    }

    #[test]
    fn a_variable_is_required_or_has_a_default() {
        for variable in ["required = true, default = ''", "secret = true"] {
            let message = error(&APP.replacen("required = true, secret = true", variable, 1));
            assert!(message.contains("`required` or `default`"), "{message}");
        }
    }

    #[test]
    fn a_manifest_without_triggers_is_refused() {
        let message = error("spin_manifest_version = 2\napplication.name = 'app'");
        assert!(message.contains("missing field `trigger`"), "{message}");
    }

    #[test]
    fn a_route_is_a_path_or_private() {
        let message = error(&APP.replacen("private = true", "private = false", 1));
        assert!(message.contains("`{ private = true }`"), "{message}");
    }
}
