//! A Node service to compare with, built in a copy of its folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dev_services::{Stores, apt, ports, say};

use super::server::Server;
use super::side::Side;
use crate::{cargo, workspace};

/// Its own database of the same Redis: both services use the same key names.
const REDIS_DATABASE: &str = "/1";

pub async fn start(folder: &Path, stores: &Stores) -> Result<Side> {
    let copy = build(folder)?;
    let port = ports::free()?;
    let mut node = Command::new("node");
    node.arg("dist/main.js").current_dir(copy);
    node.env("WORKERS", "2").env("PORT", port.to_string());
    node.env("DATABASE_URL", stores.database_url()).env(
        "REDIS_URL",
        format!("{}{REDIS_DATABASE}", stores.redis_url()),
    );
    Ok(Side::started(
        "baseline",
        Server::start("baseline", node, format!("127.0.0.1:{port}")).await?,
    ))
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
    say(format_args!("building the baseline in {}", copy.display()));
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
