//! A devhost process under test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use stores::process::{self, Signal};

use crate::workspace_root;

/// What devhost prints once it accepts connections.
const SERVING: &str = "Serving http://";
/// The first start compiles the components to machine code.
const START_LIMIT: Duration = Duration::from_secs(180);
const END_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);
/// With this variable set, a devhost's log is shown as it comes.
const SHOW_LOG: &str = "TESTKIT_LOG";

/// A devhost, started over and over with the same command on the same port.
pub struct Devhost {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    child: Mutex<Option<Child>>,
    log: Arc<Mutex<String>>,
}

impl Devhost {
    pub(crate) fn new(command: impl Fn() -> Command + Send + Sync + 'static) -> Self {
        Self {
            command: Box::new(command),
            child: Mutex::default(),
            log: Arc::default(),
        }
    }

    /// The release build.
    pub(crate) fn binary() -> Result<PathBuf> {
        let binary = workspace_root().join("target/release/devhost");
        let missing = || {
            format!(
                "{} is missing: run `cargo xtask build` first",
                binary.display()
            )
        };
        ensure!(binary.exists(), missing());
        Ok(binary)
    }

    /// Starts it and waits until it serves.
    pub async fn start(&self) -> Result<()> {
        let said_before = self.log().matches(SERVING).count();
        self.launch()?;
        let deadline = Instant::now() + START_LIMIT;
        while self.log().matches(SERVING).count() == said_before {
            if let Some(status) = self.exit_status()? {
                bail!(
                    "devhost ended with {status} before it served; its log: {}",
                    self.log()
                );
            }
            ensure!(
                Instant::now() < deadline,
                "devhost did not serve within {START_LIMIT:?}; its log: {}",
                self.log()
            );
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Starts it and does not wait.
    pub fn launch(&self) -> Result<()> {
        let mut command = (self.command)();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process::spawn_apart(command, Signal::KILL)?;
        if let Some(output) = child.stdout.take() {
            keep(output, Arc::clone(&self.log));
        }
        if let Some(output) = child.stderr.take() {
            keep(output, Arc::clone(&self.log));
        }
        *lock(&self.child) = Some(child);
        Ok(())
    }

    /// Everything that it has printed so far, earlier runs of it included.
    pub fn log(&self) -> String {
        lock(&self.log).clone()
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        lock(&self.child).as_ref().map(Child::id)
    }

    /// Asks it to drain and end, and does not wait.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it as a crash would, and waits.
    pub async fn kill(&self) -> Result<ExitStatus> {
        self.signal(Signal::KILL);
        self.ended().await
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Result<ExitStatus> {
        let deadline = Instant::now() + END_LIMIT;
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            ensure!(
                Instant::now() < deadline,
                "devhost did not end within {END_LIMIT:?}; its log: {}",
                self.log()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            process::signal(pid, signal);
        }
    }

    fn exit_status(&self) -> Result<Option<ExitStatus>> {
        lock(&self.child)
            .as_mut()
            .context("devhost was not started")?
            .try_wait()
            .context("cannot wait for devhost")
    }

    /// Ends it without a runtime's help.
    pub(crate) fn end(&self) {
        if let Some(mut child) = lock(&self.child).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Devhost {
    fn drop(&mut self) {
        self.end();
    }
}

/// Adds what is printed to the log, line by line.
fn keep(output: impl Read + Send + 'static, log: Arc<Mutex<String>>) {
    let show = std::env::var_os(SHOW_LOG).is_some();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if show {
                eprintln!("devhost: {line}");
            }
            let mut log = lock(&log);
            log.push_str(&line);
            log.push('\n');
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
