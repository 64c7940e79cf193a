//! `up`: the service with its stores, for development.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use dev_services::process::Signal as ProcessSignal;
use dev_services::{Devhost, Pushpin, ServerProcess, Stores, ports, progress};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{build, content_keys, instance, migrate, seed, token, workspace};

/// Build and run the service, with Redis, PostgreSQL and a demo conversation.
///
/// With --gateway also with Pushpin, through which the page uses a WebSocket.
///
/// Redis and PostgreSQL keep their data in .lexiflow/. Ctrl-C stops everything that was started.
#[derive(Args)]
pub struct Arguments {
    /// Address that the service listens on.
    #[arg(long, default_value = "127.0.0.1:3001", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// How callers are authenticated.
    #[arg(long, value_enum, default_value_t = Auth::Open)]
    auth: Auth,
    /// Put Pushpin in front, which holds WebSockets and listens on the address.
    #[arg(long)]
    gateway: bool,
    /// Seal contents and titles, by a key that is kept in .lexiflow/content-keys.
    #[arg(long)]
    sealed: bool,
}

/// The values of `auth_mode`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Not at all: the ids in a request name the caller
    Open,
    /// By an access token: `cargo xtask token` prints one
    Jwt,
}

pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments {
        listen,
        auth,
        gateway,
        sealed,
    } = arguments;
    let lock = instance::lock()?;
    instance::remove_urls();
    ensure_free(listen)?;
    build::run()?;
    let gateway = gateway.then(|| front(listen)).transpose()?;
    let stores = instance::start(lock).await?;
    migrate::apply(stores.database_url()).await?;
    seed::apply(stores.database_url()).await?;
    let mut stop = StopSignals::listen()?;
    let mut devhost = devhost(listen, auth, &stores, gateway.as_ref())?;
    if sealed {
        devhost = devhost.variable("content_keys", content_keys::load_or_create()?);
    }
    let devhost = devhost.into_process();
    let front = gateway.as_ref().map(|(pushpin, _)| pushpin.server());
    let status = serve(&devhost, front, &instructions(listen, auth), &mut stop).await;
    progress("stopping");
    if let Some(front) = front {
        front.stop().await?;
    }
    instance::remove_urls();
    stores.stop().await?;
    status.map(exit_code)
}

/// Reports an address in use before the build, which takes minutes.
fn ensure_free(listen: SocketAddr) -> Result<()> {
    TcpListener::bind(listen)
        .with_context(|| format!("cannot listen on {listen}: choose another with --listen"))
        .map(drop)
}

/// A Pushpin that listens where the service is to be reached, and the address of the host behind it.
fn front(listen: SocketAddr) -> Result<(Pushpin, SocketAddr)> {
    dev_services::pushpin::install_missing()?;
    let host = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
    let pushpin = Pushpin::new(listen, host, &Pushpin::random_key())?;
    Ok((pushpin, host))
}

fn devhost(
    listen: SocketAddr,
    auth: Auth,
    stores: &Stores,
    gateway: Option<&(Pushpin, SocketAddr)>,
) -> Result<Devhost> {
    let (redis, database) = (stores.redis_url(), stores.database_url());
    let listen = gateway.map_or(listen, |(_, host)| *host).to_string();
    let mut devhost = Devhost::new(workspace::root(), listen, redis, database)?;
    if let Some((pushpin, _)) = gateway {
        devhost.variables.extend(
            pushpin
                .variables()
                .map(|(name, value)| (name.into(), value)),
        );
    }
    if auth == Auth::Jwt {
        devhost = devhost
            .variable("auth_mode", "jwt")
            .variable("jwt_secret", token::secret()?);
    }
    Ok(devhost)
}

/// Runs devhost until it exits. The first signal requests a shutdown, the second kills it.
async fn serve(
    devhost: &ServerProcess,
    front: Option<&ServerProcess>,
    instructions: &str,
    stop: &mut StopSignals,
) -> Result<ExitStatus> {
    tokio::select! {
        started = start(devhost, front) => started?,
        () = stop.recv() => return Ok(ExitStatus::default()),
    }
    eprint!("{instructions}");
    let mut signals = [ProcessSignal::TERM, ProcessSignal::KILL].into_iter();
    loop {
        tokio::select! {
            status = devhost.wait() => return status,
            () = stop.recv() => devhost.signal(signals.next().unwrap_or(ProcessSignal::KILL)),
        }
    }
}

async fn start(devhost: &ServerProcess, front: Option<&ServerProcess>) -> Result<()> {
    devhost.start().await?;
    match front {
        Some(front) => front.start().await,
        None => Ok(()),
    }
}

fn instructions(listen: SocketAddr, auth: Auth) -> String {
    let (rule, page, header) = match auth {
        Auth::Open => (
            "auth_mode=open: callers are not authenticated. This is for
development only; a deployed app keeps auth_mode=jwt.",
            ", and in a second window as another user, with /?user=2",
            "",
        ),
        Auth::Jwt => (
            "auth_mode=jwt: every caller needs an access token.",
            "; it asks for a token",
            " \\\n    -H \"Authorization: Bearer $(cargo xtask token --user 1)\"",
        ),
    };
    format!(
        "
The service is at http://{listen}, with {rule}

Open the page at http://{listen}/ in a browser{page}.

Or try, in another terminal:

  curl -X POST http://{listen}/api/v1/messages -H 'Content-Type: application/json'{header} \\
    -d '{{\"conversationId\": 1, \"senderId\": 1, \"content\": \"Hello\"}}'
  curl 'http://{listen}/api/v1/messages?conversationId=1'{header}
  eval \"$(cargo xtask env)\" && redis-cli -u \"$REDIS_URL\" monitor

Ctrl-C stops it. The data stays in .lexiflow/ for the next start.
"
    )
}

/// The signals that request a shutdown.
struct StopSignals([Signal; 3]);

impl StopSignals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn recv(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// devhost's exit code; if a signal ended devhost, the code that a shell reports for it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_name_the_page() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 3001));
        let page = "Open the page at http://127.0.0.1:3001/ in a browser";
        for auth in [Auth::Open, Auth::Jwt] {
            assert!(instructions(listen, auth).contains(page));
        }
    }
}
