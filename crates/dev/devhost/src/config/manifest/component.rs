//! `[component.<id>]`: the file of a component, and what it has access to.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use super::application::Target;
use crate::config::identifier::VariableName;

/// A component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The WebAssembly file, relative to the manifest.
    pub source: PathBuf,
    /// A description for readers.
    #[serde(default)]
    pub description: String,
    /// Addresses that the component may connect to; templates.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The component's variables; templates.
    #[serde(default)]
    pub variables: BTreeMap<VariableName, String>,
    /// The component's environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The hosts that the component must be compatible with, instead of the
    /// application's.
    #[serde(default)]
    pub targets: Option<Vec<Target>>,
    /// How `spin build` builds the component.
    #[serde(default)]
    pub build: Option<Build>,
    /// Settings of other tools.
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,
}

/// How a component is built; devhost itself builds nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// One command or several.
    pub command: Commands,
    /// The working directory of the commands, relative to the manifest.
    #[serde(default)]
    pub workdir: Option<PathBuf>,
    /// The files that `spin watch` watches.
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
