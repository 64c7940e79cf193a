//! `build`: the components, and devhost, which runs them.

use anyhow::{Context, Result, ensure};
use clap::Args;
use dev_services::progress;

use crate::{cargo, toolchain, workspace};

/// Build all components and devhost.
#[derive(Args)]
pub struct Arguments {}

/// The first bytes of a WebAssembly component; a core module has another version.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

pub fn run() -> Result<()> {
    components()?;
    devhost()
}

fn components() -> Result<()> {
    let guests = workspace::guests()?;
    ensure!(
        !guests.is_empty(),
        "no package of this workspace is a component"
    );
    let mut build = toolchain::guest_build()?;
    build.args(guests.iter().flat_map(|name| ["--package", name]));
    progress("building the components (the first time takes some minutes)");
    cargo::run(in_own_target(build)).context("the components were not built")?;
    guests.iter().try_for_each(|name| ensure_component(name))
}

fn devhost() -> Result<()> {
    let mut build = cargo::command();
    build.args([
        "build",
        "--profile",
        workspace::HOST_PROFILE,
        "--package",
        "devhost",
    ]);
    progress("building devhost (the first time takes some minutes)");
    cargo::run(in_own_target(build)).context("devhost was not built")
}

/// spin.toml names the components' files below `target/`, so `CARGO_TARGET_DIR` must not count.
fn in_own_target(mut build: std::process::Command) -> std::process::Command {
    build
        .arg("--target-dir")
        .arg(workspace::root().join("target"));
    build
}

fn ensure_component(package: &str) -> Result<()> {
    let file = workspace::component_file(package);
    let bytes = std::fs::read(&file)
        .with_context(|| format!("the build produced no {}", file.display()))?;
    ensure!(
        bytes.starts_with(&COMPONENT),
        "{} is not a WebAssembly component: remove it, then build again",
        file.display()
    );
    Ok(())
}
