//! An app for one test, which changes settings, stops stores, or needs a second host.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use dev_services::process::Signal;
use dev_services::{Devhost, Pushpin, ServerProcess, ports, progress};

use crate::{App, Data};

/// The cache of compiled components that `cargo xtask up` uses too.
const CACHE: &str = ".lexiflow/compiled";
/// With this environment variable set, the log file of every devhost is named.
const SHOW_LOGS: &str = "TESTKIT_LOG";
/// With this environment variable set, every devhost does only what Spin does.
const STRICT: &str = "TESTKIT_STRICT";
/// With this environment variable set, every devhost seals contents.
const SEALED: &str = "TESTKIT_SEALED";
/// The keys with which they do: 32 bytes, in the form of the variable `content_keys`.
pub const CONTENT_KEYS: &str =
    r#"[{"id":"test","key":"dGhlIGtleSBvZiBhbGwgdGVzdHMsIGluIGZ1bGwuLi4="}]"#;

/// Whether devhosts seal contents unless a test says otherwise.
pub fn is_sealed() -> bool {
    std::env::var_os(SEALED).is_some()
}

enum StoresChoice {
    Shared,
    Own,
    Existing(Arc<Data>),
}

/// How to start an app; see [`App::builder`].
pub struct Builder {
    stores: StoresChoice,
    variables: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    manifest: PathBuf,
    gateway: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            stores: StoresChoice::Shared,
            variables: match is_sealed() {
                true => vec![("content_keys".into(), CONTENT_KEYS.into())],
                false => vec![],
            },
            environment: vec![],
            arguments: match std::env::var_os(STRICT) {
                Some(_) => vec!["--strict".into()],
                None => vec![],
            },
            manifest: crate::workspace_root().join("spin.toml"),
            gateway: false,
        }
    }
}

impl Builder {
    /// Sets a variable of spin.toml.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.push((name.into(), value.to_string()));
        self
    }

    /// Sets an environment variable of devhost.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.into(), value.to_string()));
        self
    }

    /// Adds an argument of devhost.
    #[must_use]
    pub fn arg(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// Runs another manifest than the repository's spin.toml; its path is relative to the
    /// repository.
    #[must_use]
    pub fn manifest(mut self, path: impl AsRef<Path>) -> Self {
        self.manifest = crate::workspace_root().join(path);
        self
    }

    /// A Pushpin in front of it, for sockets.
    #[must_use]
    pub fn gateway(mut self) -> Self {
        self.gateway = true;
        self
    }

    /// Private stores for this app alone, which the test may stop.
    #[must_use]
    pub fn own_stores(mut self) -> Self {
        self.stores = StoresChoice::Own;
        self
    }

    /// The stores of another app: this becomes a second replica.
    #[must_use]
    pub fn same_stores_as(mut self, app: &App) -> Self {
        self.stores = StoresChoice::Existing(Arc::clone(app.data()));
        self
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn spawn(self) -> App {
        self.try_spawn()
            .await
            .unwrap_or_else(|error| panic!("cannot start the app: {error:#}"))
    }

    /// As [`spawn`](Self::spawn), for tests in which the start may fail.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn try_spawn(self) -> Result<App> {
        let app = self.prepare().await?;
        // First the proxy: nothing is published for a while to one that did not answer.
        if let Some(gateway) = app.gateway_if_any() {
            gateway.server().start().await?;
        }
        app.devhost().start().await?;
        Ok(app)
    }

    /// Does everything but start devhost.
    ///
    /// # Errors
    ///
    /// When the stores cannot be started or devhost was not built.
    pub async fn prepare(mut self) -> Result<App> {
        let data = match &self.stores {
            StoresChoice::Shared => Data::shared().await?,
            StoresChoice::Own => Data::own().await?,
            StoresChoice::Existing(data) => Arc::clone(data),
        };
        let port = ports::free()?;
        let gateway = self.gateway.then(|| pushpin(port)).transpose()?;
        if let Some(gateway) = &gateway {
            let variables = gateway.variables();
            let variables = variables.map(|(name, value)| (name.to_owned(), value));
            // What the test sets counts.
            self.variables.splice(0..0, variables);
        }
        let devhost = self.devhost(port, &data)?;
        App::new(devhost, data, port, gateway)
    }

    fn devhost(self, port: u16, data: &Data) -> Result<ServerProcess> {
        let (redis, database) = (data.redis_url(), data.database_url());
        let listen = format!("127.0.0.1:{port}");
        let mut devhost = Devhost::new(crate::workspace_root(), listen, redis, database)?;
        devhost.manifest = self.manifest;
        devhost.cache = Some(crate::workspace_root().join(CACHE));
        devhost.variables.extend(self.variables);
        devhost.environment = self.environment;
        devhost.arguments = self.arguments;
        let log = data.home().join(format!("devhost-{port}.log"));
        if std::env::var_os(SHOW_LOGS).is_some() {
            progress(format_args!("devhost logs to {}", log.display()));
        }
        let process = devhost.into_process();
        Ok(process.log_to(log).stop_signal(Signal::KILL))
    }
}

/// A Pushpin in front of the host on a port.
fn pushpin(host: u16) -> Result<Pushpin> {
    dev_services::pushpin::install_missing()?;
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Pushpin::new(local(ports::free()?), local(host), &Pushpin::random_key())
}
