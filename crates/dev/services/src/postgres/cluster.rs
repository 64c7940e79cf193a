//! The cluster's data directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::USER;
use super::account::Account;
use super::binaries::Binaries;
use super::template::Template;
use crate::{directory, progress, secret};

/// Creates the cluster if it is missing: a copy of the template, else a new one. It gets its name
/// when it is complete, so an interrupted run leaves no half of it.
pub(super) fn create_if_missing(
    data: &Path,
    binaries: &Binaries,
    account: &Account,
    password: &str,
    template: Option<&Template>,
) -> Result<()> {
    if data.join("PG_VERSION").exists() {
        return Ok(());
    }
    let partial = partial(data)?;
    match template {
        Some(template) => copy(&template.data(), &partial)?,
        None => initialise(&partial, binaries, account, password)?,
    }
    std::fs::rename(&partial, data)
        .with_context(|| format!("cannot move the new cluster to {}", data.display()))
}

/// Copies the data of a cluster that was shut down.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut cp = Command::new("cp");
    cp.args(["--archive", "--reflink=auto"]).arg(from).arg(to);
    run(cp, "cp")
}

/// A free name for data that is not complete yet.
pub(super) fn partial(data: &Path) -> Result<PathBuf> {
    let partial = data.with_extension("partial");
    if partial.exists() {
        std::fs::remove_dir_all(&partial)
            .with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    Ok(partial)
}

fn initialise(data: &Path, binaries: &Binaries, account: &Account, password: &str) -> Result<()> {
    progress(format_args!(
        "creating a PostgreSQL cluster in {}",
        data.display()
    ));
    directory::create_private(data)?;
    account.chown(data)?;
    let password_file = data.with_extension("password");
    secret::write_private(&password_file, password)?;
    account.chown(&password_file)?;
    let initialised = initdb(data, binaries, account, &password_file);
    std::fs::remove_file(&password_file)?;
    initialised
}

fn initdb(data: &Path, binaries: &Binaries, account: &Account, password_file: &Path) -> Result<()> {
    let mut initdb = Command::new(binaries.program("initdb"));
    account.apply(&mut initdb);
    initdb
        .arg("-D")
        .arg(data)
        .arg("--pwfile")
        .arg(password_file);
    initdb.args([
        "--username",
        USER,
        "--auth",
        "scram-sha-256",
        "--encoding",
        "UTF8",
        "--locale",
        "C",
        "--no-sync",
    ]);
    initdb.env("LC_ALL", "C").current_dir("/");
    run(initdb, "initdb")
}

fn run(mut command: Command, name: &str) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed: {error}");
    Ok(())
}
