//! The folders of the components and the manifest of the app.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use super::spin_manifest::Manifest;
use crate::workspace;

/// The name of a folder is the id, the package and the file of its component.
pub fn folders_and_manifest_agree() -> Result<()> {
    let manifest = Manifest::read()?;
    let folders = folders()?;
    ensure_same("components/", &folders, "spin.toml", &manifest.components())?;
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
        &manifest.triggered(),
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

fn ensure_source(manifest: &Manifest, id: &str) -> Result<()> {
    let source = manifest.source(id).unwrap_or_default();
    let expected = workspace::component_file(id);
    ensure!(
        workspace::root().join(source) == expected,
        "the source of {id} is {source} and should be {}",
        expected.display()
    );
    Ok(())
}
