//! A private Redis.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use redis::Client;

use crate::process::Signal;
use crate::server_process::ServerProcess;
use crate::stores::{Durability, Store};
use crate::{apt, directory, secret, stale};

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The user that `requirepass` is for. redis-cli reads a URL without a name as one whose name is
/// empty.
const USER: &str = "default";
const PROGRAM: &str = "redis-server";

/// Starts a Redis with its data below `home`.
pub(crate) async fn launch(
    home: &Path,
    durability: Durability,
    port: u16,
    password: &str,
) -> Result<Store> {
    stop_stale(home).await?;
    let data = data(home);
    directory::create_private(&data)?;
    let configuration = home.join("redis.conf");
    secret::write_private(&configuration, &settings(&data, durability, port, password))?;
    let url = format!("redis://{USER}:{password}@127.0.0.1:{port}");
    let server = server(home, configuration, durability, url.clone());
    server.start().await?;
    Ok(Store::private(url, server))
}

/// Whether this machine has the program.
pub fn is_installed() -> bool {
    apt::program(PROGRAM).is_some()
}

pub(crate) fn install_missing() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    apt::install(
        &["redis-server"],
        "a private Redis (the package's own service is not used)",
    )
}

pub(crate) async fn stop_stale(home: &Path) -> Result<()> {
    stale::stop("Redis", &pid_file(home), &data(home), Signal::TERM).await
}

fn data(home: &Path) -> PathBuf {
    home.join("redis")
}

fn pid_file(home: &Path) -> PathBuf {
    home.join("redis.pid")
}

fn server(
    home: &Path,
    configuration: PathBuf,
    durability: Durability,
    url: String,
) -> ServerProcess {
    let command = move || {
        let mut command = Command::new(apt::program(PROGRAM).unwrap_or_else(|| PROGRAM.into()));
        command.arg(&configuration);
        command
    };
    let stop_signal = match durability {
        Durability::Durable => Signal::TERM,
        Durability::Ephemeral => Signal::KILL,
    };
    ServerProcess::new("Redis", command, move || probe(url.clone()))
        .log_to(home.join("redis.log"))
        .stop_signal(stop_signal)
}

/// The configuration is a file because arguments are visible to every user of the machine.
fn settings(data: &Path, durability: Durability, port: u16, password: &str) -> String {
    let persistence = match durability {
        Durability::Durable => "appendonly yes\nappendfsync everysec",
        // What is written still survives a stop and a start within one test.
        Durability::Ephemeral => "appendonly yes\nappendfsync no",
    };
    format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{}\"\npidfile \"{}\"\nsave \"\"\n{persistence}\n\
         maxmemory-policy noeviction\nnotify-keyspace-events Ex\n",
        data.display(),
        pid_file(data.parent().unwrap_or(data)).display(),
    )
}

/// Succeeds once the Redis at this URL answers a PING, its data loaded.
async fn probe(url: String) -> Result<()> {
    let ping = async {
        let mut connection = Client::open(url)?
            .get_multiplexed_async_connection()
            .await?;
        redis::cmd("PING").exec_async(&mut connection).await
    };
    let answer = tokio::time::timeout(PROBE_TIMEOUT, ping).await;
    answer
        .context("no answer to PING in time")?
        .context("PING failed")
}
