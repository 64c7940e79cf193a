//! A database of one's own on a server that others use too.

use anyhow::{Context, Result};
use tokio_postgres::Client;

use crate::unique::random_base;

/// A database that was made for this test binary.
pub(crate) struct Database {
    server_url: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// Makes one on the server of this URL.
    pub(crate) async fn create(server_url: &str) -> Result<Self> {
        let name = format!("lexiflow_test_{:016x}", fastrand::u64(..));
        let server = dev_services::connect(server_url).await?;
        server
            .batch_execute(&format!("create database {name}"))
            .await
            .context("cannot create a database for the tests")?;
        let url = with_database(server_url, &name).context("DATABASE_URL is no URL")?;
        Ok(Self {
            server_url: server_url.into(),
            name,
            url,
        })
    }

    pub(crate) async fn remove(&self) -> Result<()> {
        let server = dev_services::connect(&self.server_url).await?;
        Ok(server
            .batch_execute(&format!(
                "drop database if exists {} with (force)",
                self.name
            ))
            .await?)
    }
}

/// The URL with another database in it.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (base, query) = rest
        .split_once('?')
        .map_or((rest, None), |(base, query)| (base, Some(query)));
    let authority = base.split('/').next()?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{scheme}://{authority}/{name}{query}"))
}

/// Lets every table give out ids from a random large number on, so that keys of two test
/// binaries in one Redis never meet.
pub(crate) async fn scatter_ids(database: &Client) -> Result<()> {
    const COLUMNS: &str = "
        select attrelid::regclass::text, quote_ident(attname) from pg_attribute
        where attidentity <> '' and not attisdropped";
    for column in database.query(COLUMNS, &[]).await? {
        let (table, name): (&str, &str) = (column.get(0), column.get(1));
        let restart = format!(
            "alter table {table} alter column {name} restart with {}",
            random_base()
        );
        database
            .batch_execute(&restart)
            .await
            .with_context(|| format!("cannot scatter the ids of {table}"))?;
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
