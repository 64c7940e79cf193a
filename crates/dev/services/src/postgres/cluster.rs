//! The cluster's data directory.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::USER;
use super::account::Account;
use super::binaries::Binaries;
use crate::{directory, say, secret};

/// Makes the cluster beside its place and moves it there when it is whole: a run that was ended
/// half-way leaves none.
pub(super) fn create_if_missing(
    data: &Path,
    binaries: &Binaries,
    account: &Account,
    password: &str,
) -> Result<()> {
    if data.join("PG_VERSION").exists() {
        return Ok(());
    }
    say(format_args!(
        "making a PostgreSQL cluster in {}",
        data.display()
    ));
    let new = data.with_extension("new");
    let password_file = data.with_extension("password");
    if new.exists() {
        std::fs::remove_dir_all(&new)
            .with_context(|| format!("cannot remove {}", new.display()))?;
    }
    directory::create_private(&new)?;
    account.own(&new)?;
    secret::write_private(&password_file, password)?;
    account.own(&password_file)?;
    let made = initialise(&new, binaries, account, &password_file);
    std::fs::remove_file(&password_file)?;
    made?;
    std::fs::rename(&new, data)
        .with_context(|| format!("cannot move the new cluster to {}", data.display()))
}

fn initialise(
    new: &Path,
    binaries: &Binaries,
    account: &Account,
    password_file: &Path,
) -> Result<()> {
    let mut initdb = Command::new(binaries.initdb());
    account.apply(&mut initdb);
    initdb.arg("-D").arg(new).arg("--pwfile").arg(password_file);
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
    let output = initdb
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .context("cannot run initdb")?;
    ensure!(
        output.status.success(),
        "initdb failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
