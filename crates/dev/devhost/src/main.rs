//! The `devhost` command; see the library.

use std::{env, io, io::IsTerminal as _};

use clap::Parser as _;
use devhost::options::Options;
use mimalloc::MiMalloc;
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// The engine makes many small allocations, for every call between host and guest.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    tracing_subscriber::registry()
        .with(log_filter(options.quiet)?)
        .with(lines)
        .init();
    devhost::run(options).await
}

/// The levels that `RUST_LOG` sets, such as `info,devhost=debug`.
fn log_filter(quiet: bool) -> anyhow::Result<Targets> {
    let default = if quiet { "warn" } else { "info" };
    let levels = env::var("RUST_LOG").unwrap_or_else(|_| default.to_owned());
    Ok(levels.parse()?)
}
