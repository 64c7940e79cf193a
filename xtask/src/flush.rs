//! `flush`: empties Redis of what is derived.

use anyhow::{Context, Result};
use clap::Args;
use dev_services::{flush, progress};

use crate::instance;

/// Delete from Redis what is derived from PostgreSQL, after PostgreSQL was restored from a backup.
///
/// Caches, unread counts, streams and feeds are made anew; presence, typing, rates and tickets stay.
/// Readers of event streams get `resync`. Uses REDIS_URL, or else the running instance.
#[derive(Args)]
pub struct Arguments {}

pub async fn run() -> Result<()> {
    let external = std::env::var("REDIS_URL").ok();
    let url = match external.filter(|url| !url.is_empty()) {
        Some(url) => url,
        None => instance::running().context("set REDIS_URL")?.redis,
    };
    let deleted = flush::flush(&url).await?;
    progress(format_args!("deleted {deleted} keys"));
    Ok(())
}
