//! `up`: everything that it takes to try the service on this machine.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use dev_services::say;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::devhost::{self, Devhost};
use crate::{build, instance, migrate, seed, token};

/// Build and run the service, with Redis, PostgreSQL and a demo conversation.
///
/// Redis and PostgreSQL keep their data in .lexiflow/. Ctrl-C stops all that was started.
#[derive(Args)]
pub struct Arguments {
    /// Where the service listens.
    #[arg(long, default_value = "127.0.0.1:3001", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Who callers are taken for.
    #[arg(long, value_enum, default_value_t = Auth::Open)]
    auth: Auth,
}

/// The values of `auth_mode`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// For whom they say: every caller is believed
    Open,
    /// For whom their token proves: `cargo xtask token` makes one
    Jwt,
}

pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { listen, auth } = arguments;
    let lock = instance::lock()?;
    instance::forget();
    ensure_free(listen)?;
    build::run()?;
    let stores = instance::start(lock).await?;
    migrate::apply(stores.database_url()).await?;
    seed::apply(stores.database_url()).await?;
    let mut stop = StopSignals::listen()?;
    let mut command = devhost::command(&listen.to_string(), &stores)?;
    if auth == Auth::Jwt {
        command
            .env("SPIN_VARIABLE_AUTH_MODE", "jwt")
            .env("SPIN_VARIABLE_JWT_SECRET", token::secret()?);
    }
    let served = serve(command, &what_next(listen, auth), &mut stop).await;
    say("stopping");
    instance::forget();
    stores.stop().await?;
    served.map(exit_code)
}

/// An address that is taken is found out before the build, not after it.
fn ensure_free(listen: SocketAddr) -> Result<()> {
    TcpListener::bind(listen)
        .with_context(|| format!("cannot listen on {listen}: choose another with --listen"))
        .map(drop)
}

async fn serve(
    command: std::process::Command,
    what_next: &str,
    stop: &mut StopSignals,
) -> Result<ExitStatus> {
    let mut devhost = tokio::select! {
        devhost = Devhost::start(command) => devhost?,
        () = stop.recv() => return Ok(ExitStatus::default()),
    };
    eprint!("{what_next}");
    let mut asked = false;
    loop {
        tokio::select! {
            status = devhost.ended() => return status,
            () = stop.recv() => {
                if asked { devhost.kill() } else { devhost.terminate() }
                asked = true;
            }
        }
    }
}

fn what_next(listen: SocketAddr, auth: Auth) -> String {
    let (rule, page, header) = match auth {
        Auth::Open => (
            "auth_mode=open: every caller is believed. That is for
this machine only; a deployed app keeps auth_mode=jwt.",
            ", and in a second window as another user, with /?user=2",
            "",
        ),
        Auth::Jwt => (
            "auth_mode=jwt: every caller needs a token.",
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

Ctrl-C stops it; what was written is kept in .lexiflow/ for the next time.
"
    )
}

/// What asks a program to end.
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

/// devhost's own exit code; as a shell shows it where a signal ended devhost.
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
    fn the_page_is_named() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 3001));
        let page = "Open the page at http://127.0.0.1:3001/ in a browser";
        for auth in [Auth::Open, Auth::Jwt] {
            assert!(what_next(listen, auth).contains(page));
        }
    }
}
