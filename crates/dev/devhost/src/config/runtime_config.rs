//! `runtime-config.toml`: the configuration of Spin's host.
//!
//! devhost has none of what the file configures. It warns about each table, and
//! refuses the keys that Spin would refuse, so that a misspelt key is found
//! during development.

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

/// Checks the file at `path`, and warns about the keys in it.
pub fn check(path: &Path) -> Result<()> {
    let text =
        fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let ignored = known_keys(&text).with_context(|| format!("{} is not valid", path.display()))?;
    for key in ignored {
        tracing::warn!(
            "Ignored `{key}` of {}: devhost has no such setting",
            path.display()
        );
    }
    Ok(())
}

/// The top-level keys of a file in which all are known.
fn known_keys(text: &str) -> Result<Vec<String>> {
    let table = text.parse::<toml::Table>()?;
    for key in table.keys() {
        ensure!(KEYS.contains(&key.as_str()), "unknown key `{key}`");
    }
    Ok(table.into_iter().map(|(key, _)| key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_spin_does_not_know_are_refused() {
        let known = known_keys("log_dir = 'x'\n[key_value_store.default]\ntype = 'spin'");
        assert_eq!(known.unwrap(), ["key_value_store", "log_dir"]);
        let error = known_keys("[key_value_stores.default]").unwrap_err();
        assert_eq!(error.to_string(), "unknown key `key_value_stores`");
    }
}
