//! Both stores: the environment's, or private ones.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::directory::DirectoryLock;
use crate::{Postgres, Redis, ports, postgres, redis, say, secret};

/// What becomes of a private store's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives a stop and a crash.
    Kept,
    /// It is for one test run: PostgreSQL does not wait for the disk.
    Throwaway,
}

/// Which stores to use.
#[derive(Debug)]
pub struct Options {
    /// A Redis that runs already; without it a private one is started.
    pub redis_url: Option<String>,
    /// A PostgreSQL that runs already; without it a private one is started.
    pub database_url: Option<String>,
    pub durability: Durability,
}

impl Options {
    /// Private stores.
    pub fn private(durability: Durability) -> Self {
        Self {
            redis_url: None,
            database_url: None,
            durability,
        }
    }

    /// The stores of `REDIS_URL` and `DATABASE_URL`; a private one for each that is not set.
    pub fn from_environment(durability: Durability) -> Self {
        let set = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
        Self {
            redis_url: set("REDIS_URL"),
            database_url: set("DATABASE_URL"),
            durability,
        }
    }
}

/// Installs what the private stores among these need and the machine lacks.
pub fn install_missing(options: &Options) -> Result<()> {
    if options.redis_url.is_none() {
        redis::install_missing()?;
    }
    if options.database_url.is_none() {
        postgres::install_missing()?;
    }
    Ok(())
}

enum Store<P> {
    Given(String),
    Private(P),
}

/// Two stores that answer. Private ones end when this is dropped, or when the process ends.
pub struct Stores {
    redis: Store<Redis>,
    postgres: Store<Postgres>,
    _lock: DirectoryLock,
}

impl Stores {
    /// Starts what has to be started, with its data in the locked directory.
    pub async fn start(options: Options, lock: DirectoryLock) -> Result<Self> {
        install_missing(&options)?;
        let home = lock.path().to_path_buf();
        let (redis, postgres) = tokio::try_join!(
            redis_of(options.redis_url, &home, options.durability),
            postgres_of(options.database_url, &home, options.durability),
        )?;
        Ok(Self {
            redis,
            postgres,
            _lock: lock,
        })
    }

    pub fn redis_url(&self) -> &str {
        match &self.redis {
            Store::Given(url) => url,
            Store::Private(redis) => redis.url(),
        }
    }

    pub fn database_url(&self) -> &str {
        match &self.postgres {
            Store::Given(url) => url,
            Store::Private(postgres) => postgres.url(),
        }
    }

    /// The private Redis, for its switches.
    pub fn redis(&self) -> Result<&Redis> {
        match &self.redis {
            Store::Given(_) => {
                anyhow::bail!("this Redis is given by REDIS_URL and is not ours to stop")
            }
            Store::Private(redis) => Ok(redis),
        }
    }

    /// The private PostgreSQL, for its switches.
    pub fn postgres(&self) -> Result<&Postgres> {
        match &self.postgres {
            Store::Given(_) => {
                anyhow::bail!("this PostgreSQL is given by DATABASE_URL and is not ours to stop")
            }
            Store::Private(postgres) => Ok(postgres),
        }
    }

    /// Stops the private ones in good order, and nothing else.
    pub async fn stop(&self) -> Result<()> {
        let redis = async {
            if let Store::Private(redis) = &self.redis {
                redis.stop().await
            } else {
                Ok(())
            }
        };
        let postgres = async {
            if let Store::Private(postgres) = &self.postgres {
                postgres.stop().await
            } else {
                Ok(())
            }
        };
        tokio::try_join!(redis, postgres).map(drop)
    }
}

async fn redis_of(
    given: Option<String>,
    home: &Path,
    durability: Durability,
) -> Result<Store<Redis>> {
    if let Some(url) = given {
        reachable("Redis", "REDIS_URL", &url).await?;
        return Ok(Store::Given(url));
    }
    let port = remembered_port(home, "redis")?;
    let redis = Redis::launch(home, durability, port, &password(home)?)
        .await
        .context("cannot start a private Redis")?;
    if durability == Durability::Kept {
        say(format_args!("Redis runs on 127.0.0.1:{port}"));
    }
    Ok(Store::Private(redis))
}

async fn postgres_of(
    given: Option<String>,
    home: &Path,
    durability: Durability,
) -> Result<Store<Postgres>> {
    if let Some(url) = given {
        reachable("PostgreSQL", "DATABASE_URL", &url).await?;
        return Ok(Store::Given(url));
    }
    let port = remembered_port(home, "postgres")?;
    let postgres = Postgres::launch(home, durability, port, &password(home)?)
        .await
        .context("cannot start a private PostgreSQL")?;
    if durability == Durability::Kept {
        say(format_args!("PostgreSQL runs on 127.0.0.1:{port}"));
    }
    Ok(Store::Private(postgres))
}

async fn reachable(name: &str, variable: &str, url: &str) -> Result<()> {
    let address = crate::address::host_and_port(url)
        .with_context(|| format!("{variable} is no {name} URL"))?;
    say(format_args!(
        "using the {name} that {variable} names, at {address}"
    ));
    let connected = tokio::net::TcpStream::connect(&address).await;
    connected
        .with_context(|| {
            format!(
                "no {name} answers at {address}: start it, or unset {variable} for a private one"
            )
        })
        .map(drop)
}

fn password(home: &Path) -> Result<String> {
    secret::load_or_create(&home.join("password"))
}

/// The port of the last run where it is still free, so that a client's settings stay good.
fn remembered_port(home: &Path, name: &str) -> Result<u16> {
    let file: PathBuf = home.join(format!("{name}.port"));
    let last = std::fs::read_to_string(&file)
        .ok()
        .and_then(|port| port.trim().parse().ok());
    let port = ports::free_or(last)?;
    std::fs::write(&file, port.to_string())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(port)
}
