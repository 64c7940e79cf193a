//! An app of one's own, for tests that change settings, stop stores, or need a second host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;
use dev_services::{address, ports};

use crate::{App, Data, Devhost};

/// Compiled components are kept where `cargo xtask up` has them too.
const CACHE: &str = ".lexiflow/compiled";

enum Choice {
    Shared,
    Own,
    These(Arc<Data>),
}

/// How to start an app; see [`App::builder`].
pub struct Builder {
    stores: Choice,
    variables: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    manifest: PathBuf,
}

impl Default for Builder {
    fn default() -> Self {
        let auth_mode = ("auth_mode".into(), "open".into());
        Self {
            stores: Choice::Shared,
            variables: vec![auth_mode],
            environment: vec![],
            arguments: vec![],
            manifest: crate::workspace_root().join("spin.toml"),
        }
    }
}

impl Builder {
    /// Sets a variable of spin.toml, over what the tests usually set.
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.push((name.into(), value.to_string()));
        self
    }

    /// Sets an environment variable of devhost.
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.into(), value.to_string()));
        self
    }

    /// Adds an argument for devhost.
    pub fn arg(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// Runs another manifest than the repository's spin.toml; its path starts at the repository's
    /// folder.
    pub fn manifest(mut self, path: impl AsRef<Path>) -> Self {
        self.manifest = crate::workspace_root().join(path);
        self
    }

    /// Private stores, for this app alone: it may stop them.
    pub fn own_stores(mut self) -> Self {
        self.stores = Choice::Own;
        self
    }

    /// The stores of another app: a second replica.
    pub fn same_stores_as(mut self, app: &App) -> Self {
        self.stores = Choice::These(Arc::clone(app.data()));
        self
    }

    /// Starts it, and waits until it serves.
    ///
    /// # Panics
    ///
    /// When it cannot be started; the message says what to do.
    pub async fn spawn(self) -> App {
        self.try_spawn()
            .await
            .unwrap_or_else(|error| panic!("cannot start the app: {error:#}"))
    }

    /// As [`spawn`](Self::spawn), for tests in which it may fail to start.
    pub async fn try_spawn(self) -> Result<App> {
        let app = self.prepare().await?;
        app.devhost().start().await?;
        Ok(app)
    }

    /// Everything but the start of devhost.
    pub async fn prepare(self) -> Result<App> {
        let data = match &self.stores {
            Choice::Shared => Data::shared().await?,
            Choice::Own => Data::own().await?,
            Choice::These(data) => Arc::clone(data),
        };
        let listen = format!("127.0.0.1:{}", ports::free()?);
        let devhost = self.devhost(&listen, &data)?;
        App::new(devhost, data, &listen)
    }

    fn devhost(self, listen: &str, data: &Data) -> Result<Devhost> {
        let stores = [
            ("redis_url", data.redis_url().to_string()),
            ("redis_host", address::host_and_port(data.redis_url())?),
            ("database_url", data.database_url().to_string()),
            (
                "database_host",
                address::host_and_port(data.database_url())?,
            ),
        ];
        let stores = stores.map(|(name, value)| (name.to_string(), value));
        let variables: Vec<(String, String)> = stores.into_iter().chain(self.variables).collect();
        let (program, folder) = (Devhost::binary()?, crate::workspace_root());
        let (listen, manifest) = (listen.to_string(), self.manifest);
        Ok(Devhost::new(move || {
            let mut command = Command::new(&program);
            command
                .current_dir(folder)
                .args(["--listen", &listen])
                .args(&self.arguments);
            command
                .arg("--from")
                .arg(&manifest)
                .arg("--cache-dir")
                .arg(folder.join(CACHE));
            for (name, value) in &variables {
                command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
            }
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            command
        }))
    }
}
