//! A private Pushpin: the GRIP proxy that holds sockets for the service.
//!
//! Pushpin is four programs that talk through sockets in a directory. The packages' own services are
//! not used: their zurl refuses addresses of this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::Signal;
use crate::server_process::ServerProcess;
use crate::{TemporaryDirectory, apt, ports, secret};

const PROGRAM: &str = "pushpin";
/// Debian's, from which the names of the programs' sockets are taken.
const INTERNAL: &str = "/usr/lib/pushpin/internal.conf";
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A Pushpin in front of a host.
pub struct Pushpin {
    server: ServerProcess,
    listen: SocketAddr,
    control: String,
    key: String,
    // The last field: the programs have ended when it is removed. Its path is short, as the names of
    // sockets have to be.
    _home: TemporaryDirectory,
}

/// Whether this machine has the programs.
pub fn is_installed() -> bool {
    [PROGRAM, "condure", "zurl"]
        .iter()
        .all(|program| apt::program(program).is_some())
}

/// Installs the programs if the machine lacks them.
///
/// # Errors
///
/// Names the packages that could not be installed.
pub fn install_missing() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    apt::install(
        &["pushpin", "zurl", "condure"],
        "a private Pushpin (the packages' own services are not used)",
    )
}

impl Pushpin {
    /// A Pushpin that listens on an address, with a host behind it. It is not started.
    ///
    /// # Errors
    ///
    /// When its files cannot be written, or the key is none.
    pub fn new(listen: SocketAddr, host: SocketAddr, key: &str) -> Result<Self> {
        ensure!(
            key.len() >= 32 && key.chars().all(|c| c.is_ascii_alphanumeric()),
            "the key of the proxy has to have 32 or more letters and digits"
        );
        let home = TemporaryDirectory::create()?;
        let control = ports::free()?;
        write(home.path(), listen, host, control, key)?;
        Ok(Self {
            server: server(home.path(), listen, control),
            listen,
            control: format!("http://127.0.0.1:{control}"),
            key: key.to_owned(),
            _home: home,
        })
    }

    /// A new key for [`new`](Self::new).
    pub fn random_key() -> String {
        secret::random()
    }

    /// Where clients reach it.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The key with which it signs.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The variables with which the service uses it.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("grip_url", self.control.clone()),
            ("grip_host", self.control.replace("http://", "")),
            ("grip_key", self.key.clone()),
        ]
    }

    /// Its process.
    pub fn server(&self) -> &ServerProcess {
        &self.server
    }

    /// Kills all of its programs, as a crash would.
    ///
    /// # Errors
    ///
    /// When they cannot be waited for.
    pub async fn crash(&self) -> Result<()> {
        self.server.kill_tree().await
    }
}

fn server(home: &Path, listen: SocketAddr, control: u16) -> ServerProcess {
    let configuration = home.join("pushpin.conf");
    let command = move || {
        let mut command = Command::new(apt::program(PROGRAM).unwrap_or_else(|| PROGRAM.into()));
        command.arg("--config").arg(&configuration);
        command.arg("--merge-output");
        command
    };
    let probe = move || probe(listen, control);
    ServerProcess::new("Pushpin", command, probe)
        .log_to(home.join("pushpin.log"))
        .stop_signal(Signal::TERM)
}

/// Succeeds once clients and publishers are served. Without a host the proxy answers with 502.
async fn probe(listen: SocketAddr, control: u16) -> Result<()> {
    let client = reqwest::Client::new();
    let control = format!("http://127.0.0.1:{control}/");
    for url in [format!("http://{listen}/.well-known/spin/health"), control] {
        let request = client.get(&url).timeout(PROBE_TIMEOUT).send();
        request
            .await
            .with_context(|| format!("no answer of {url}"))?;
    }
    Ok(())
}

fn write(home: &Path, listen: SocketAddr, host: SocketAddr, control: u16, key: &str) -> Result<()> {
    let run = home.join("run");
    for directory in [&run, &home.join("lib/runner"), &home.join("log")] {
        std::fs::create_dir_all(directory)?;
    }
    let internal = std::fs::read_to_string(INTERNAL)
        .with_context(|| format!("cannot read {INTERNAL} of the package pushpin"))?;
    let own = internal.replace("ipc:///var/run/zurl/", "ipc://{rundir}/{ipc_prefix}");
    let file = |name: &str| -> PathBuf { home.join(name) };
    std::fs::write(file("lib/internal.conf"), own)?;
    std::fs::write(file("lib/runner/zurl.conf.template"), ZURL)?;
    std::fs::write(file("routes"), format!("* {host},over_http\n"))?;
    let settings = settings(home, listen, control, key);
    secret::write_private(&file("pushpin.conf"), &settings)
}

/// The proxy's own client. It may call addresses of this machine.
const ZURL: &str = include_str!("../../../../deploy/pushpin/zurl.conf");
/// The settings of deployments.
const SETTINGS: &str = include_str!("../../../../deploy/pushpin/pushpin.conf");

fn settings(home: &Path, listen: SocketAddr, control: u16, key: &str) -> String {
    let home = home.display().to_string();
    let values = [
        ("@HOME@", &*home),
        ("@LISTEN@", &listen.to_string()),
        ("@FORWARDED_FOR@", "truncate:0,append"),
        ("@KEY@", key),
        ("@CONTROL_ADDRESS@", "127.0.0.1"),
        ("@CONTROL_PORT@", &control.to_string()),
    ];
    let put = |text: String, (name, value): (&str, &str)| text.replace(name, value);
    values.into_iter().fold(SETTINGS.to_owned(), put)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_key_of_the_package_is_refused() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let refused = Pushpin::new(address, address, "changeme");
        assert!(refused.err().unwrap().to_string().contains("32"));
    }

    /// The files that the script of `deploy/` writes, and its exit.
    fn start(home: &Path, key: &str) -> (bool, Vec<Option<String>>) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/pushpin/start.sh");
        let status = Command::new("sh")
            .arg(script)
            .env("GRIP_KEY", key)
            .env("PUSHPIN_TARGET", "127.0.0.1:3000")
            .env("PUSHPIN_LISTEN", "127.0.0.1:7999")
            .env("PUSHPIN_CONTROL", "127.0.0.1:5561")
            .env("PUSHPIN_HOME", home)
            .env("PUSHPIN", "true")
            .status();
        (status.unwrap().success(), files(home))
    }

    fn files(home: &Path) -> Vec<Option<String>> {
        let names = [
            "pushpin.conf",
            "routes",
            "lib/internal.conf",
            "lib/runner/zurl.conf.template",
        ];
        let read = |name: &str| std::fs::read_to_string(home.join(name)).ok();
        names.into_iter().map(read).collect()
    }

    #[test]
    fn deployments_run_with_the_settings_that_tests_run_with() {
        if !is_installed() {
            return;
        }
        let key = Pushpin::random_key();
        let home = TemporaryDirectory::create().unwrap();
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        write(home.path(), local(7999), local(3000), 5561, &key).unwrap();
        let expected = files(home.path());
        assert!(expected.iter().flatten().all(|text| !text.contains('@')));
        assert_eq!(start(home.path(), &key), (true, expected));
        let empty = TemporaryDirectory::create().unwrap();
        for key in ["", "changeme", &format!("{key}|;")] {
            assert_eq!(start(empty.path(), key), (false, vec![None; 4]));
        }
    }
}
