//! The baseline: a Node service, built in a copy of its folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dev_services::{ServerProcess, Stores, apt, ports, progress};
use tokio::net::TcpStream;

use super::service::Service;
use crate::{cargo, workspace};

/// Another database of the same Redis, since both services use the same keys.
const REDIS_DATABASE: &str = "/1";
const START_TIMEOUT: Duration = Duration::from_secs(120);

pub async fn start(folder: &Path, stores: &Stores) -> Result<Service> {
    let copy = build(folder)?;
    let port = ports::free()?;
    let address = format!("127.0.0.1:{port}");
    let (redis, database) = (
        format!("{}{REDIS_DATABASE}", stores.redis_url()),
        stores.database_url().to_owned(),
    );
    let command = move || {
        let mut node = Command::new("node");
        node.arg("dist/main.js").current_dir(&copy);
        node.env("WORKERS", "2").env("PORT", port.to_string());
        node.env("DATABASE_URL", &database).env("REDIS_URL", &redis);
        node
    };
    let probe = move || async move { Ok(TcpStream::connect(("127.0.0.1", port)).await.map(drop)?) };
    let process = ServerProcess::new("the baseline", command, probe).start_timeout(START_TIMEOUT);
    Service::start("baseline", process, &address).await
}

fn build(folder: &Path) -> Result<PathBuf> {
    ensure!(
        folder.join("package.json").is_file(),
        "{} has no package.json",
        folder.display()
    );
    ensure!(
        apt::program("npm").is_some(),
        "the baseline needs Node.js: install node and npm, then try again"
    );
    let copy = workspace::root().join("target/baseline");
    std::fs::create_dir_all(&copy).with_context(|| format!("cannot create {}", copy.display()))?;
    progress(format_args!("building the baseline in {}", copy.display()));
    let mut cp = Command::new("cp");
    cp.args(["--recursive", "--no-preserve=mode,ownership"])
        .arg(folder.join("."))
        .arg(&copy);
    cargo::run(cp)?;
    npm(&copy, &["ci", "--no-audit", "--no-fund"])?;
    npm(&copy, &["run", "build"])?;
    Ok(copy)
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(arguments)
        .current_dir(folder)
        .stdout(std::io::stderr());
    cargo::run(npm)
}
