//! Temporary data directories, and what killed test runs left of them.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::directory::DirectoryLock;
use crate::{postgres, redis};

const PREFIX: &str = "lexiflow-";

/// A new directory for throw-away data, gone when this is dropped.
#[derive(Debug)]
pub struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    pub fn create() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("{PREFIX}{:016x}", fastrand::u64(..)));
        DirBuilder::new()
            .mode(0o711)
            .create(&path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path.canonicalize()?))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Removes it, for an owner that is never dropped.
    pub fn remove(&self) {
        remove(&self.0);
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        self.remove();
    }
}

fn remove(directory: &Path) {
    postgres::remove_elsewhere(directory);
    let _ = std::fs::remove_dir_all(directory);
}

/// Removes the temporary directories that no process holds any more, and stops servers that
/// still work in them: once in a process, before it makes any of its own. Nothing of it is worth
/// failing for: it is only tidying.
pub async fn sweep() {
    static SWEPT: OnceCell<()> = OnceCell::const_new();
    SWEPT.get_or_init(remove_left_behind).await;
}

async fn remove_left_behind() {
    for directory in left_behind() {
        let Ok(lock) = DirectoryLock::take(&directory) else {
            continue;
        };
        let _ = redis::stop_orphan(lock.path()).await;
        let _ = postgres::stop_orphan(lock.path()).await;
        remove(&directory);
    }
}

/// Our own old temporary directories; one without a lock file may just be coming into use.
fn left_behind() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten();
    let ours = |path: &PathBuf| {
        std::fs::symlink_metadata(path)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == rustix::process::getuid().as_raw())
    };
    let named = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(PREFIX))
    };
    entries
        .map(|entry| entry.path())
        .filter(named)
        .filter(ours)
        .filter(|path| path.join("lock").exists())
        .collect()
}
