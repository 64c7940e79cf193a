//! Instances that serve several requests, one after another and at once.
//!
//! wasmtime's `ProxyHandler` does the work; here are the limits, which are
//! Spin's, and what is logged when an instance fails.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use http::{HeaderValue, Method};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Sleep,
};
use tokio_util::{sync::WaitForCancellationFutureOwned, task::task_tracker::TaskTrackerToken};
use wasmtime::{Store, StoreContextMut, component::GuestTaskId};
use wasmtime_wasi_http::{
    WasiHttpView as _,
    handler::{
        HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration,
        WorkerState, WorkerStatus,
    },
    p2, p3,
};

use crate::{
    guest::{Guest, GuestState, log_failure},
    shutdown::Drain,
    span::Span,
};

/// How long a request waits for its turn. An instance that computes, or opens a
/// connection, accepts nobody meanwhile.
const PATIENCE: Duration = Duration::from_millis(10);

/// How long an instance is used.
#[derive(Clone, Copy, Debug)]
pub struct ReuseLimits {
    /// Requests that an instance serves in all.
    pub requests: Span<u64>,
    /// Requests that an instance serves at once.
    pub concurrent: Span<u64>,
    /// Time until an instance without requests is dropped.
    pub idle: Span<Duration>,
    /// Time for a request, until its instance begins to answer.
    pub request_timeout: Option<Span<Duration>>,
}

/// Serves the requests of one component.
pub type Handler = ProxyHandler<Workers>;

/// Makes instances of one component.
pub struct Workers {
    guest: Arc<Guest>,
    pre: ProxyPre<GuestState>,
    limits: ReuseLimits,
    drain: Drain,
    turn: Arc<Semaphore>,
}

/// A handler for `guest`, whose idle instances go when the drain begins.
pub fn handler(
    guest: Arc<Guest>,
    mut limits: ReuseLimits,
    drain: Drain,
) -> anyhow::Result<Handler> {
    let pre = guest.pre().clone();
    let pre = match p3::bindings::ServicePre::new(pre.clone()) {
        Ok(service) => ProxyPre::P3(service),
        Err(_) => {
            // As in Spin, these get an instance for every request.
            limits.requests = Span::One(1);
            let proxy = p2::bindings::ProxyPre::new(pre)
                .map_err(anyhow::Error::from)
                .context("the component exports no handler for HTTP requests")?;
            ProxyPre::P2(proxy)
        }
    };
    Ok(ProxyHandler::new(Workers {
        guest,
        pre,
        limits,
        drain,
        turn: Arc::new(Semaphore::new(1)),
    }))
}

impl Workers {
    /// The component's id.
    pub fn component(&self) -> &Arc<str> {
        self.guest.id()
    }

    /// Waits for a request's turn to be handed to an instance.
    ///
    /// An instance accepts one request at a time. Of several that come at once,
    /// each would find the instances busy with accepting another, and get an
    /// instance more, with connections of its own. So those that write wait until
    /// the one before has been accepted, and meet in few instances, where they
    /// can write together. Those that read would gain nothing by it.
    pub async fn admit(&self, tag: Arc<RequestTag>, method: &Method) -> Admission {
        let turn = async {
            let turn = self.turn.clone().acquire_owned();
            tokio::time::timeout(PATIENCE, turn).await.ok()?.ok()
        };
        let turn = if method.is_safe() { None } else { turn.await };
        Admission { tag, _turn: turn }
    }
}

/// A request whose turn it is; dropped when an instance has accepted it.
pub struct Admission {
    tag: Arc<RequestTag>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl HandlerState for Workers {
    type StoreData = GuestState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<GuestState, Expiration, Worker>> {
        let mut store = self.guest.store();
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let request_timeout = self.limits.request_timeout.map(|span| span.pick());
        Ok(Instance {
            store,
            proxy,
            view: GuestState::http,
            expiration: Expiration {
                idle: self.limits.idle.pick(),
                request: request_timeout,
                sleep: Box::pin(tokio::time::sleep(Duration::MAX)),
                draining: Box::pin(self.drain.begun.clone().cancelled_owned()),
            },
            state: Worker {
                component: self.guest.id().clone(),
                requests: self.limits.requests.pick(),
                concurrent: self.limits.concurrent.pick(),
                request_timeout,
                served: Mutex::default(),
                _alive: self.drain.instances.token(),
            },
        })
    }
}

/// When an instance is dropped although it could serve more requests.
pub struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let limit = match status {
            WorkerStatus::Idle if self.draining.as_mut().poll(cx).is_ready() => {
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

/// What is known about an instance while it lives.
pub struct Worker {
    component: Arc<str>,
    requests: u64,
    concurrent: u64,
    request_timeout: Option<Duration>,
    served: Mutex<Vec<Arc<RequestTag>>>,
    _alive: TaskTrackerToken,
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
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.retain(|tag| !tag.answered.load(Relaxed));
        served.push(admission.tag);
        match self.request_timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<GuestState>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
            served.retain(|tag| !tag.answered.load(Relaxed));
            let requests: Vec<_> = served.iter().map(|tag| tag.id.to_string()).collect();
            let requests = requests.join(", ");
            log_failure(&self.component, &requests, &error);
        }
        drop(store);
    }
}

/// Tells the log which request it was.
pub struct RequestTag {
    id: RequestId,
    answered: AtomicBool,
}

/// The client's `X-Request-Id`, or a number of our own.
#[derive(Clone)]
pub enum RequestId {
    /// What the client sent.
    Client(HeaderValue),
    /// The how manieth request without an id it was.
    Own(u64),
}

impl RequestTag {
    /// For a request whose `X-Request-Id` is `id`.
    pub fn new(id: Option<&HeaderValue>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let own = || RequestId::Own(NEXT.fetch_add(1, Relaxed));
        let id = id.map_or_else(own, |id| RequestId::Client(id.clone()));
        Self {
            id,
            answered: AtomicBool::new(false),
        }
    }

    /// The request's id.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// Notes that the instance has answered.
    pub fn answered(&self) {
        self.answered.store(true, Relaxed);
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => f.write_str(&String::from_utf8_lossy(id.as_bytes())),
            Self::Own(number) => write!(f, "devhost-{number}"),
        }
    }
}
