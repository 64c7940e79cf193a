//! The directory of a cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use crate::{directory, progress};

/// The file that names the directory of a relocated cluster.
const POINTER: &str = "postgres.location";
/// Only root needs this, since only root runs PostgreSQL as another account, and root may write
/// here. A directory for temporary files is unsuitable: the system removes old files from it.
const RELOCATED: &str = "/var/lib/lexiflow";

/// The cluster's directory: below its home, or, if PostgreSQL's account cannot enter that (a
/// repository below `/root`, say), in one that the home points to.
pub(super) fn of(home: &Path, account: &Account) -> Result<PathBuf> {
    if account.can_enter(home)? {
        return Ok(home.join("postgres"));
    }
    let parent = match pointed_to(home) {
        Some(parent) => parent,
        None => relocate(home)?,
    };
    directory::create(&parent)?;
    Ok(parent.join("postgres"))
}

/// Removes a relocated cluster, before its home is removed.
pub(crate) fn remove_relocated(home: &Path) {
    if let Some(parent) = pointed_to(home) {
        let _ = std::fs::remove_dir_all(parent);
    }
}

fn pointed_to(home: &Path) -> Option<PathBuf> {
    let parent = std::fs::read_to_string(home.join(POINTER)).ok()?;
    parent.starts_with(RELOCATED).then(|| parent.into())
}

/// Each time a new name: the password of a cluster is lost with its home.
fn relocate(home: &Path) -> Result<PathBuf> {
    let parent = format!("{RELOCATED}/{:016x}", rand::random::<u64>());
    let pointer = home.join(POINTER);
    std::fs::write(&pointer, &parent)
        .with_context(|| format!("cannot write {}", pointer.display()))?;
    progress(format_args!(
        "PostgreSQL's account cannot enter {}: its data goes to {parent}",
        home.display()
    ));
    Ok(parent.into())
}
