//! `[application]` and `[variables]`.

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
    /// The server of the triggers that name none; a template.
    pub address: String,
}

/// An application variable.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// A description for readers.
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
