//! A compiled and linked component.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Error, Result, ensure};
use wasmtime::{
    Engine, Store,
    component::{Component, InstancePre, Linker},
};

use super::{GuestContext, GuestState};

/// A number of ticks that never pass, and that no tick makes overflow.
const NEVER: u64 = u64::MAX / 2;

/// A compiled and linked component.
pub struct Guest {
    context: Arc<GuestContext>,
    pre: InstancePre<GuestState>,
}

impl Guest {
    /// Compiles the file at `source`, or takes it from the engine's cache.
    pub fn load(
        engine: &Engine,
        linker: &Linker<GuestState>,
        source: &Path,
        context: GuestContext,
    ) -> Result<Self> {
        let (id, file) = (context.id.clone(), source.display());
        ensure!(
            source.is_file(),
            "component `{id}`: {file} does not exist; is it built?"
        );
        let failed = || format!("component `{id}`: could not load {file}");
        let component = Component::from_file(engine, source).map_err(Error::from);
        let pre = linker
            .instantiate_pre(&component.with_context(failed)?)
            .map_err(Error::from);
        Ok(Self {
            context: Arc::new(context),
            pre: pre.with_context(failed)?,
        })
    }

    /// The component's id.
    pub fn id(&self) -> &Arc<str> {
        &self.context.id
    }

    /// The linked component.
    pub fn pre(&self) -> &InstancePre<GuestState> {
        &self.pre
    }

    /// A store for one instance.
    pub fn store(&self) -> Store<GuestState> {
        let mut store = Store::new(self.pre.engine(), GuestState::new(self.context.clone()));
        if self.context.services.deviations.yield_while_computing {
            // A guest in an endless loop must not block its thread: it yields at
            // every tick of the epoch.
            store.set_epoch_deadline(1);
            store.epoch_deadline_async_yield_and_update(1);
        } else {
            store.set_epoch_deadline(NEVER);
        }
        store
    }
}
