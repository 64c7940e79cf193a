//! A compiler for the components.
//!
//! It depends on the machine, so it is detected each time and never stored: rustup's toolchain with
//! the target, the target added by rustup, or Debian's packages.

mod debian;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use dev_services::{apt, progress};

use crate::cargo;
use crate::workspace::GUEST_TARGET;

/// `cargo build` for the target of the components.
pub fn guest_build() -> Result<Command> {
    if !has_target() && may_use_rustup() {
        add_target();
    }
    let mut build = if has_target() {
        let mut plain = cargo::command();
        plain.arg("build");
        plain
    } else {
        debian::build()?
    };
    build.args(["--release", "--target", GUEST_TARGET]);
    Ok(build)
}

/// Whether the toolchain in use has the target's standard library.
pub fn has_target() -> bool {
    let Ok(folder) = print(&["target-libdir", "--target", GUEST_TARGET]) else {
        return false;
    };
    let files = std::fs::read_dir(folder.trim())
        .into_iter()
        .flatten()
        .flatten();
    files.map(|file| file.file_name()).any(|name| {
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

fn may_use_rustup() -> bool {
    let forbidden = std::env::var("RUSTUP_AUTO_INSTALL").is_ok_and(|value| value == "0");
    !forbidden && apt::program("rustup").is_some()
}

/// If this fails, Debian's packages are used.
fn add_target() {
    progress(format_args!("adding the target {GUEST_TARGET} with rustup"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", GUEST_TARGET]);
    if let Err(error) = cargo::run(rustup) {
        progress(format_args!("{error:#}"));
    }
}

/// The directory of the toolchain in use.
fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(print(&["sysroot"])?.trim()))
}

fn print(what: &[&str]) -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc
        .arg("--print")
        .args(what)
        .stderr(std::process::Stdio::null());
    cargo::output(rustc)
}
