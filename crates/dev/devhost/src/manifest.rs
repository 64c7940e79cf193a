//! `spin.toml`, manifest version 2: the keys that this app uses.
//!
//! A key that is not listed here is an error, so that a misspelt key is never
//! silently without effect.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

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

/// What the app is called, and what its triggers have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The app's name.
    pub name: String,
    /// The app's version.
    #[serde(default)]
    pub version: String,
    /// What the app is for.
    #[serde(default)]
    pub description: String,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// `[application.trigger.<type>]`
    #[serde(default)]
    pub trigger: ApplicationTriggers,
}

/// Settings for all triggers of one type.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationTriggers {
    /// `[application.trigger.redis]`
    pub redis: Option<RedisDefaults>,
}

/// Settings for all Redis triggers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisDefaults {
    /// Where triggers without an address of their own subscribe; a template.
    pub address: String,
}

/// An application variable.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What the variable is for.
    #[serde(default)]
    pub description: Option<String>,
    /// The value where none is given.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether a value must be given.
    #[serde(default)]
    pub required: bool,
    /// Whether the value must never be shown.
    #[serde(default)]
    pub secret: bool,
}

/// What starts components.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// HTTP routes.
    #[serde(default)]
    pub http: Vec<HttpTrigger>,
    /// Redis channels.
    #[serde(default)]
    pub redis: Vec<RedisTrigger>,
}

/// A route and the component that serves it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// The trigger's own name, which nothing refers to.
    #[serde(default)]
    pub id: Option<String>,
    /// The path, with `:name` segments and perhaps a trailing `/...`.
    pub route: Route,
    /// The id of the component.
    pub component: String,
}

/// A public path, or no path at all.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a route is a path or `{ private = true }`")]
pub enum Route {
    /// A path pattern.
    Public(String),
    /// A component that no request from outside reaches.
    Private(Private),
}

/// `{ private = true }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    private: bool,
}

/// A channel and the component that handles its messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisTrigger {
    /// The trigger's own name, which nothing refers to.
    #[serde(default)]
    pub id: Option<String>,
    /// Overrides the app's Redis address; a template.
    pub address: Option<String>,
    /// The exact name of the channel; a template.
    pub channel: String,
    /// The id of the component.
    pub component: String,
}

/// A component: what it runs, and what it may see.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The WebAssembly file, relative to the manifest.
    pub source: PathBuf,
    /// What the component does.
    #[serde(default)]
    pub description: String,
    /// Addresses that the component may connect to; templates.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The variables it reads; templates.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The environment variables it sees.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How `spin build` makes it.
    #[serde(default)]
    pub build: Option<Build>,
}

/// How a component is built; devhost itself builds nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// One command or several.
    pub command: Commands,
    /// Where they run, relative to the manifest.
    #[serde(default)]
    pub workdir: Option<PathBuf>,
    /// The files that `spin watch` looks at.
    #[serde(default)]
    pub watch: Vec<String>,
}

/// One command or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Commands {
    /// One command line.
    One(String),
    /// Command lines, run in order.
    Many(Vec<String>),
}

impl Manifest {
    /// Reads the manifest at `path`; errors name the file and the key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("could not read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not valid", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        ensure!(
            manifest.spin_manifest_version == 2,
            "spin_manifest_version is {}, but only version 2 is known",
            manifest.spin_manifest_version
        );
        manifest.check_triggers()?;
        Ok(manifest)
    }

    fn check_triggers(&self) -> Result<()> {
        let http = self.triggers.http.iter().map(|trigger| &trigger.component);
        let redis = self.triggers.redis.iter().map(|trigger| &trigger.component);
        for component in http.chain(redis) {
            if !self.components.contains_key(component) {
                bail!(
                    "a trigger names component `{component}`, but there is no [component.{component}]"
                );
            }
        }
        for trigger in &self.triggers.http {
            if matches!(trigger.route, Route::Private(Private { private: false })) {
                bail!(
                    "the route of `{}` is neither a path nor private",
                    trigger.component
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
        channel = "bell"
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
        assert_eq!(manifest.triggers.redis[0].channel, "bell");
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
            assert!(
                message.contains(&format!("unknown field `{key}`")),
                "{message}"
            );
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
}
