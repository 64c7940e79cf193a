//! A component that is ready to run, and the state that each instance has.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, Error, Result};
use wasmtime::{
    Engine, Store,
    component::{Component, HasData, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    hosts::{AllowedHosts, Destination},
    manifest,
    outgoing_http::OutgoingHttp,
    output::GuestOutput,
    redis_client::RedisClient,
    variables::Variables,
};

/// A compiled and linked component.
pub struct Guest {
    context: Arc<GuestContext>,
    pre: InstancePre<GuestState>,
}

/// What all instances of a component share.
pub struct GuestContext {
    /// The component's id.
    pub id: Arc<str>,
    /// The values of its variables.
    pub variables: BTreeMap<String, String>,
    /// Where it may connect to.
    pub allowed_hosts: AllowedHosts,
    /// What the whole app shares.
    pub services: Arc<Services>,
    environment: Vec<(String, String)>,
}

/// What all components share.
pub struct Services {
    /// Postgres connections per address and event loop.
    pub postgres_pool_size: usize,
    /// Opens Redis connections and logs how that went.
    pub redis: RedisClient,
}

impl GuestContext {
    /// Takes a component's settings from the manifest.
    pub fn new(
        id: &str,
        component: &manifest::Component,
        variables: &Variables,
        services: Arc<Services>,
    ) -> Result<Self> {
        let in_component = || format!("component `{id}`");
        Ok(Self {
            id: id.into(),
            variables: variables
                .expand_all(&component.variables)
                .with_context(in_component)?,
            allowed_hosts: AllowedHosts::parse(&component.allowed_outbound_hosts, variables)
                .with_context(in_component)?,
            services,
            environment: component.environment.clone().into_iter().collect(),
        })
    }

    /// Whether the component may connect to `destination`. Where it may not,
    /// the log tells the entry that would allow it.
    pub fn may_connect(&self, destination: &Destination) -> bool {
        let allowed = self.allowed_hosts.allow(destination);
        if !allowed {
            tracing::warn!(
                component = %self.id,
                "Connection to {destination} refused: to allow it, add \"{destination}\" to \
                 allowed_outbound_hosts of component `{}`",
                self.id
            );
        }
        allowed
    }
}

impl Guest {
    /// Compiles the file at `source`, or takes it from the engine's cache.
    pub fn load(
        engine: &Engine,
        linker: &Linker<GuestState>,
        source: &Path,
        context: GuestContext,
    ) -> Result<Self> {
        let failed = || {
            format!(
                "component `{}`: could not load {}",
                context.id,
                source.display()
            )
        };
        anyhow::ensure!(source.is_file(), "{}: is it built?", failed());
        let component = Component::from_file(engine, source)
            .map_err(Error::from)
            .with_context(failed)?;
        let pre = linker
            .instantiate_pre(&component)
            .map_err(Error::from)
            .with_context(failed)?;
        Ok(Self {
            context: Arc::new(context),
            pre,
        })
    }

    /// The component's id.
    pub fn id(&self) -> &Arc<str> {
        &self.context.id
    }

    /// The component, linked.
    pub fn pre(&self) -> &InstancePre<GuestState> {
        &self.pre
    }

    /// A store for one instance.
    pub fn store(&self) -> Store<GuestState> {
        let mut store = Store::new(self.pre.engine(), GuestState::new(self.context.clone()));
        // A guest in an endless loop must not keep a thread from the others.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

/// Logs why an instance ended that was `serving` some requests or messages.
pub fn log_failure(component: &str, serving: &str, error: &wasmtime::Error) {
    let cause = error.root_cause();
    tracing::error!(component, serving, trace = %error, "Instance failed: {cause}");
}

/// The data of one instance's store.
pub struct GuestState {
    /// The component's settings.
    pub context: Arc<GuestContext>,
    /// The resources that the instance holds: connections, streams, bodies.
    pub table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: OutgoingHttp,
}

impl GuestState {
    fn new(context: Arc<GuestContext>) -> Self {
        let output = GuestOutput::new(context.id.clone());
        Self {
            table: ResourceTable::new(),
            wasi: WasiCtxBuilder::new()
                .envs(&context.environment)
                .stdout(output.clone())
                .stderr(output)
                .build(),
            http: WasiHttpCtx::new(),
            outgoing: OutgoingHttp::new(context.clone()),
            context,
        }
    }
}

/// Tells the bindings that [`GuestState`] implements the Spin interfaces.
pub struct SpinHost;

impl HasData for SpinHost {
    type Data<'a> = &'a mut GuestState;
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outgoing,
        }
    }
}
