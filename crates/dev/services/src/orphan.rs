//! Servers that a killed run left behind on a data directory.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{self, Signal};
use crate::say;

const PATIENCE: Duration = Duration::from_secs(30);

/// Stops the server that still works in `data`, going by its pid file, and leaves alone
/// whatever else may by now have that process id. Both servers make their data directory their
/// working directory, which tells them apart.
pub(crate) async fn stop(name: &str, pid_file: &Path, data: &Path, signal: Signal) -> Result<()> {
    let Some(pid) = written_in(pid_file) else {
        return Ok(());
    };
    if works_in(pid, data) {
        say(format_args!(
            "stopping {name} (process {pid}), which an earlier run left behind"
        ));
        end(pid, data, signal).await?;
    } else if process::is_alive(pid) {
        // The id is some other program's by now; the file would only mislead the server.
        std::fs::remove_file(pid_file)?;
    }
    Ok(())
}

async fn end(pid: u32, data: &Path, signal: Signal) -> Result<()> {
    process::signal(pid, signal);
    process::tree(pid)
        .into_iter()
        .for_each(|pid| process::signal(pid, Signal::CONT));
    if gone_within(pid, data, PATIENCE).await {
        return Ok(());
    }
    process::signal(pid, Signal::KILL);
    if gone_within(pid, data, PATIENCE).await {
        return Ok(());
    }
    bail!(
        "process {pid} works in {} and does not end: end it, then try again",
        data.display()
    )
}

async fn gone_within(pid: u32, data: &Path, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while works_in(pid, data) {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}

fn written_in(pid_file: &Path) -> Option<u32> {
    std::fs::read_to_string(pid_file)
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

fn works_in(pid: u32, data: &Path) -> bool {
    process::working_directory(pid).is_some_and(|directory| directory == data)
}
