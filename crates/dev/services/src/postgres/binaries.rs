//! The folder of PostgreSQL's programs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apt;

/// Debian keeps the programs of every major version in a folder of its own, which is not on `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres`.
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// The version of the cluster in `data`, if there is one, else the newest.
    pub(super) fn find_for(data: &Path) -> Result<Self> {
        Self::same_version(data)
            .or_else(Self::newest)
            .context("PostgreSQL's initdb and postgres are not on this machine: install postgresql")
    }

    pub(super) fn newest() -> Option<Self> {
        let folders = std::fs::read_dir(DEBIAN)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let versions = folders.filter_map(|folder| {
            Some((
                folder.file_name()?.to_str()?.parse::<u32>().ok()?,
                folder.join("bin"),
            ))
        });
        let newest = versions
            .filter(|(_, bin)| is_complete(bin))
            .max()
            .map(|(_, bin)| Self(bin));
        newest.or_else(Self::on_path)
    }

    fn on_path() -> Option<Self> {
        let bin = apt::program("initdb")?.parent()?.to_path_buf();
        is_complete(&bin).then_some(Self(bin))
    }

    fn same_version(data: &Path) -> Option<Self> {
        let version = std::fs::read_to_string(data.join("PG_VERSION")).ok()?;
        let bin = Path::new(DEBIAN).join(version.trim()).join("bin");
        is_complete(&bin).then_some(Self(bin))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

fn is_complete(bin: &Path) -> bool {
    bin.join("initdb").is_file() && bin.join("postgres").is_file()
}
