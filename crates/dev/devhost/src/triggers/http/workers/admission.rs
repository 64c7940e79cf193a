//! When a request is passed to an instance.
//!
//! An instance accepts one request at a time. Of several requests that arrive
//! together, each would find the instances busy accepting another, and start
//! one more instance, with connections of its own. So a request that writes
//! waits until the previous one has been accepted: they meet in few instances,
//! which can batch their writes. Requests that read would not gain by it.

use std::{sync::Arc, time::Duration};

use http::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{RequestTag, Workers};

/// How long a request waits for the previous one. An instance that computes, or
/// opens a connection, accepts no request until it has finished.
const TIMEOUT: Duration = Duration::from_millis(10);

/// Admits one writing request at a time.
pub struct WriteQueue {
    permits: Arc<Semaphore>,
}

/// A request that may be passed to an instance; dropped when an instance has
/// accepted it.
pub struct Admission {
    /// The request's id.
    pub tag: Arc<RequestTag>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for WriteQueue {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(1)),
        }
    }
}

impl WriteQueue {
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        let permit = self.permits.clone().acquire_owned();
        tokio::time::timeout(TIMEOUT, permit).await.ok()?.ok()
    }
}

impl Workers {
    /// Waits until a request may be passed to an instance.
    pub async fn admit(&self, tag: Arc<RequestTag>, method: &Method) -> Admission {
        let permit = match &self.writes {
            Some(writes) if !method.is_safe() => writes.acquire().await,
            _ => None,
        };
        Admission {
            tag,
            _permit: permit,
        }
    }
}
