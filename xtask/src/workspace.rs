//! Paths in this repository, and its packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{MetadataCommand, Package, TargetKind};

/// The target that the components are compiled for.
pub const GUEST_TARGET: &str = "wasm32-wasip2";
/// The profile of devhost, in Cargo.toml.
pub const HOST_PROFILE: &str = "host";

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

pub fn migrations() -> PathBuf {
    root().join("migrations")
}

/// The file of a built component, as in spin.toml.
pub fn component_file(package: &str) -> PathBuf {
    let name = package.replace('-', "_");
    root()
        .join("target")
        .join(GUEST_TARGET)
        .join("release")
        .join(name)
        .with_extension("wasm")
}

/// All packages of the workspace.
pub fn packages() -> Result<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .context("cannot read the packages of the workspace")?;
    Ok(metadata.packages)
}

/// The names of the packages that become components, including those for tests only.
pub fn guests() -> Result<Vec<String>> {
    Ok(packages()?
        .into_iter()
        .filter(is_guest)
        .map(|package| package.name.to_string())
        .collect())
}

fn is_guest(package: &Package) -> bool {
    let targets = &package.targets;
    targets
        .iter()
        .any(|target| target.is_kind(TargetKind::CDyLib))
}
