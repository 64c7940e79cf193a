//! How the process comes to its end.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What all parts share to end together.
#[derive(Clone, Default)]
pub struct Drain {
    /// Is cancelled when no new work may begin.
    pub begun: CancellationToken,
    /// The instances that live; an answer may have left work behind in them.
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
