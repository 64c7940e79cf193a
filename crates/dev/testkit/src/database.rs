//! A database of its own on a server that is shared.

use anyhow::{Context, Result};
use tokio_postgres::Client;
use url::Url;

use crate::unique::random_base;

/// A database that was created for this test binary.
pub(crate) struct Database {
    server_url: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// Creates one on the server of this URL.
    pub(crate) async fn create(server_url: &str) -> Result<Self> {
        let name = format!("lexiflow_test_{:016x}", fastrand::u64(..));
        let url = with_database(server_url, &name).context("DATABASE_URL is not a URL")?;
        let server = dev_services::connect(server_url).await?;
        server
            .batch_execute(&format!("create database {name}"))
            .await
            .context("cannot create a database for the tests")?;
        Ok(Self {
            server_url: server_url.into(),
            name,
            url,
        })
    }

    pub(crate) async fn remove(&self) -> Result<()> {
        let server = dev_services::connect(&self.server_url).await?;
        let drop = format!("drop database if exists {} with (force)", self.name);
        Ok(server.batch_execute(&drop).await?)
    }
}

/// The URL with another database in it.
fn with_database(url: &str, name: &str) -> Result<String> {
    let mut url = Url::parse(url)?;
    url.set_path(name);
    Ok(url.into())
}

/// Restarts every identity column at a random large number, so that two test binaries on one
/// Redis never use the same key.
pub(crate) async fn randomize_identities(database: &Client) -> Result<()> {
    const COLUMNS: &str = "
        select attrelid::regclass::text, quote_ident(attname) from pg_attribute
        where attidentity <> '' and not attisdropped";
    for column in database.query(COLUMNS, &[]).await? {
        let (table, name): (&str, &str) = (column.get(0), column.get(1));
        let start = random_base();
        let restart = format!("alter table {table} alter column {name} restart with {start}");
        database
            .batch_execute(&restart)
            .await
            .with_context(|| format!("cannot restart the identities of {table}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn only_the_database_changes() {
        let of = |url| with_database(url, "new").unwrap();
        assert_eq!(
            of("postgres://u:p@h:1/old?sslmode=disable"),
            "postgres://u:p@h:1/new?sslmode=disable"
        );
        assert_eq!(of("postgres://h"), "postgres://h/new");
    }
}
