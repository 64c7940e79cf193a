//! The stores of this checkout. Private ones have their data in `.lexiflow/`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use dev_services::{AlreadyInUse, DirectoryLock, Durability, Options, Stores, secret};

use crate::workspace;

/// The file with the URLs of the running instance, one `NAME=value` a line.
const URLS: &str = "env";

/// The URLs of the stores, with their passwords.
pub struct Urls {
    pub redis: String,
    pub database: String,
}

pub fn directory() -> PathBuf {
    workspace::root().join(".lexiflow")
}

/// Takes the lock on this checkout's stores.
pub fn lock() -> Result<DirectoryLock> {
    DirectoryLock::take(&directory()).map_err(|error| {
        if error.is::<AlreadyInUse>() {
            error.context(
                "an instance is already running in this checkout: `cargo xtask env` prints its URLs",
            )
        } else {
            error
        }
    })
}

/// Starts the stores and writes their URLs to a file.
pub async fn start(lock: DirectoryLock) -> Result<Stores> {
    let stores = Stores::start(Options::from_environment(Durability::Durable), lock).await?;
    let urls = format!(
        "REDIS_URL={}\nDATABASE_URL={}\n",
        stores.redis_url(),
        stores.database_url()
    );
    secret::write_private(&directory().join(URLS), &urls)?;
    Ok(stores)
}

/// The URLs of the running instance.
pub fn running() -> Result<Urls> {
    if !DirectoryLock::is_held(&directory()) {
        bail!("no instance is running in this checkout: start one with `cargo xtask up`");
    }
    let Ok(text) = std::fs::read_to_string(directory().join(URLS)) else {
        bail!("the instance is still starting: try again later");
    };
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_string)
    };
    let urls = value("REDIS_URL").zip(value("DATABASE_URL"));
    let (redis, database) = urls
        .context("the file .lexiflow/env is malformed: stop `cargo xtask up` and start it again")?;
    Ok(Urls { redis, database })
}

/// Removes the file with the URLs.
pub fn remove_urls() {
    let _ = std::fs::remove_file(directory().join(URLS));
}

/// Runs a task with a database: that of `DATABASE_URL`, else that of the running instance, else a
/// private one that is started for the task.
pub async fn with_database<T, F>(task: impl FnOnce(String) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    match variable("DATABASE_URL") {
        Some(url) => task(url).await,
        None => with_own(|urls| task(urls.database)).await,
    }
}

/// Runs a task with both stores: those of `DATABASE_URL` and `REDIS_URL`, else those of the running
/// instance, else private ones that are started for the task.
pub async fn with_stores<T, F>(task: impl FnOnce(Urls) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    match (variable("DATABASE_URL"), variable("REDIS_URL")) {
        (Some(database), Some(redis)) => task(Urls { redis, database }).await,
        (None, None) => with_own(task).await,
        _ => bail!("set both DATABASE_URL and REDIS_URL, or none"),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs a task with the running instance, or private stores that are started for it.
async fn with_own<T, F>(task: impl FnOnce(Urls) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    if let Ok(urls) = running() {
        return task(urls).await;
    }
    let stores = start(lock()?).await?;
    let urls = Urls {
        redis: stores.redis_url().to_string(),
        database: stores.database_url().to_string(),
    };
    let result = task(urls).await;
    remove_urls();
    stores.stop().await?;
    result
}
