//! One instance: how many requests it accepts, and which it has not answered.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::{Store, StoreContextMut, component::GuestTaskId};
use wasmtime_wasi_http::handler::{ShouldAccept, WorkerState};

use super::{ReuseLimits, admission::Admission, request_tag::RequestTag};
use crate::{
    guest::{GuestState, log_failure},
    shutdown::Drain,
};

/// The state of a live instance.
pub struct Worker {
    component: Arc<str>,
    requests: u64,
    concurrent: u64,
    request_timeout: Option<Duration>,
    accepted: Mutex<Vec<Arc<RequestTag>>>,
    _alive: TaskTrackerToken,
}

impl Worker {
    /// The state of a new instance.
    pub fn new(
        component: &Arc<str>,
        limits: ReuseLimits,
        request_timeout: Option<Duration>,
        drain: &Drain,
    ) -> Self {
        Self {
            component: component.clone(),
            requests: limits.requests.pick(),
            concurrent: limits.concurrent.pick(),
            request_timeout,
            accepted: Mutex::default(),
            _alive: drain.instances.token(),
        }
    }

    /// The accepted requests that have no response yet.
    fn unanswered(&self) -> MutexGuard<'_, Vec<Arc<RequestTag>>> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.retain(|tag| !tag.is_answered());
        accepted
    }
}

impl WorkerState for Worker {
    type StoreData = GuestState;
    type RequestData = Admission;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total as u64 >= self.requests {
            ShouldAccept::Never
        } else if concurrent as u64 >= self.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, GuestState>,
        admission: Admission,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        self.unanswered().push(admission.tag);
        match self.request_timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<GuestState>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            let requests = self.unanswered();
            let ids: Vec<_> = requests.iter().map(|tag| tag.id().to_string()).collect();
            log_failure(&self.component, &ids.join(", "), &error);
        }
        drop(store);
    }
}
