//! Stale servers: those that a killed run left running on a data directory.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{self, Signal};
use crate::progress;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Stops the server that still works in `data`, found by its pid file. Another process that has
/// this id by now is left alone: both servers make their data directory their working directory,
/// which identifies them.
pub(crate) async fn stop(name: &str, pid_file: &Path, data: &Path, signal: Signal) -> Result<()> {
    let Some(pid) = read_pid(pid_file) else {
        return Ok(());
    };
    if works_in(pid, data) {
        progress(format_args!("stopping the stale {name} process {pid}"));
        terminate(pid, data, signal).await?;
    } else if process::is_alive(pid) {
        // Another program has the id now: with this file the server would refuse to start.
        std::fs::remove_file(pid_file)?;
    }
    Ok(())
}

async fn terminate(pid: u32, data: &Path, signal: Signal) -> Result<()> {
    process::signal(pid, signal);
    process::signal_tree(pid, Signal::CONT);
    if ends_within(pid, data, STOP_TIMEOUT).await {
        return Ok(());
    }
    process::signal(pid, Signal::KILL);
    if ends_within(pid, data, STOP_TIMEOUT).await {
        return Ok(());
    }
    bail!(
        "process {pid} works in {} and does not end: end it, then try again",
        data.display()
    )
}

async fn ends_within(pid: u32, data: &Path, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    while works_in(pid, data) {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}

fn read_pid(pid_file: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(pid_file).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn works_in(pid: u32, data: &Path) -> bool {
    process::working_directory(pid).is_some_and(|directory| directory == data)
}
