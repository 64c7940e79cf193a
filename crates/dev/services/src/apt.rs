//! Debian packages, installed if a program is missing.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use crate::process::{self, Signal};
use crate::progress;

/// Installs these packages, and reports it first.
///
/// # Errors
///
/// Names the packages to install by hand if apt-get is missing, may not be run, or fails.
pub fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = || format!("install {list} ({purpose}) by hand, then try again");
    ensure!(
        program("apt-get").is_some(),
        "{purpose}: {list} missing, and this machine has no apt-get: {}",
        by_hand()
    );
    progress(format_args!(
        "installing {list} with apt-get, for {purpose}"
    ));
    update_once().with_context(by_hand)?;
    let options = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(&[&options[..], packages].concat()).with_context(by_hand)
}

/// The full path of a program on `PATH` or in the system's `sbin` folders.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let path = std::env::join_paths(folders).ok()?;
    which::which_in_global(name, Some(path)).ok()?.next()
}

/// Updates the package lists, once in a process.
fn update_once() -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.get().is_none() {
        progress("updating apt's package lists");
        apt_get(&["update", "--quiet"])?;
        let _ = UPDATED.set(());
    }
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = env_as_root()?;
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments);
    command.stdout(std::io::stderr());
    let status = process::spawn(command, Signal::TERM)?.wait()?;
    ensure!(
        status.success(),
        "apt-get {} ended with {status}",
        arguments.join(" ")
    );
    Ok(())
}

/// `env` run as root, since sudo passes no environment on. sudo asks for a password only on a
/// terminal.
fn env_as_root() -> Result<Command> {
    if rustix::process::geteuid().is_root() {
        return Ok(Command::new("env"));
    }
    let mut command = Command::new(program("sudo").context("this needs root or sudo")?);
    if !stdin().is_terminal() {
        command.arg("--non-interactive");
    }
    command.arg("env");
    Ok(command)
}
