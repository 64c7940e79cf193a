//! A compiler for the components.
//!
//! Which one there is depends on the machine, so it is found out each time and never written
//! down: rustup's toolchain with the target, the target added by rustup, or Debian's packages.

mod debian;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use dev_services::{apt, say};

use crate::cargo;
use crate::workspace::GUEST_TARGET;

/// `cargo build`, ready to compile for the components' target.
pub fn guest_build() -> Result<Command> {
    if !has_target() && may_ask_rustup() {
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

fn may_ask_rustup() -> bool {
    let forbidden = std::env::var("RUSTUP_AUTO_INSTALL").is_ok_and(|value| value == "0");
    !forbidden && apt::program("rustup").is_some()
}

/// Where this fails, Debian's packages are the next best.
fn add_target() {
    say(format_args!("adding the target {GUEST_TARGET} with rustup"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", GUEST_TARGET]);
    if let Err(error) = cargo::run(rustup) {
        say(format_args!("{error:#}"));
    }
}

/// The folder of the toolchain in use.
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
