//! `reindex`: puts messages into the search index.

use anyhow::Result;
use clap::Args;
use dev_services::{progress, reindex};

use crate::{content_keys, instance};

/// Put messages into the search index that were written before there was one.
///
/// Goes through all messages in small batches; it can be interrupted and run again, and the service goes
/// on at the same time. Uses DATABASE_URL, or else the running instance; and CONTENT_KEYS where contents are
/// sealed.
#[derive(Args)]
pub struct Arguments {
    /// Also messages that are in the index, after an upgrade that says so.
    #[arg(long)]
    all: bool,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    let keys = content_keys::of_environment()?;
    instance::with_database(|url| async move {
        let written = reindex::reindex(&url, arguments.all, &keys).await?;
        progress(format_args!("indexed {written} messages"));
        Ok(())
    })
    .await
}
