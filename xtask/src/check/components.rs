//! The folders of the components and the manifest of the app.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// The name of a folder is the id, the package and the file of its component.
pub fn folders_and_manifest_agree() -> Result<()> {
    let text = std::fs::read_to_string(workspace::root().join("spin.toml"))
        .context("cannot read spin.toml")?;
    let manifest: toml::Table = text.parse().context("spin.toml is not TOML")?;
    let folders = folders()?;
    ensure_same("components/", &folders, "spin.toml", &components(&manifest))?;
    ensure_same(
        "components/",
        &folders,
        "the packages below it",
        &packages()?,
    )?;
    ensure_same(
        "the components of spin.toml",
        &folders,
        "its triggers",
        &triggered(&manifest),
    )?;
    folders
        .iter()
        .try_for_each(|id| ensure_source(&manifest, id))
}

fn folders() -> Result<BTreeSet<String>> {
    let entries = std::fs::read_dir(workspace::root().join("components"))
        .context("cannot read components/")?;
    let folders = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file());
    Ok(folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect())
}

fn packages() -> Result<BTreeSet<String>> {
    let components = workspace::root().join("components");
    Ok(workspace::packages()?
        .into_iter()
        .filter(|package| package.manifest_path.starts_with(&components))
        .map(|package| package.name.to_string())
        .collect())
}

fn components(manifest: &toml::Table) -> BTreeSet<String> {
    manifest
        .get("component")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(toml::Table::keys)
        .cloned()
        .collect()
}

/// The components that a trigger refers to.
fn triggered(manifest: &toml::Table) -> BTreeSet<String> {
    let kinds = manifest
        .get("trigger")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(toml::Table::values);
    let triggers = kinds.filter_map(toml::Value::as_array).flatten();
    triggers
        .filter_map(|trigger| trigger.get("component")?.as_str())
        .map(str::to_string)
        .collect()
}

/// Fails with the names that are only in one of two sets.
pub(super) fn ensure_same(
    left_name: &str,
    left: &BTreeSet<String>,
    right_name: &str,
    right: &BTreeSet<String>,
) -> Result<()> {
    let only = |some: &BTreeSet<String>, others| {
        some.difference(others)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (only_left, only_right) = (only(left, right), only(right, left));
    ensure!(
        only_left.is_empty(),
        "{only_left}: in {left_name} and not in {right_name}"
    );
    ensure!(
        only_right.is_empty(),
        "{only_right}: in {right_name} and not in {left_name}"
    );
    Ok(())
}

fn ensure_source(manifest: &toml::Table, id: &str) -> Result<()> {
    let source = manifest
        .get("component")
        .and_then(|all| all.get(id)?.get("source")?.as_str())
        .unwrap_or_default();
    let expected = workspace::component_file(id);
    ensure!(
        workspace::root().join(source) == expected,
        "the source of {id} is {source} and should be {}",
        expected.display()
    );
    Ok(())
}
