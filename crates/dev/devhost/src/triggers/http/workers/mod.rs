//! Instances that serve several requests, one after another and at once.
//!
//! wasmtime's `ProxyHandler` starts them and passes them requests; here are the
//! limits, which are Spin's, and the log lines of instances that fail.
//!
//! # Layout
//!
//! * [`admission`]: when a request is passed to an instance
//! * [`expiration`]: when an instance is dropped
//! * [`worker`]: one instance
//! * [`request_tag`]: the id of a request, for the log

mod admission;
mod expiration;
mod request_tag;
mod worker;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use wasmtime_wasi_http::{
    WasiHttpView as _,
    handler::{HandlerState, Instance, ProxyHandler, ProxyPre},
    p2, p3,
};

pub use self::request_tag::RequestTag;
use self::{admission::WriteQueue, expiration::Expiration, worker::Worker};
use crate::{
    guest::{Guest, GuestState},
    limit::Limit,
    options::Options,
    shutdown::Drain,
};

/// How long an instance is used.
#[derive(Clone, Copy, Debug)]
pub struct ReuseLimits {
    /// Requests that an instance serves in all.
    pub requests: Limit<u64>,
    /// Requests that an instance serves at once.
    pub concurrent: Limit<u64>,
    /// Time until an instance without requests is dropped.
    pub idle: Limit<Duration>,
    /// Time for a request, until its instance starts the response.
    pub request_timeout: Option<Limit<Duration>>,
}

/// Serves the requests of one component.
pub type Handler = ProxyHandler<Workers>;

/// Starts instances of one component.
pub struct Workers {
    guest: Arc<Guest>,
    pre: ProxyPre<GuestState>,
    limits: ReuseLimits,
    drain: Drain,
    writes: Option<WriteQueue>,
}

/// A handler for `guest`, whose idle instances are dropped when the drain starts.
pub fn handler(guest: Arc<Guest>, options: &Options, drain: Drain) -> anyhow::Result<Handler> {
    let pre = proxy_pre(&guest)?;
    let mut limits = options.reuse_limits();
    if matches!(pre, ProxyPre::P2(_)) {
        // As in Spin, these get an instance for every request.
        limits.requests = Limit::Fixed(1);
    }
    Ok(ProxyHandler::new(Workers {
        guest,
        pre,
        limits,
        drain,
        writes: options.deviations().queue_writes.then(WriteQueue::default),
    }))
}

/// The guest's handler of WASI 0.3, else that of WASI 0.2.
fn proxy_pre(guest: &Guest) -> anyhow::Result<ProxyPre<GuestState>> {
    if let Ok(service) = p3::bindings::ServicePre::new(guest.pre().clone()) {
        return Ok(ProxyPre::P3(service));
    }
    let proxy = p2::bindings::ProxyPre::new(guest.pre().clone());
    let proxy = proxy.map_err(anyhow::Error::from);
    let proxy = proxy.context("the component exports no handler for HTTP requests")?;
    Ok(ProxyPre::P2(proxy))
}

impl Workers {
    /// The component's id.
    pub fn component(&self) -> &Arc<str> {
        self.guest.id()
    }
}

impl HandlerState for Workers {
    type StoreData = GuestState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<GuestState, Expiration, Worker>> {
        let mut store = self.guest.store();
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let request_timeout = self.limits.request_timeout.map(Limit::pick);
        Ok(Instance {
            store,
            proxy,
            view: GuestState::http,
            expiration: Expiration::new(self.limits.idle.pick(), request_timeout, &self.drain),
            state: Worker::new(self.guest.id(), self.limits, request_timeout, &self.drain),
        })
    }
}
