//! `migrate`: applies the migrations.

use anyhow::Result;
use clap::Args;
use dev_services::progress;

use crate::{instance, workspace};

/// Apply the migrations that are not applied yet, as the owner of the tables: DATABASE_ADMIN_URL, else
/// DATABASE_URL, else the running instance.
#[derive(Args)]
pub struct Arguments {}

pub async fn run() -> Result<()> {
    let admin = std::env::var("DATABASE_ADMIN_URL").ok();
    if let Some(url) = admin.filter(|url| !url.is_empty()) {
        return apply(&url).await;
    }
    instance::with_database(|url| async move { apply(&url).await }).await
}

pub async fn apply(database_url: &str) -> Result<()> {
    let applied = dev_services::migrate::migrate(database_url, &workspace::migrations()).await?;
    match applied.as_slice() {
        [] => progress("the database is up to date"),
        names => progress(format_args!("applied the migrations {}", names.join(", "))),
    }
    Ok(())
}
