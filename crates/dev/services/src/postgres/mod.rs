//! A private PostgreSQL.

mod account;
mod binaries;
mod cluster;
mod place;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use crate::connection::connect;
use crate::process::Signal;
use crate::server::Server;
use crate::stores::Durability;
use crate::{apt, orphan};
use account::Account;
use binaries::Binaries;
pub(crate) use place::remove_elsewhere;

const DATABASE: &str = "lexiflow";
const USER: &str = "lexiflow";

/// A PostgreSQL that this process started.
pub struct Postgres {
    server: Server,
    port: u16,
    password: String,
    url: String,
}

impl Postgres {
    pub(crate) async fn launch(
        home: &Path,
        durability: Durability,
        port: u16,
        password: &str,
    ) -> Result<Self> {
        let account = Account::for_postgres()?;
        let data = place::of(home, &account)?;
        orphan::stop(
            "PostgreSQL",
            &data.join("postmaster.pid"),
            &data,
            Signal::INT,
        )
        .await?;
        let binaries = Binaries::find_for(&data)?;
        cluster::create_if_missing(&data, &binaries, &account, password)?;
        let postgres = Self {
            server: server(home, data, binaries, account, durability, port),
            port,
            password: password.into(),
            url: url(port, password, DATABASE),
        };
        postgres.start().await?;
        postgres.create_database().await?;
        Ok(postgres)
    }

    /// Whether this machine has the programs.
    pub fn is_installed() -> bool {
        Binaries::newest().is_some()
    }

    /// The URL of its database, password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill): same port, same data.
    pub async fn start(&self) -> Result<()> {
        self.server
            .start(|| async { self.maintenance().await.map(drop) })
            .await
    }

    /// Stops it in good order.
    pub async fn stop(&self) -> Result<()> {
        self.server.stop().await
    }

    /// Ends it as a crash would.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await
    }

    /// Freezes it, its sessions included: connections stay open, and nothing answers.
    pub async fn pause(&self) {
        self.server.pause().await;
    }

    pub async fn resume(&self) {
        self.server.resume().await;
    }

    /// The process, while it runs.
    pub async fn pid(&self) -> Option<u32> {
        self.server.pid().await
    }

    /// A session on the database that every cluster has.
    async fn maintenance(&self) -> Result<Client> {
        connect(&url(self.port, &self.password, "postgres")).await
    }

    async fn create_database(&self) -> Result<()> {
        let session = self.maintenance().await?;
        let found = session
            .query_opt("select from pg_database where datname = $1", &[&DATABASE])
            .await?;
        if found.is_none() {
            session
                .batch_execute(&format!("create database {DATABASE}"))
                .await?;
        }
        Ok(())
    }
}

pub(crate) fn install_missing() -> Result<()> {
    if !Postgres::is_installed() {
        apt::install(
            &["postgresql"],
            "a private PostgreSQL (the package's own service is not used)",
        )?;
    }
    Ok(())
}

pub(crate) async fn stop_orphan(home: &Path) -> Result<()> {
    let data = place::of(home, &Account::for_postgres()?)?;
    orphan::stop(
        "PostgreSQL",
        &data.join("postmaster.pid"),
        &data,
        Signal::INT,
    )
    .await
}

fn url(port: u16, password: &str, database: &str) -> String {
    format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}")
}

fn server(
    home: &Path,
    data: PathBuf,
    binaries: Binaries,
    account: Account,
    durability: Durability,
    port: u16,
) -> Server {
    Server {
        name: "PostgreSQL",
        command: Box::new(move || {
            let mut command = Command::new(binaries.postgres());
            account.apply(&mut command);
            command
                .arg("-D")
                .arg(&data)
                .args(settings(durability, port))
                .env("LC_ALL", "C")
                .current_dir("/");
            command
        }),
        log: home.join("postgres.log"),
        stop_signal: match durability {
            Durability::Kept => Signal::INT,
            Durability::Throwaway => Signal::QUIT,
        },
        child: Mutex::new(None),
    }
}

fn settings(durability: Durability, port: u16) -> Vec<String> {
    let port = format!("port={port}");
    let common = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "timezone=UTC",
        &port,
    ];
    let durable: &[&str] = match durability {
        Durability::Kept => &["fsync=on", "synchronous_commit=on"],
        Durability::Throwaway => &["fsync=off", "full_page_writes=off", "shared_buffers=32MB"],
    };
    common
        .iter()
        .chain(durable)
        .map(|setting| format!("--{setting}"))
        .collect()
}
