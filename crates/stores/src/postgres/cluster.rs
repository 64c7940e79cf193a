//! The cluster's data directory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::USER;
use super::account::Account;
use super::binaries::Binaries;
use crate::{directory, say, secret};

/// Where the cluster of this home lies: below it, or, where PostgreSQL's account cannot get
/// there (a repository below `/root`, say), in a directory of `/var/tmp` that belongs to it.
pub(super) fn data(home: &Path, account: &Account) -> Result<PathBuf> {
    if account.can_enter(home)? {
        return Ok(home.join("postgres"));
    }
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    let elsewhere = PathBuf::from(format!("/var/tmp/lexiflow-{:016x}", hasher.finish()));
    directory::create(&elsewhere)?;
    ensure_own(&elsewhere)?;
    Ok(elsewhere.join("postgres"))
}

/// `/var/tmp` is everyone's: a directory that someone else made there is not to be trusted.
fn ensure_own(path: &Path) -> Result<()> {
    let found = std::fs::symlink_metadata(path)?;
    let ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    ensure!(
        ours,
        "{} belongs to someone else: remove it, then try again",
        path.display()
    );
    Ok(())
}

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
