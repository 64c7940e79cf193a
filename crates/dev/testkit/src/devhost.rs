//! A devhost process under test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use dev_services::process::{self, Signal};

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
    /// What adds to the log.
    readers: Mutex<Vec<JoinHandle<()>>>,
}

impl Devhost {
    pub(crate) fn new(command: impl Fn() -> Command + Send + Sync + 'static) -> Self {
        Self {
            command: Box::new(command),
            child: Mutex::default(),
            log: Arc::default(),
            readers: Mutex::default(),
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
        let stdout = child.stdout.take().map(|output| self.keep(output));
        let stderr = child.stderr.take().map(|output| self.keep(output));
        lock(&self.readers).extend(stdout.into_iter().chain(stderr));
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

    /// Once it has ended, with its last words in the log.
    fn exit_status(&self) -> Result<Option<ExitStatus>> {
        let status = lock(&self.child)
            .as_mut()
            .context("devhost was not started")?
            .try_wait()
            .context("cannot wait for devhost")?;
        if status.is_some() {
            for reader in lock(&self.readers).drain(..) {
                let _ = reader.join();
            }
        }
        Ok(status)
    }

    /// Adds what is printed to the log, line by line.
    fn keep(&self, output: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = Arc::clone(&self.log);
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
        })
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
