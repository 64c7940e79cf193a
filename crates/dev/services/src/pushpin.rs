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
/// The longest message in JSON, with an escape for every byte but those that content may not have: a
/// longer frame would wait in the proxy until the client sends something.
const CLIENT_BUFFER: usize = 64 * 1024;
const MAX_CONNECTIONS: usize = 50_000;

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
const ZURL: &str = "[General]
instance_id=
in_spec=ipc://{{ rundir }}/{{ ipc_prefix }}zurl-in
in_stream_spec=ipc://{{ rundir }}/{{ ipc_prefix }}zurl-in-stream
out_spec=ipc://{{ rundir }}/{{ ipc_prefix }}zurl-out
in_req_spec=
defpolicy=allow
allow=
deny=
max_open_requests=20000
buffer_size=200000
timeout=60
in_hwm=20000
out_hwm=20000
";

/// The limits of the default configuration drop what a busy service publishes, and its log has a line
/// for each publication.
fn settings(home: &Path, listen: SocketAddr, control: u16, key: &str) -> String {
    let home = home.display();
    format!(
        "[global]
libdir={home}/lib
include={{libdir}}/internal.conf
rundir={home}/run
ipc_prefix=p-
port_offset=0
stats_connection_ttl=120

[runner]
services=condure,zurl,pushpin-proxy,pushpin-handler
http_port={listen}
logdir={home}/log
log_level=1
client_buffer_size={CLIENT_BUFFER}
client_maxconn={MAX_CONNECTIONS}

[proxy]
routesfile={home}/routes
auto_cross_origin=false
accept_x_forwarded_protocol=false
set_x_forwarded_protocol=proto-only
x_forwarded_for=truncate:0,append
accept_pushpin_route=false
sig_iss=pushpin
sig_key={key}
updates_check=off

[handler]
push_in_spec=ipc://{{rundir}}/{{ipc_prefix}}push-in
push_in_sub_specs=ipc://{{rundir}}/{{ipc_prefix}}push-in-sub
push_in_sub_connect=false
push_in_http_addr=127.0.0.1
push_in_http_port={control}
push_in_http_max_headers_size=10000
push_in_http_max_body_size=10000000
stats_spec=ipc://{{rundir}}/{{ipc_prefix}}stats
command_spec=ipc://{{rundir}}/{{ipc_prefix}}command
message_rate=100000
message_hwm=200000
message_wait=5000
id_cache_ttl=60
connection_subscription_max=20
subscription_linger=60
stats_subscription_ttl=60
stats_report_interval=10
stats_format=tnetstring
"
    )
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
}
