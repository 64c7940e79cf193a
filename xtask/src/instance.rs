//! The stores of this checkout: private ones keep their data in `.lexiflow/`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use dev_services::{AlreadyInUse, DirectoryLock, Durability, Options, Stores, secret};

use crate::workspace;

/// The URLs of the running instance, one `NAME=value` a line.
const ENVIRONMENT: &str = "env";

/// Two URLs, with their passwords.
pub struct Urls {
    pub redis: String,
    pub database: String,
}

pub fn directory() -> PathBuf {
    workspace::root().join(".lexiflow")
}

/// Claims this checkout's stores: one process at a time has them.
pub fn lock() -> Result<DirectoryLock> {
    DirectoryLock::take(&directory()).map_err(|error| {
        if error.is::<AlreadyInUse>() {
            error.context(
                "one is already running in this checkout: `cargo xtask env` prints its addresses",
            )
        } else {
            error
        }
    })
}

/// Starts the stores and writes down where they are.
pub async fn start(lock: DirectoryLock) -> Result<Stores> {
    let stores = Stores::start(Options::from_environment(Durability::Kept), lock).await?;
    let urls = format!(
        "REDIS_URL={}\nDATABASE_URL={}\n",
        stores.redis_url(),
        stores.database_url()
    );
    secret::write_private(&directory().join(ENVIRONMENT), &urls)?;
    Ok(stores)
}

/// Where the running instance's stores are.
pub fn running() -> Result<Urls> {
    if !DirectoryLock::is_held(&directory()) {
        bail!("nothing runs in this checkout: start it with `cargo xtask up`");
    }
    let Ok(text) = std::fs::read_to_string(directory().join(ENVIRONMENT)) else {
        bail!("it is still starting: try again when it serves");
    };
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_string)
    };
    let urls = value("REDIS_URL").zip(value("DATABASE_URL"));
    let (redis, database) = urls
        .context("the file .lexiflow/env is damaged: stop `cargo xtask up` and start it again")?;
    Ok(Urls { redis, database })
}

/// Forgets where the stores were.
pub fn forget() {
    let _ = std::fs::remove_file(directory().join(ENVIRONMENT));
}

/// Runs a task with a database: that of `DATABASE_URL`, else the running instance's, else this
/// checkout's own, started for the task alone.
pub async fn with_database<T, F>(task: impl FnOnce(String) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    if let Some(url) = std::env::var("DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
    {
        return task(url).await;
    }
    if let Ok(urls) = running() {
        return task(urls.database).await;
    }
    let stores = start(lock()?).await?;
    let result = task(stores.database_url().to_string()).await;
    forget();
    stores.stop().await?;
    result
}
