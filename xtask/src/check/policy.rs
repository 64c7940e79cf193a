//! What the dependencies may be: deny.toml.

use std::process::{Command, Stdio};

use anyhow::Result;
use dev_services::say;

use crate::cargo;

/// Compiling cargo-deny takes minutes, so it is used where somebody has installed it.
pub fn dependencies_are_allowed() -> Result<()> {
    if !is_installed() {
        say("skipped, since it is not installed: `cargo install --locked cargo-deny`");
        return Ok(());
    }
    let mut deny = cargo::command();
    // The database of advisories would have to be fetched.
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
