//! Where a cluster lies.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use crate::{directory, say};

/// Names the directory of a cluster that lies elsewhere.
const POINTER: &str = "postgres.place";
/// Only root has an account that cannot get everywhere, and root may write here. Directories
/// for temporary files will not do: they are tidied of what is old.
const ELSEWHERE: &str = "/var/lib/lexiflow";

/// The cluster's directory: below its home, or, where PostgreSQL's account cannot get there (a
/// repository below `/root`, say), in one that the home points to.
pub(super) fn of(home: &Path, account: &Account) -> Result<PathBuf> {
    if account.can_enter(home)? {
        return Ok(home.join("postgres"));
    }
    let parent = match pointed_to(home) {
        Some(parent) => parent,
        None => point_elsewhere(home)?,
    };
    directory::create(&parent)?;
    Ok(parent.join("postgres"))
}

/// Removes a cluster that lies elsewhere, before its home is removed.
pub(crate) fn remove_elsewhere(home: &Path) {
    if let Some(parent) = pointed_to(home) {
        let _ = std::fs::remove_dir_all(parent);
    }
}

fn pointed_to(home: &Path) -> Option<PathBuf> {
    let parent = std::fs::read_to_string(home.join(POINTER)).ok()?;
    parent.starts_with(ELSEWHERE).then(|| parent.into())
}

/// A new name each time: a cluster whose home was deleted has a password that nobody knows.
fn point_elsewhere(home: &Path) -> Result<PathBuf> {
    let parent = format!("{ELSEWHERE}/{:016x}", fastrand::u64(..));
    let pointer = home.join(POINTER);
    std::fs::write(&pointer, &parent)
        .with_context(|| format!("cannot write {}", pointer.display()))?;
    say(format_args!(
        "PostgreSQL's account cannot enter {}: its data goes to {parent}",
        home.display()
    ));
    Ok(parent.into())
}
