//! Data directories, each locked by the run that uses it.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const LOCK: &str = "lock";

/// The lock on a data directory. The kernel releases it when the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    path: PathBuf,
    _file: File,
}

/// Another process holds the lock.
#[derive(Debug)]
pub struct AlreadyInUse(PathBuf);

impl fmt::Display for AlreadyInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is in use by another run", self.0.display())
    }
}

impl std::error::Error for AlreadyInUse {}

impl DirectoryLock {
    /// Creates the directory if it is missing, and takes its lock.
    ///
    /// # Errors
    ///
    /// [`AlreadyInUse`] while another process holds the lock.
    pub fn take(path: &Path) -> Result<Self> {
        create(path)?;
        let file = open_lock(path)?;
        match file.try_lock() {
            Ok(()) => Self::new(path, file),
            Err(TryLockError::WouldBlock) => Err(AlreadyInUse(path.into()).into()),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| cannot_lock(path)),
        }
    }

    /// Creates the directory if it is missing, and waits for its lock.
    pub(crate) fn wait(path: &Path) -> Result<Self> {
        create(path)?;
        let file = open_lock(path)?;
        file.lock().with_context(|| cannot_lock(path))?;
        Self::new(path, file)
    }

    fn new(path: &Path, file: File) -> Result<Self> {
        Ok(Self {
            path: path.canonicalize()?,
            _file: file,
        })
    }

    /// Whether a process holds the lock of this directory.
    pub fn is_held(path: &Path) -> bool {
        let Ok(file) = File::open(path.join(LOCK)) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// The directory, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn open_lock(directory: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    options
        .open(directory.join(LOCK))
        .with_context(|| format!("cannot write to {}", directory.display()))
}

fn cannot_lock(directory: &Path) -> String {
    format!("cannot lock {}", directory.display())
}

/// Creates a directory that other accounts may pass through but not list: PostgreSQL's
/// unprivileged account has its own below.
///
/// # Errors
///
/// When the parent cannot be written.
pub fn create(path: &Path) -> Result<()> {
    create_with_mode(path, 0o711)
}

/// Creates a directory that only its owner may enter.
pub(crate) fn create_private(path: &Path) -> Result<()> {
    create_with_mode(path, 0o700)
}

fn create_with_mode(path: &Path, mode: u32) -> Result<()> {
    let created = DirBuilder::new().recursive(true).mode(mode).create(path);
    created.with_context(|| format!("cannot create {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{AlreadyInUse, DirectoryLock};
    use crate::TemporaryDirectory;

    #[test]
    fn a_locked_directory_is_in_use() {
        let directory = TemporaryDirectory::create().unwrap();
        let path = directory.path().join("inner");
        assert!(!DirectoryLock::is_held(&path));
        let lock = DirectoryLock::take(&path).unwrap();
        assert!(DirectoryLock::is_held(&path));
        assert!(DirectoryLock::take(&path).unwrap_err().is::<AlreadyInUse>());
        drop(lock);
        assert!(DirectoryLock::take(&path).is_ok());
    }
}
