//! Both stores: those that the environment names, or private ones.

use std::path::Path;

use anyhow::{Context, Result};

use crate::directory::DirectoryLock;
use crate::postgres::Template;
use crate::server_process::ServerProcess;
use crate::{ports, postgres, progress, redis, secret};

/// What the data of a private store has to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A stop and a crash.
    Durable,
    /// Nothing: it is for one test run, so PostgreSQL does not wait for the disk.
    Ephemeral,
}

/// Which stores to use.
#[derive(Clone, Debug)]
pub struct Options {
    /// A running Redis; without it a private one is started.
    pub redis_url: Option<String>,
    /// A running PostgreSQL; without it a private one is started.
    pub database_url: Option<String>,
    /// What the data of the private ones has to survive.
    pub durability: Durability,
    /// What a new private PostgreSQL starts from, instead of an empty cluster.
    pub template: Option<Template>,
}

impl Options {
    /// Private stores.
    pub fn private(durability: Durability) -> Self {
        Self {
            redis_url: None,
            database_url: None,
            durability,
            template: None,
        }
    }

    /// The stores of `REDIS_URL` and `DATABASE_URL`, and a private one for each that is not set.
    pub fn from_environment(durability: Durability) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
        Self {
            redis_url: variable("REDIS_URL"),
            database_url: variable("DATABASE_URL"),
            ..Self::private(durability)
        }
    }
}

/// Installs the programs of the private stores if the machine lacks them.
///
/// # Errors
///
/// Names the packages that could not be installed.
pub fn install_missing(options: &Options) -> Result<()> {
    if options.redis_url.is_none() {
        redis::install_missing()?;
    }
    if options.database_url.is_none() {
        postgres::install_missing()?;
    }
    Ok(())
}

/// One store: its URL, and its process if it is private.
pub(crate) struct Store {
    url: String,
    server: Option<ServerProcess>,
}

impl Store {
    pub(crate) fn private(url: String, server: ServerProcess) -> Self {
        Self {
            url,
            server: Some(server),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn stop(&self) -> Result<()> {
        match &self.server {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

/// Two stores that answer. Private ones end when this is dropped, and when the process ends.
pub struct Stores {
    redis: Store,
    postgres: Store,
    _lock: DirectoryLock,
}

impl Stores {
    /// Connects to the external stores and starts the private ones, with their data in the locked
    /// directory.
    ///
    /// # Errors
    ///
    /// When an external store does not answer or a private one does not start.
    pub async fn start(options: Options, lock: DirectoryLock) -> Result<Self> {
        install_missing(&options)?;
        let home = lock.path();
        let password = password(home, options.template.as_ref())?;
        let (redis, postgres) = tokio::try_join!(
            start_redis(&options, home, &password),
            start_postgres(&options, home, &password),
        )?;
        Ok(Self {
            redis,
            postgres,
            _lock: lock,
        })
    }

    /// The URL of Redis, with the password.
    pub fn redis_url(&self) -> &str {
        &self.redis.url
    }

    /// The URL of the database, with the password.
    pub fn database_url(&self) -> &str {
        &self.postgres.url
    }

    /// The process of the private Redis.
    ///
    /// # Errors
    ///
    /// When Redis is external.
    pub fn redis(&self) -> Result<&ServerProcess> {
        let server = self.redis.server.as_ref();
        server.context("the Redis of REDIS_URL was not started by this process")
    }

    /// The process of the private PostgreSQL.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is external.
    pub fn postgres(&self) -> Result<&ServerProcess> {
        let server = self.postgres.server.as_ref();
        server.context("the PostgreSQL of DATABASE_URL was not started by this process")
    }

    /// Shuts the private ones down.
    ///
    /// # Errors
    ///
    /// When one cannot be waited for.
    pub async fn stop(&self) -> Result<()> {
        tokio::try_join!(self.redis.stop(), self.postgres.stop()).map(drop)
    }
}

/// The password of the last run, else that of the template, else a new one.
fn password(home: &Path, template: Option<&Template>) -> Result<String> {
    let file = home.join("password");
    if let Some(template) = template
        && !file.exists()
    {
        secret::write_private(&file, template.password())?;
    }
    secret::load_or_create(&file)
}

async fn start_redis(options: &Options, home: &Path, password: &str) -> Result<Store> {
    if let Some(url) = &options.redis_url {
        return external("Redis", "REDIS_URL", url).await;
    }
    let port = last_port(home, "redis")?;
    let store = redis::launch(home, options.durability, port, password)
        .await
        .context("cannot start a private Redis")?;
    report_port("Redis", port, options);
    Ok(store)
}

async fn start_postgres(options: &Options, home: &Path, password: &str) -> Result<Store> {
    if let Some(url) = &options.database_url {
        return external("PostgreSQL", "DATABASE_URL", url).await;
    }
    let port = last_port(home, "postgres")?;
    let template = options.template.as_ref();
    let store = postgres::launch(home, options.durability, port, password, template)
        .await
        .context("cannot start a private PostgreSQL")?;
    report_port("PostgreSQL", port, options);
    Ok(store)
}

fn report_port(name: &str, port: u16, options: &Options) {
    if options.durability == Durability::Durable {
        progress(format_args!("{name} listens on 127.0.0.1:{port}"));
    }
}

async fn external(name: &str, variable: &str, url: &str) -> Result<Store> {
    let address = crate::address::host_and_port(url)
        .with_context(|| format!("{variable} is not a URL of {name}"))?;
    progress(format_args!("using the {name} of {variable} at {address}"));
    let connected = tokio::net::TcpStream::connect(&address).await;
    connected.with_context(|| {
        format!(
            "no {name} answers at {address}: start it, or unset {variable} to use a private one"
        )
    })?;
    Ok(Store {
        url: url.into(),
        server: None,
    })
}

/// The port of the last run if it is still free, so that the settings of clients stay valid.
fn last_port(home: &Path, name: &str) -> Result<u16> {
    let file = home.join(format!("{name}.port"));
    let last = std::fs::read_to_string(&file)
        .ok()
        .and_then(|port| port.trim().parse().ok());
    let port = ports::free_or(last)?;
    std::fs::write(&file, port.to_string())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(port)
}
