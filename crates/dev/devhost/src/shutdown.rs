//! The end of the process: which signals ask for it, and what it waits for.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The state of a graceful shutdown, shared by all parts of the process.
#[derive(Clone, Default)]
pub struct Drain {
    /// Cancelled when no new work may start.
    pub started: CancellationToken,
    /// The live instances; a response may have left work behind in them.
    pub instances: TaskTracker,
}

/// Waits for SIGTERM or SIGINT.
pub async fn requested() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
