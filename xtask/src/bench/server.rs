//! A service that is started to be measured.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use dev_services::process::{self, Signal};
use tokio::net::TcpStream;

use crate::workspace;

const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

pub struct Server {
    pub address: String,
    child: Child,
}

impl Server {
    /// Starts it, its log in a file as a supervisor would have it, and waits until it accepts
    /// connections.
    pub async fn start(name: &str, mut command: Command, address: String) -> Result<Self> {
        let path = workspace::root()
            .join("target")
            .join(format!("bench-{name}.log"));
        let log =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut server = Self {
            address,
            child: process::spawn_apart(command, Signal::TERM)?,
        };
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(&server.address).await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{name} ended with {status}: see {}", path.display());
            }
            ensure!(
                Instant::now() < deadline,
                "{name} does not listen on {}: see {}",
                server.address,
                path.display()
            );
            tokio::time::sleep(POLL).await;
        }
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    /// Its children end with it: what belongs to it is signalled as one.
    fn drop(&mut self) {
        let all = process::tree(self.pid());
        all.iter()
            .for_each(|pid| process::signal(*pid, Signal::TERM));
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
