//! The migrations of `migrations/`, each applied once, also if several processes start at once.

use std::path::Path;

use anyhow::{Context, Result};
use refinery::{Runner, load_sql_migrations};
use tokio_postgres::Client;

/// The advisory lock of a migration, since refinery itself takes none. Any number works that no
/// other advisory lock in this database uses: this is "lexiflow" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"lexiflow");

/// Brings the database up to date with the `V<number>__<name>.sql` files of a directory, and
/// returns the names of those that it applied.
///
/// # Errors
///
/// When a file is malformed, differs from the one that was applied under its number, or fails;
/// a file that fails is rolled back.
pub async fn migrate(database_url: &str, directory: &Path) -> Result<Vec<String>> {
    let migrations = load_sql_migrations(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    let mut session = crate::connect(database_url).await?;
    // The lock belongs to the session and is released with it, also after an error.
    session
        .execute("select pg_advisory_lock($1)", &[&LOCK])
        .await?;
    let applied = apply(&mut session, &migrations).await;
    session
        .execute("select pg_advisory_unlock($1)", &[&LOCK])
        .await?;
    applied
}

async fn apply(session: &mut Client, migrations: &[refinery::Migration]) -> Result<Vec<String>> {
    let report = Runner::new(migrations)
        .run_async(session)
        .await
        .context("a migration failed")?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}
