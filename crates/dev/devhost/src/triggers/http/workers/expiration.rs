//! When an instance is dropped although it could serve more requests.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use wasmtime_wasi_http::handler::{WorkerExpiration, WorkerStatus};

use crate::shutdown::Drain;

/// The time limits of one instance.
pub struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
    drain_started: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Expiration {
    /// Limits for an idle instance, and for one that serves requests.
    pub fn new(idle: Duration, request: Option<Duration>, drain: &Drain) -> Self {
        Self {
            idle,
            request,
            sleep: Box::pin(tokio::time::sleep(Duration::MAX)),
            drain_started: Box::pin(drain.started.clone().cancelled_owned()),
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let limit = match status {
            WorkerStatus::Idle if self.drain_started.as_mut().poll(cx).is_ready() => {
                return Poll::Ready(());
            }
            WorkerStatus::Idle => Some(self.idle),
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request,
        };
        let Some(deadline) = limit.and_then(|limit| since.checked_add(limit)) else {
            return Poll::Pending;
        };
        if self.sleep.deadline() != deadline.into() {
            self.sleep.as_mut().reset(deadline.into());
        }
        self.sleep.as_mut().poll(cx)
    }
}
