//! A running devhost.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use stores::process::{self, Signal};
use stores::{Stores, address};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::workspace;

/// What devhost prints once it accepts connections.
const SERVING: &str = "Serving http://";
const POLL: Duration = Duration::from_millis(50);

/// devhost, to be run for these stores with `auth_mode=open`.
pub fn command(listen: &str, stores: &Stores) -> Result<Command> {
    let mut command = Command::new(workspace::devhost_binary());
    command
        .current_dir(workspace::root())
        .arg("--from")
        .arg(workspace::root());
    command.args(["--listen", listen]);
    command.env("SPIN_VARIABLE_REDIS_URL", stores.redis_url());
    command.env(
        "SPIN_VARIABLE_REDIS_HOST",
        address::host_and_port(stores.redis_url())?,
    );
    command.env("SPIN_VARIABLE_DATABASE_URL", stores.database_url());
    command.env(
        "SPIN_VARIABLE_DATABASE_HOST",
        address::host_and_port(stores.database_url())?,
    );
    command.env("SPIN_VARIABLE_AUTH_MODE", "open");
    Ok(command)
}

/// A devhost that serves.
pub struct Devhost {
    child: Child,
}

impl Devhost {
    /// Starts it, passes on what it prints, and waits until it serves.
    pub async fn start(mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process::spawn_apart(command, Signal::TERM)?;
        let (serving, mut served) = unbounded_channel();
        if let Some(output) = child.stdout.take() {
            pass_on(output, std::io::stdout(), serving.clone());
        }
        if let Some(output) = child.stderr.take() {
            pass_on(output, std::io::stderr(), serving);
        }
        wait_until_served(&mut child, &mut served).await?;
        Ok(Self { child })
    }

    /// Asks it to drain and end.
    pub fn terminate(&self) {
        process::signal(self.child.id(), Signal::TERM);
    }

    pub fn kill(&self) {
        process::signal(self.child.id(), Signal::KILL);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait().context("cannot wait for devhost")? {
                return Ok(status);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

async fn wait_until_served(child: &mut Child, served: &mut UnboundedReceiver<()>) -> Result<()> {
    loop {
        match tokio::time::timeout(POLL, served.recv()).await {
            Ok(Some(())) => return Ok(()),
            _ => {
                if let Some(status) = child.try_wait()? {
                    bail!("devhost ended with {status} before it served");
                }
            }
        }
    }
}

fn pass_on(
    from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    serving: UnboundedSender<()>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = writeln!(to, "{line}");
            if line.contains(SERVING) {
                let _ = serving.send(());
            }
        }
    });
}
