//! A private PostgreSQL.

mod account;
mod binaries;
mod cluster;
mod location;
mod template;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::connection::connect;
use crate::process::Signal;
use crate::server_process::ServerProcess;
use crate::stores::{Durability, Store};
use crate::{apt, stale};
use account::Account;
use binaries::Binaries;
pub(crate) use location::remove_relocated;
pub use template::Template;

const DATABASE: &str = "lexiflow";
/// The database that every cluster has.
const MAINTENANCE: &str = "postgres";
const USER: &str = "lexiflow";

/// After a kill, the last of PostgreSQL's children may still hold the data for a moment.
const RETRY_EXITS_FOR: Duration = Duration::from_secs(10);

/// Starts a PostgreSQL with its data below `home`, and a database in it.
pub(crate) async fn launch(
    home: &Path,
    durability: Durability,
    port: u16,
    password: &str,
    template: Option<&Template>,
) -> Result<Store> {
    stop_stale(home).await?;
    let account = Account::for_postgres()?;
    let data = location::of(home, &account)?;
    let binaries = Binaries::find_for(&data)?;
    cluster::create_if_missing(&data, &binaries, &account, password, template)?;
    let url = |database| format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}");
    let command = command(&data, &binaries, account, durability, port);
    let server = server(home, command, durability, url(MAINTENANCE));
    server.start().await?;
    create_database(&url(MAINTENANCE)).await?;
    Ok(Store::private(url(DATABASE), server))
}

/// Whether this machine has the programs.
pub fn is_installed() -> bool {
    Binaries::newest().is_some()
}

/// The full path of one of PostgreSQL's client programs, of the newest version on this machine.
///
/// # Errors
///
/// When it is not on this machine.
pub fn client_program(name: &str) -> Result<PathBuf> {
    let binaries = Binaries::newest().context("PostgreSQL is not on this machine")?;
    let program = binaries.program(name);
    if program.is_file() {
        return Ok(program);
    }
    apt::program(name).with_context(|| format!("{name} is not on this machine"))
}

pub(crate) fn install_missing() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    apt::install(
        &["postgresql"],
        "a private PostgreSQL (the package's own service is not used)",
    )
}

pub(crate) async fn stop_stale(home: &Path) -> Result<()> {
    let data = data(home)?;
    let pid_file = data.join("postmaster.pid");
    stale::stop("PostgreSQL", &pid_file, &data, Signal::INT).await
}

fn data(home: &Path) -> Result<PathBuf> {
    location::of(home, &Account::for_postgres()?)
}

async fn create_database(maintenance_url: &str) -> Result<()> {
    let session = connect(maintenance_url).await?;
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

fn command(
    data: &Path,
    binaries: &Binaries,
    account: Account,
    durability: Durability,
    port: u16,
) -> impl Fn() -> Command + use<> {
    let (data, program) = (data.to_path_buf(), binaries.program("postgres"));
    move || {
        let mut command = Command::new(&program);
        account.apply(&mut command);
        command.arg("-D").arg(&data);
        command.args(settings(durability, port));
        command.env("LC_ALL", "C").current_dir("/");
        command
    }
}

fn server(
    home: &Path,
    command: impl Fn() -> Command + Send + Sync + 'static,
    durability: Durability,
    maintenance_url: String,
) -> ServerProcess {
    let probe = move || {
        let url = maintenance_url.clone();
        async move { connect(&url).await.map(drop) }
    };
    // A fast shutdown, and an immediate one.
    let stop_signal = match durability {
        Durability::Durable => Signal::INT,
        Durability::Ephemeral => Signal::QUIT,
    };
    ServerProcess::new("PostgreSQL", command, probe)
        .log_to(home.join("postgres.log"))
        .stop_signal(stop_signal)
        .retry_exits_for(RETRY_EXITS_FOR)
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
        Durability::Durable => &["fsync=on", "synchronous_commit=on"],
        Durability::Ephemeral => &["fsync=off", "full_page_writes=off", "shared_buffers=32MB"],
    };
    common
        .iter()
        .chain(durable)
        .map(|setting| format!("--{setting}"))
        .collect()
}
