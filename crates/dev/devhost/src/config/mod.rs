//! What configures an app: its manifest, values for its variables, and the
//! host's own settings.
//!
//! # Layout
//!
//! * [`manifest`]: `spin.toml`; [`identifier`]: the names in it
//! * [`variables`]: the values of the manifest's variables
//! * [`template`]: text with `{{ variable }}` in it
//! * [`allowed_hosts`]: the addresses that a component may connect to
//! * [`runtime_config`]: `runtime-config.toml`

pub mod allowed_hosts;
pub mod identifier;
pub mod manifest;
pub mod runtime_config;
pub mod template;
pub mod variables;
