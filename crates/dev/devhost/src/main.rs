//! The `devhost` command; see the library.

use std::{
    env,
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::Parser as _;
use devhost::options::Options;
use mimalloc::MiMalloc;
use tokio::runtime::{self, Runtime};
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// The engine makes many small allocations, for every call between host and guest.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a backtrace: the causes name the file and the key.
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> anyhow::Result<()> {
    log(&options)?;
    let runtime = runtime(&options)?;
    let result = runtime.block_on(devhost::run(options));
    // A guest that computes must not delay the end.
    runtime.shutdown_background();
    result
}

/// The runtime of the Redis triggers and of what accepts connections.
fn runtime(options: &Options) -> io::Result<Runtime> {
    let mut builder = if options.strict {
        // There a guest that computes keeps its thread.
        runtime::Builder::new_multi_thread()
    } else {
        runtime::Builder::new_current_thread()
    };
    builder.enable_all().build()
}

fn log(options: &Options) -> anyhow::Result<()> {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    tracing_subscriber::registry()
        .with(log_filter(options.quiet)?)
        .with(lines)
        .init();
    Ok(())
}

/// The levels that `RUST_LOG` sets, such as `info,devhost=debug`.
fn log_filter(quiet: bool) -> anyhow::Result<Targets> {
    let default = if quiet { "warn" } else { "info" };
    let levels = env::var("RUST_LOG").unwrap_or_else(|_| default.to_owned());
    Ok(levels.parse()?)
}
