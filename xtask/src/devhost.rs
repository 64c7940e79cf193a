//! A running devhost.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dev_services::process::{self, Signal};
use dev_services::{Stores, address};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::workspace;

/// What devhost prints once it accepts connections.
const SERVING: &str = "Serving http://";
const POLL: Duration = Duration::from_millis(50);
const SILENCE: Duration = Duration::from_millis(200);
const TALK_LIMIT: Duration = Duration::from_secs(2);

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
    /// Starts it, passes on what it prints, and waits until it serves and has said all about it.
    pub async fn start(mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process::spawn_apart(command, Signal::TERM)?;
        let (printed, mut lines) = unbounded_channel();
        if let Some(output) = child.stdout.take() {
            pass_on(output, std::io::stdout(), printed.clone());
        }
        if let Some(output) = child.stderr.take() {
            pass_on(output, std::io::stderr(), printed);
        }
        wait_until_served(&mut child, &mut lines).await?;
        wait_until_quiet(&mut lines).await;
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

async fn wait_until_served(child: &mut Child, lines: &mut UnboundedReceiver<String>) -> Result<()> {
    while let Some(line) = lines.recv().await {
        if line.contains(SERVING) {
            return Ok(());
        }
    }
    let status = child.wait()?;
    bail!("devhost ended with {status} before it served")
}

/// The list of routes comes after the address.
async fn wait_until_quiet(lines: &mut UnboundedReceiver<String>) {
    let until_silence = async { while let Ok(Some(_)) = timeout(SILENCE, lines.recv()).await {} };
    let _ = timeout(TALK_LIMIT, until_silence).await;
}

/// Prints what comes, line by line, and tells the receiver for as long as there is one.
fn pass_on(
    from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    printed: UnboundedSender<String>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = writeln!(to, "{line}");
            let _ = printed.send(line);
        }
    });
}
