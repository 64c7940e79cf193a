//! Where things are in this repository, and what cargo knows of its packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cargo;

/// What the components are compiled for.
pub const GUEST_TARGET: &str = "wasm32-wasip2";

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

pub fn migrations() -> PathBuf {
    root().join("migrations")
}

/// Where a built component lies: spin.toml says the same.
pub fn component_file(package: &str) -> PathBuf {
    let name = package.replace('-', "_");
    root()
        .join("target")
        .join(GUEST_TARGET)
        .join("release")
        .join(name)
        .with_extension("wasm")
}

pub fn devhost_binary() -> PathBuf {
    root().join("target/release/devhost")
}

/// A package of this workspace.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Package {
    /// Whether it is compiled to a WebAssembly component.
    pub fn is_guest(&self) -> bool {
        self.targets
            .iter()
            .any(|target| target.kind.iter().any(|kind| kind == "cdylib"))
    }
}

/// All packages of the workspace.
pub fn packages() -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut metadata = cargo::command();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = cargo::output(metadata)?;
    let metadata: Metadata =
        serde_json::from_str(&output).context("cargo metadata printed what cannot be read")?;
    Ok(metadata.packages)
}

/// The names of the packages that become components, those that only tests use among them.
pub fn guests() -> Result<Vec<String>> {
    Ok(packages()?
        .into_iter()
        .filter(Package::is_guest)
        .map(|package| package.name)
        .collect())
}
