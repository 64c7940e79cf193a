//! Calls a component for a message.

use std::sync::Arc;

use anyhow::{Context, Result};
use wasmtime::component::Accessor;

use crate::{
    bindings::{AppPre, spin::redis::redis::Error},
    guest::{Guest, GuestState, log_failure},
};

/// A component that handles messages.
pub struct MessageHandler {
    guest: Arc<Guest>,
    pre: AppPre<GuestState>,
}

impl MessageHandler {
    /// An error if the component exports no handler.
    pub fn new(guest: Arc<Guest>) -> Result<Self> {
        let pre = AppPre::new(guest.pre().clone()).map_err(anyhow::Error::from);
        let pre = pre.context("the component exports no handler for Redis messages")?;
        Ok(Self { guest, pre })
    }

    /// The component's id.
    pub fn component(&self) -> &Arc<str> {
        self.guest.id()
    }

    /// Calls the component in a new instance, and logs its error.
    pub async fn handle(&self, channel: &str, payload: &[u8]) {
        match self.call(payload.to_vec()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(
                component = %self.component(),
                channel,
                "Redis message failed: {error:?}"
            ),
            Err(error) => log_failure(self.component(), channel, &error),
        }
    }

    async fn call(&self, payload: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        let mut store = self.guest.store();
        let instance = self.pre.instantiate_async(&mut store).await?;
        let handler = instance.spin_redis_inbound_redis();
        let call = async |accessor: &Accessor<GuestState>| {
            handler.call_handle_message(accessor, payload).await
        };
        store.run_concurrent(call).await?
    }
}
