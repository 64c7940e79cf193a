//! The Redis trigger: one subscription per trigger, one message at a time, each
//! message in a new instance.
//!
//! # Layout
//!
//! * [`subscriber`]: receives the messages of a channel
//! * [`handler`]: calls a component for a message
//! * [`backoff`]: the pauses between attempts to connect

mod backoff;
mod handler;
mod subscriber;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

pub use self::subscriber::Subscriber;
use self::{backoff::Backoff, handler::MessageHandler};
use crate::{
    config::{
        identifier::ComponentId,
        manifest::{Manifest, trigger::RedisTrigger},
        variables::Variables,
    },
    guest::{Guest, Services},
};

/// Subscribers for all Redis triggers of the manifest, not yet connected;
/// `guest` finds a component by its id.
pub fn subscribers(
    manifest: &Manifest,
    variables: &Variables,
    services: &Arc<Services>,
    guest: impl Fn(&ComponentId) -> Result<Arc<Guest>>,
) -> Result<Vec<Subscriber>> {
    let backoff = Backoff::from_variables(variables)?;
    let defaults = manifest.application.trigger.redis.as_ref();
    let default_address = defaults.map(|defaults| defaults.address.as_str());
    let build = |trigger: &RedisTrigger| -> Result<Subscriber> {
        let address = address(trigger, default_address, variables)?;
        let client = services.redis.parse(&address);
        Ok(Subscriber {
            services: services.clone(),
            client: client.map_err(|_| anyhow!("its address is not a Redis URL"))?,
            address,
            channel: variables.expand(&trigger.channel)?,
            handler: MessageHandler::new(guest(&trigger.component)?)?,
            backoff,
        })
    };
    let named = |trigger: &RedisTrigger| {
        build(trigger).with_context(|| format!("Redis trigger of `{}`", trigger.component))
    };
    manifest.triggers.redis.iter().map(named).collect()
}

fn address(trigger: &RedisTrigger, default: Option<&str>, variables: &Variables) -> Result<String> {
    let address = trigger.address.as_deref().or(default);
    let address =
        address.context("it has no address, and neither has [application.trigger.redis]")?;
    variables.expand(address)
}
