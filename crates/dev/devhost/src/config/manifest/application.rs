//! `[application]`.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// The app's name, and the settings that its triggers have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The app's name.
    pub name: String,
    /// The app's version.
    #[serde(default)]
    pub version: String,
    /// A description for readers.
    #[serde(default)]
    pub description: String,
    /// The app's authors.
    #[serde(default)]
    pub authors: Vec<String>,
    /// The hosts that the components must be compatible with; `spin build`
    /// checks that.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// `[application.trigger.<type>]`
    #[serde(default)]
    pub trigger: ApplicationTriggers,
    /// Settings of other tools.
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,
}

/// A host, by its name (`spin-up:4.1`) or by a document that describes it.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a target is a name, `{ url = … }` or `{ path = … }`"
)]
pub enum Target {
    /// A name that Spin knows.
    Name(String),
    /// The address of a document.
    Url {
        /// An HTTP URL.
        url: String,
    },
    /// The file of a document.
    File {
        /// Relative to the manifest.
        path: PathBuf,
    },
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
    /// The server of the triggers that name none; a template.
    pub address: String,
}
