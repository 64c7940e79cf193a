//! The `devhost` command; see the library.

use std::io::IsTerminal as _;

use clap::Parser as _;
use devhost::options::Options;
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

/// The engine allocates a lot and in small pieces, for every call between host and guest.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[allow(unsafe_code, reason = "the standard library has no safe set_var")]
fn main() -> anyhow::Result<()> {
    // The engine makes an error whenever an instance ends. With a backtrace in
    // each, a third of the time goes there; panics keep theirs.
    if std::env::var_os("RUST_LIB_BACKTRACE").is_none() {
        // SAFETY: there is no other thread yet.
        unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") };
    }
    serve()
}

#[tokio::main(flavor = "current_thread")]
async fn serve() -> anyhow::Result<()> {
    let options = Options::parse();
    let level = if options.quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    devhost::run(options).await
}
