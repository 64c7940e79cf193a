//! `runtime-config.toml`: the configuration of Spin's host.
//!
//! devhost has none of what the file configures. It refuses the keys that Spin
//! would refuse, so that a misspelt key is found during development.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

/// The top-level keys of Spin 4.
const KEYS: [&str; 15] = [
    "client_tls",
    "config_provider",
    "key_value_store",
    "llm_compute",
    "log_dir",
    "max_instance_memory",
    "outbound_http",
    "outbound_mqtt",
    "outbound_mysql",
    "outbound_networking",
    "outbound_pg",
    "outbound_redis",
    "sqlite_database",
    "state_dir",
    "variables_provider",
];

/// Checks the file at `path`.
pub fn check(path: &Path) -> Result<()> {
    let text =
        fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    check_text(&text).with_context(|| format!("{} is not valid", path.display()))
}

fn check_text(text: &str) -> Result<()> {
    for key in text.parse::<toml::Table>()?.keys() {
        ensure!(KEYS.contains(&key.as_str()), "unknown key `{key}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_spin_does_not_know_are_refused() {
        check_text("[key_value_store.default]\ntype = 'spin'").unwrap();
        let error = check_text("[key_value_stores.default]").unwrap_err();
        assert_eq!(error.to_string(), "unknown key `key_value_stores`");
    }
}
