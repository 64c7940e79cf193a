//! A migrated cluster that ephemeral ones are copied from: a copy takes a fraction of the time of
//! `initdb` and the migrations.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use refinery::load_sql_migrations;

use super::binaries::Binaries;
use super::{cluster, install_missing, launch};
use crate::directory::DirectoryLock;
use crate::{Durability, TemporaryDirectory, migrate, ports, progress, secret};

const PASSWORD: &str = "password";
const DATA: &str = "data";
/// Where the template of a repository is.
const CACHE: &str = "target/postgres-template";

/// A cluster with the migrations applied, and the password of its user.
#[derive(Clone)]
pub struct Template {
    directory: PathBuf,
    password: String,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.directory).finish()
    }
}

impl Template {
    /// The template of the migrations of this repository.
    ///
    /// # Errors
    ///
    /// As [`load_or_create`](Self::load_or_create).
    pub async fn of_repository(root: &Path) -> Result<Self> {
        Self::load_or_create(&root.join(CACHE), &root.join("migrations")).await
    }

    /// The template of these migrations in the directory `cache`. The first caller creates it,
    /// and others, in other processes too, wait until it has. Templates of other migrations are
    /// removed.
    ///
    /// # Errors
    ///
    /// When PostgreSQL cannot be installed or started, or a migration fails.
    pub async fn load_or_create(cache: &Path, migrations: &Path) -> Result<Self> {
        install_missing()?;
        let directory = cache.to_path_buf();
        let waiting = tokio::task::spawn_blocking(move || DirectoryLock::wait(&directory));
        let cache = waiting.await??;
        let directory = cache.path().join(key(migrations)?);
        if !directory.exists() {
            remove_all(cache.path())?;
            create(&directory, migrations).await?;
        }
        let password = std::fs::read_to_string(directory.join(PASSWORD))
            .with_context(|| format!("cannot read {}", directory.join(PASSWORD).display()))?;
        Ok(Self {
            directory,
            password,
        })
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join(DATA)
    }
}

/// A name for the content of the migrations and the version of PostgreSQL.
fn key(migrations: &Path) -> Result<String> {
    let mut migrations = load_sql_migrations(migrations)
        .with_context(|| format!("cannot read {}", migrations.display()))?;
    migrations.sort();
    let mut hasher = DefaultHasher::new();
    if let Some(binaries) = Binaries::newest() {
        binaries.folder().hash(&mut hasher);
    }
    for migration in migrations {
        migration.checksum().hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn remove_all(cache: &Path) -> Result<()> {
    let entries = std::fs::read_dir(cache)?.flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .try_for_each(std::fs::remove_dir_all)
        .with_context(|| format!("cannot remove old templates from {}", cache.display()))
}

async fn create(directory: &Path, migrations: &Path) -> Result<()> {
    progress("creating a PostgreSQL template for the tests");
    let home = TemporaryDirectory::create()?;
    let password = secret::random();
    // An ephemeral server does not shut down in good order, and only such data can be copied.
    let durability = Durability::Durable;
    let store = launch(home.path(), durability, ports::free()?, &password, None).await?;
    migrate::migrate(store.url(), migrations).await?;
    store.stop().await?;
    let partial = cluster::partial(directory)?;
    std::fs::create_dir(&partial)?;
    secret::write_private(&partial.join(PASSWORD), &password)?;
    cluster::copy(&super::data(home.path())?, &partial.join(DATA))?;
    std::fs::rename(&partial, directory)
        .with_context(|| format!("cannot move the template to {}", directory.display()))
}
