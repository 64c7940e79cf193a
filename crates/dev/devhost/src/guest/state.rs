//! The data of one instance.

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{GuestContext, output::GuestOutput};
use crate::interfaces::outgoing_http::OutgoingHttp;

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
    /// The state of a new instance.
    pub fn new(context: Arc<GuestContext>) -> Self {
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

/// Names [`GuestState`] as the implementation of the Spin interfaces.
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
