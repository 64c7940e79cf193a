//! The policy for dependencies: deny.toml.

use std::process::{Command, Stdio};

use anyhow::Result;
use dev_services::progress;

use crate::cargo;

/// Compiling cargo-deny takes minutes, so it is used only if it is installed.
pub fn dependencies_are_allowed() -> Result<()> {
    if !is_installed() {
        progress("skipped: cargo-deny is not installed (`cargo install --locked cargo-deny`)");
        return Ok(());
    }
    let mut deny = cargo::command();
    // Advisories would need a database from the network.
    deny.args(["deny", "check", "licenses", "bans", "sources"]);
    cargo::run(deny)
}

fn is_installed() -> bool {
    let version = Command::new("cargo-deny")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}
