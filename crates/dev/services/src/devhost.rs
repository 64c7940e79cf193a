//! devhost, which runs an app of Spin components.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;

use crate::address::host_and_port;
use crate::server_process::ServerProcess;

/// The first start compiles the components to machine code.
const START_TIMEOUT: Duration = Duration::from_secs(180);
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Spin hosts answer this path themselves, once they accept connections.
const HEALTH: &str = "/.well-known/spin/health";

/// How to run devhost.
#[derive(Clone, Debug)]
pub struct Devhost {
    /// The repository, which is also the working directory.
    root: PathBuf,
    /// The manifest of the app.
    pub manifest: PathBuf,
    /// The directory of compiled components; devhost has a default.
    pub cache: Option<PathBuf>,
    /// Where it listens, as `host:port`.
    pub listen: String,
    /// Variables of the app. Of two with the same name the last counts.
    pub variables: Vec<(String, String)>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// More arguments.
    pub arguments: Vec<String>,
}

impl Devhost {
    /// The app of this repository with these stores and `auth_mode=open`.
    ///
    /// # Errors
    ///
    /// When devhost was not built or one of the URLs is invalid.
    pub fn new(
        root: &Path,
        listen: impl Into<String>,
        redis_url: &str,
        database_url: &str,
    ) -> Result<Self> {
        let binary = binary(root);
        ensure!(
            binary.exists(),
            "{} is missing: run `cargo xtask build` first",
            binary.display()
        );
        let variables = [
            ("redis_url", redis_url.into()),
            ("redis_host", host_and_port(redis_url)?),
            ("database_url", database_url.into()),
            ("database_host", host_and_port(database_url)?),
            ("auth_mode", "open".into()),
        ];
        Ok(Self {
            root: root.into(),
            manifest: root.join("spin.toml"),
            cache: None,
            listen: listen.into(),
            variables: variables.map(|(name, value)| (name.into(), value)).into(),
            environment: vec![],
            arguments: vec![],
        })
    }

    /// Sets a variable of the app.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Its process, which is ready once it answers HTTP.
    pub fn into_process(self) -> ServerProcess {
        let health = format!("http://{}{HEALTH}", self.listen);
        let client = Client::new();
        let probe = move || {
            let request = client.get(&health).timeout(PROBE_TIMEOUT);
            async move {
                request.send().await?.error_for_status()?;
                Ok(())
            }
        };
        ServerProcess::new("devhost", move || self.command(), probe).start_timeout(START_TIMEOUT)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary(&self.root));
        command.current_dir(&self.root);
        command.arg("--from").arg(&self.manifest);
        command.args(["--listen", &self.listen]);
        if let Some(cache) = &self.cache {
            command.arg("--cache-dir").arg(cache);
        }
        command.args(&self.arguments);
        for (name, value) in &self.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The build of the profile `host`.
fn binary(root: &Path) -> PathBuf {
    root.join("target/host/devhost")
}
