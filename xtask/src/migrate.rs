//! `migrate`: the database is brought up to date.

use anyhow::Result;
use clap::Args;
use dev_services::say;

use crate::{instance, workspace};

/// Apply the migrations that the database lacks.
#[derive(Args)]
pub struct Arguments {}

pub async fn run() -> Result<()> {
    instance::with_database(|url| async move { apply(&url).await }).await
}

pub async fn apply(database_url: &str) -> Result<()> {
    let applied = dev_services::migrate::migrate(database_url, &workspace::migrations()).await?;
    match applied.as_slice() {
        [] => say("the database is up to date"),
        names => say(format_args!("applied the migrations {}", names.join(", "))),
    }
    Ok(())
}
