//! `reseal`: seals contents and titles by the first key.

use anyhow::{Result, ensure};
use clap::Args;
use dev_services::{progress, reseal};

use crate::{content_keys, instance};

/// Seal contents and titles by the first of the keys: what another one sealed, and what was plain.
///
/// Goes through all messages in small batches; it can be interrupted and run again, and the service goes
/// on at the same time. Run it once every host has the new list of keys; after it the other keys may be
/// dropped. Uses CONTENT_KEYS, DATABASE_URL and REDIS_URL, or else the running instance.
#[derive(Args)]
pub struct Arguments {}

pub async fn run() -> Result<()> {
    let keys = content_keys::of_environment()?;
    ensure!(keys.is_on(), "there are no keys: set CONTENT_KEYS");
    instance::with_stores(|urls| async move {
        let done = reseal::reseal(&urls.database, &urls.redis, &keys).await?;
        progress(format_args!(
            "sealed {} messages, {} revisions, {} titles and {} requests",
            done.messages, done.revisions, done.titles, done.requests
        ));
        ensure!(
            done.unreadable == 0,
            "{} texts do not open by any of the keys: keep the key that sealed them",
            done.unreadable
        );
        Ok(())
    })
    .await
}
