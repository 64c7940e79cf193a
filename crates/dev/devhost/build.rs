//! Generates the host bindings from the WIT that `spin-sdk` ships.
//!
//! Guests are compiled against those files, so reading the same ones makes it
//! impossible for host and guest to disagree. `bindgen!` wants a literal path,
//! which only a generated file can give it.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, ensure};

const BINDINGS: &str = include_str!("bindings.rs.in");

fn main() -> anyhow::Result<()> {
    let wit = spin_sdk_wit()?;
    let generated = BINDINGS.replace("@WIT@", &format!("{wit:?}"));
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    fs::write(out.join("bindings.rs"), generated)?;

    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=bindings.rs.in");
    println!("cargo::rerun-if-changed=../../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", wit.display());
    Ok(())
}

/// Asks cargo where it keeps the `spin-sdk` that the workspace is locked to.
fn spin_sdk_wit() -> anyhow::Result<PathBuf> {
    let output = Command::new(env::var_os("CARGO").context("cargo sets CARGO")?)
        .args(["metadata", "--format-version", "1"])
        .current_dir(env::var_os("CARGO_MANIFEST_DIR").context("cargo sets CARGO_MANIFEST_DIR")?)
        .output()
        .context("could not run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "spin-sdk")
        .and_then(|package| package["manifest_path"].as_str())
        .context("no member of the workspace depends on spin-sdk")?;
    let wit = PathBuf::from(manifest).with_file_name("wit");
    ensure!(wit.is_dir(), "{} does not exist", wit.display());
    Ok(wit)
}
