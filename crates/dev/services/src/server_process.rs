//! A server process: start and wait until it is ready, stop, and the faults that tests inject.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Signal};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// How many lines of the log an error shows.
const LOG_LINES: usize = 20;

type Readiness = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// One server process, which can be started again and again with the same command.
///
/// It ends when this is dropped, and when this process ends.
pub struct ServerProcess {
    name: String,
    command: Box<dyn Fn() -> Command + Send + Sync>,
    probe: Box<dyn Fn() -> Readiness + Send + Sync>,
    log: Option<PathBuf>,
    stop_signal: Signal,
    start_timeout: Duration,
    retry_exits_for: Duration,
    child: Mutex<Option<Child>>,
}

impl ServerProcess {
    /// A server that is ready once `probe` succeeds. Nothing is started yet.
    pub fn new<F>(
        name: impl Into<String>,
        command: impl Fn() -> Command + Send + Sync + 'static,
        probe: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            name: name.into(),
            command: Box::new(command),
            probe: Box::new(move || Box::pin(probe())),
            log: None,
            stop_signal: Signal::TERM,
            start_timeout: START_TIMEOUT,
            retry_exits_for: Duration::ZERO,
            child: Mutex::default(),
        }
    }

    /// Appends its output to a file; without one it goes to this process's own output.
    #[must_use]
    pub fn log_to(mut self, path: PathBuf) -> Self {
        self.log = Some(path);
        self
    }

    /// The signal for a shutdown, SIGTERM by default. It is also sent when this process ends.
    #[must_use]
    pub fn stop_signal(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// How long a start may take, 60 s by default.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long a server that exits during its start is started again, by default not at all.
    #[must_use]
    pub(crate) fn retry_exits_for(mut self, duration: Duration) -> Self {
        self.retry_exits_for = duration;
        self
    }

    /// Starts the server and waits until it is ready; a running one is left alone.
    ///
    /// # Errors
    ///
    /// When it exits or does not get ready in time; the error shows the end of its log.
    pub async fn start(&self) -> Result<()> {
        if self.pid().is_some() && self.exit_status()?.is_none() {
            return Ok(());
        }
        let started = Instant::now();
        self.spawn()?;
        loop {
            if let Some(status) = self.exit_status()? {
                if started.elapsed() >= self.retry_exits_for {
                    bail!("{} ended with {status}{}", self.name, self.end_of_log());
                }
                self.spawn()?;
            }
            let Err(error) = (self.probe)().await else {
                return Ok(());
            };
            if started.elapsed() > self.start_timeout {
                let timeout = self.start_timeout;
                return Err(error.context(format!(
                    "{} was not ready within {timeout:?}{}",
                    self.name,
                    self.end_of_log()
                )));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Starts the server and does not wait until it is ready.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or its log cannot be written.
    pub fn spawn(&self) -> Result<()> {
        let mut command = (self.command)();
        command.stdin(Stdio::null());
        if let Some(log) = self.open_log()? {
            command.stdout(log.try_clone()?).stderr(log);
        }
        *self.child() = Some(process::spawn_in_group(command, self.stop_signal)?);
        Ok(())
    }

    fn open_log(&self) -> Result<Option<File>> {
        let Some(path) = &self.log else {
            return Ok(None);
        };
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path);
        file.map(Some)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// All that it has logged to its file, in earlier runs too.
    pub fn log(&self) -> String {
        let log = self.log.as_ref().map(std::fs::read).and_then(Result::ok);
        String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
        if end.is_empty() {
            return String::new();
        }
        format!("; its log ends:\n{}", end.join("\n"))
    }

    /// The process id, once it was started.
    pub fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    /// The exit status, once it has ended.
    ///
    /// # Errors
    ///
    /// When it was not started.
    pub fn exit_status(&self) -> Result<Option<ExitStatus>> {
        let mut child = self.child();
        let child = child.as_mut();
        child
            .with_context(|| format!("{} was not started", self.name))?
            .try_wait()
            .with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Waits until it exits by itself.
    ///
    /// # Errors
    ///
    /// When it was not started.
    pub async fn wait(&self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Sends a signal to it, if it was started.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            process::signal(pid, signal);
        }
    }

    /// Requests a shutdown and does not wait for it.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Shuts it down and waits; after 30 s it is killed.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub async fn stop(&self) -> Result<()> {
        self.end(self.stop_signal).await
    }

    /// Kills it, as a crash would, and waits.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub async fn kill(&self) -> Result<()> {
        self.end(Signal::KILL).await
    }

    /// Kills it and its children, as a crash would, and waits.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub async fn kill_tree(&self) -> Result<()> {
        let tree = self.pid().map(process::tree).unwrap_or_default();
        self.signal_tree(Signal::KILL);
        self.kill().await?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while tree.iter().any(|pid| process::is_alive(*pid)) && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn end(&self, signal: Signal) -> Result<()> {
        let Some(mut child) = self.child().take() else {
            return Ok(());
        };
        process::signal(child.id(), signal);
        process::signal_tree(child.id(), Signal::CONT);
        if process::wait_timeout(&mut child, STOP_TIMEOUT)
            .await?
            .is_none()
        {
            process::signal(child.id(), Signal::KILL);
            let killed = process::wait_timeout(&mut child, STOP_TIMEOUT).await?;
            ensure!(killed.is_some(), "{} survived SIGKILL", self.name);
        }
        Ok(())
    }

    /// Freezes it and its children: connections stay open, and nothing answers.
    pub fn pause(&self) {
        self.signal_tree(Signal::STOP);
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal_tree(Signal::CONT);
    }

    fn signal_tree(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            process::signal_tree(pid, signal);
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ServerProcess {
    /// The owner may remove the server's data right after this, so it waits for the end.
    fn drop(&mut self) {
        let Some(mut child) = self.child().take() else {
            return;
        };
        process::signal(child.id(), self.stop_signal);
        process::signal_tree(child.id(), Signal::CONT);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests;
