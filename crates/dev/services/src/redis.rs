//! A private Redis.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::process::Signal;
use crate::server::Server;
use crate::stores::Durability;
use crate::{apt, directory, orphan, secret};

const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// The user that `requirepass` is for. redis-cli takes a URL without a name for one whose name is
/// empty.
const USER: &str = "default";

/// A Redis that this process started.
pub struct Redis {
    server: Server,
    url: String,
}

impl Redis {
    pub(crate) async fn launch(
        home: &Path,
        durability: Durability,
        port: u16,
        password: &str,
    ) -> Result<Self> {
        stop_orphan(home).await?;
        let data = data(home);
        directory::create_private(&data)?;
        let configuration = home.join("redis.conf");
        secret::write_private(&configuration, &settings(&data, durability, port, password))?;
        let redis = Self {
            server: server(home, configuration, durability),
            url: format!("redis://{USER}:{password}@127.0.0.1:{port}"),
        };
        redis.start().await?;
        Ok(redis)
    }

    /// Whether this machine has the program.
    pub fn is_installed() -> bool {
        apt::program("redis-server").is_some()
    }

    /// Its URL, password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill): same port, same data.
    pub async fn start(&self) -> Result<()> {
        self.server.start(|| answers(&self.url)).await
    }

    /// Stops it in good order.
    pub async fn stop(&self) -> Result<()> {
        self.server.stop().await
    }

    /// Ends it as a crash would.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await
    }

    /// Freezes it: connections stay open, and nothing answers.
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
}

pub(crate) fn install_missing() -> Result<()> {
    if !Redis::is_installed() {
        apt::install(
            &["redis-server"],
            "a private Redis (the package's own service is not used)",
        )?;
    }
    Ok(())
}

pub(crate) async fn stop_orphan(home: &Path) -> Result<()> {
    orphan::stop("Redis", &pid_file(home), &data(home), Signal::TERM).await
}

fn data(home: &Path) -> PathBuf {
    home.join("redis")
}

fn pid_file(home: &Path) -> PathBuf {
    home.join("redis.pid")
}

fn server(home: &Path, configuration: PathBuf, durability: Durability) -> Server {
    Server {
        name: "Redis",
        command: Box::new(move || {
            let mut command =
                Command::new(apt::program("redis-server").unwrap_or_else(|| "redis-server".into()));
            command.arg(&configuration);
            command
        }),
        log: home.join("redis.log"),
        stop_signal: match durability {
            Durability::Kept => Signal::TERM,
            Durability::Throwaway => Signal::KILL,
        },
        child: Mutex::new(None),
    }
}

/// The configuration is a file because arguments are visible to every user of the machine.
fn settings(data: &Path, durability: Durability, port: u16, password: &str) -> String {
    let persistence = match durability {
        Durability::Kept => "appendonly yes\nappendfsync everysec",
        // What is written still survives a stop and a start within one test.
        Durability::Throwaway => "appendonly yes\nappendfsync no",
    };
    format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{}\"\npidfile \"{}\"\nsave \"\"\n{persistence}\n\
         maxmemory-policy noeviction\nnotify-keyspace-events Ex\n",
        data.display(),
        pid_file(data.parent().unwrap_or(data)).display(),
    )
}

/// Succeeds once the Redis of this URL answers a PING, its data loaded.
async fn answers(url: &str) -> Result<()> {
    let (password, address) = url
        .trim_start_matches("redis://default:")
        .split_once('@')
        .context("a private Redis has a password")?;
    let ping = format!("AUTH {password}\r\nPING\r\n");
    let reply = tokio::time::timeout(PROBE_LIMIT, exchange(address, &ping))
        .await
        .context("no answer in time")??;
    ensure!(reply.contains("+PONG"), "it answered {reply:?}");
    Ok(())
}

async fn exchange(address: &str, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    while reply.matches("\r\n").count() < request.matches("\r\n").count() {
        let mut part = [0; 256];
        let length = stream.read(&mut part).await?;
        ensure!(length > 0, "it closed the connection after {reply:?}");
        reply.push_str(&String::from_utf8_lossy(&part[..length]));
    }
    Ok(reply)
}
