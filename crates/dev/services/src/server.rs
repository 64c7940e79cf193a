//! What a private Redis and a private PostgreSQL have in common: start and wait until it
//! answers, stop, and the faults that tests inflict.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::sync::Mutex;

use crate::process::{self, Signal};

const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a server that ends at once is started again: after a kill, the last of its children
/// may still hold the data for a moment.
const RETRY_LIMIT: Duration = Duration::from_secs(10);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// One server process, started over and over with the same command.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) command: Box<dyn Fn() -> Command + Send + Sync>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
    /// What makes it stop in good order.
    pub(crate) stop_signal: Signal,
    pub(crate) child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts the server and waits until `probe` succeeds; one that runs already is left alone.
    pub(crate) async fn start<P, F>(&self, probe: P) -> Result<()>
    where
        P: Fn() -> F,
        F: Future<Output = Result<()>>,
    {
        let mut child = self.child.lock().await;
        if child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
        {
            return Ok(());
        }
        let started = Instant::now();
        let mut current = self.spawn()?;
        loop {
            if let Some(status) = current.try_wait()? {
                if started.elapsed() > RETRY_LIMIT {
                    bail!(
                        "{} ended with {status}; its log ends: {}",
                        self.name,
                        self.end_of_log()
                    );
                }
                current = self.spawn()?;
            }
            let Err(error) = probe().await else { break };
            if started.elapsed() > START_LIMIT {
                *child = Some(current);
                return Err(error.context(format!(
                    "{} does not answer; see {}",
                    self.name,
                    self.log.display()
                )));
            }
            tokio::time::sleep(POLL).await;
        }
        *child = Some(current);
        Ok(())
    }

    fn spawn(&self) -> Result<Child> {
        let log = self.open_log()?;
        let mut command = (self.command)();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        process::spawn_apart(command, self.stop_signal)
    }

    fn open_log(&self) -> Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    /// Stops it in good order, by force where that takes too long.
    pub(crate) async fn stop(&self) -> Result<()> {
        self.end(self.stop_signal).await
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(&self) -> Result<()> {
        self.end(Signal::KILL).await
    }

    async fn end(&self, signal: Signal) -> Result<()> {
        let mut child = self.child.lock().await;
        let Some(running) = child.as_mut() else {
            return Ok(());
        };
        process::signal(running.id(), signal);
        resume(running.id());
        if !process::ended_within(running, STOP_LIMIT).await? {
            process::signal(running.id(), Signal::KILL);
            process::ended_within(running, STOP_LIMIT).await?;
        }
        *child = None;
        Ok(())
    }

    /// Freezes it: connections stay open, and nothing answers.
    pub(crate) async fn pause(&self) {
        if let Some(pid) = self.pid().await {
            process::tree(pid)
                .into_iter()
                .for_each(|pid| process::signal(pid, Signal::STOP));
        }
    }

    pub(crate) async fn resume(&self) {
        if let Some(pid) = self.pid().await {
            resume(pid);
        }
    }

    pub(crate) async fn pid(&self) -> Option<u32> {
        self.child.lock().await.as_ref().map(Child::id)
    }
}

fn resume(pid: u32) {
    process::tree(pid)
        .into_iter()
        .for_each(|pid| process::signal(pid, Signal::CONT));
}

impl Drop for Server {
    /// A server that nobody stopped ends with its owner; its data may be removed right after.
    fn drop(&mut self) {
        let Some(mut child) = self.child.get_mut().take() else {
            return;
        };
        process::signal(child.id(), self.stop_signal);
        resume(child.id());
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}
