//! Temporary data directories, and the cleanup of those that killed test runs left.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::directory::DirectoryLock;
use crate::{postgres, redis};

const PREFIX: &str = "lexiflow-";

/// A new directory for ephemeral data. It is removed when this is dropped, with the cluster of a
/// PostgreSQL that had to be placed elsewhere.
#[derive(Debug)]
pub struct TemporaryDirectory {
    directory: TempDir,
    path: PathBuf,
}

impl TemporaryDirectory {
    /// Makes a directory that other accounts may pass through but not list.
    ///
    /// # Errors
    ///
    /// When the directory for temporary files cannot be written.
    pub fn create() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .context("cannot create a temporary directory")?;
        let path = directory.path().canonicalize()?;
        Ok(Self { directory, path })
    }

    /// The directory, as an absolute path without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, for an owner that is never dropped.
    pub fn remove(&self) {
        remove(self.directory.path());
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        self.remove();
    }
}

fn remove(directory: &Path) {
    postgres::remove_relocated(directory);
    let _ = std::fs::remove_dir_all(directory);
}

/// Removes stale temporary directories, those that no process holds a lock on, and stops servers
/// that still work in them. It does so once in a process, and ignores errors: a test run does
/// not depend on it.
pub async fn remove_stale_instances() {
    static DONE: OnceCell<()> = OnceCell::const_new();
    let remove_all = async || {
        for directory in unused_directories() {
            remove_instance(&directory).await;
        }
    };
    DONE.get_or_init(remove_all).await;
}

async fn remove_instance(directory: &Path) {
    let Ok(lock) = DirectoryLock::take(directory) else {
        return;
    };
    let _ = redis::stop_stale(lock.path()).await;
    let _ = postgres::stop_stale(lock.path()).await;
    remove(directory);
}

/// This user's temporary directories. One without a lock file may have been created just now.
fn unused_directories() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir());
    let entries = entries.into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(|path| is_own_directory(path) && path.join("lock").exists())
        .collect()
}

fn is_own_directory(path: &Path) -> bool {
    let user = rustix::process::getuid().as_raw();
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == user)
}
