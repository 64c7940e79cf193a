//! Sessions with PostgreSQL, encrypted if the URL requires it.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A session with the database of this URL. With `sslmode=require` the connection is encrypted,
/// and the server's certificate is verified against the machine's trusted roots.
///
/// # Errors
///
/// When the URL is invalid or the server does not answer.
pub async fn connect(url: &str) -> Result<Client> {
    let config: Config = url.parse().context("the URL of the database is invalid")?;
    let session = match config.get_ssl_mode() {
        SslMode::Require => encrypted(&config).await,
        _ => plain(&config).await,
    };
    session.context("cannot connect to PostgreSQL")
}

async fn plain(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn encrypted(config: &Config) -> Result<Client> {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}
