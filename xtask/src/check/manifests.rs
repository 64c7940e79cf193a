//! The packages' own manifests.

use anyhow::{Context, Result, ensure};

use crate::workspace;

pub fn packages_use_the_lints() -> Result<()> {
    let mut without = Vec::new();
    for package in workspace::packages()? {
        let text = std::fs::read_to_string(&package.manifest_path)
            .with_context(|| format!("cannot read the manifest of {}", package.name))?;
        if !uses_the_lints(&text)? {
            without.push(package.name.to_string());
        }
    }
    ensure!(
        without.is_empty(),
        "add `[lints] workspace = true` to {}",
        without.join(", ")
    );
    Ok(())
}

fn uses_the_lints(manifest: &str) -> Result<bool> {
    let manifest: toml::Table = manifest.parse()?;
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    Ok(lints.and_then(toml::Value::as_bool) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::uses_the_lints;

    #[test]
    fn only_the_lints_of_the_workspace_count() {
        assert!(uses_the_lints("[lints]\nworkspace = true").unwrap());
        assert!(!uses_the_lints("[lints.clippy]\nall = 'warn'").unwrap());
        assert!(!uses_the_lints("[package]\nname = 'a'").unwrap());
    }
}
