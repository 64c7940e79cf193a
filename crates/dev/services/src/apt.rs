//! Debian packages, installed where a program is missing.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Signal};
use crate::say;

/// Installs these packages, and says so first.
///
/// # Errors
///
/// Names the packages to install by hand where apt-get is missing, may not be run, or fails.
pub fn install(packages: &[&str], what_for: &str) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = || format!("install {list} ({what_for}) by hand, then try again");
    ensure!(
        program("apt-get").is_some(),
        "{what_for}: {list} missing, and there is no apt-get here: {}",
        by_hand()
    );
    say(format_args!(
        "installing {list} with apt-get, for {what_for}"
    ));
    update_once().with_context(by_hand)?;
    let options = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(&[&options[..], packages].concat()).with_context(by_hand)
}

/// The full path of a program on `PATH`, or in the folders of administrators' programs.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The package lists are brought up to date once in a run.
fn update_once() -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.get().is_none() {
        say("bringing apt's package lists up to date");
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

/// `env` run as root: sudo passes no environment on. It asks for a password only where someone
/// is there to type it.
fn env_as_root() -> Result<Command> {
    if rustix::process::geteuid().is_root() {
        return Ok(Command::new("env"));
    }
    let Some(sudo) = program("sudo") else {
        bail!("this needs root or sudo")
    };
    let mut command = Command::new(sudo);
    if !stdin().is_terminal() {
        command.arg("--non-interactive");
    }
    command.arg("env");
    Ok(command)
}
