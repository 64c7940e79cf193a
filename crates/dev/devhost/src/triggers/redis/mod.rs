//! The Redis trigger: one message at a time, each message in a new instance.
//!
//! Each trigger has a subscription, and a queue, of its own. With `--strict`
//! there is one for each address, as in Spin.
//!
//! # Layout
//!
//! * `subscriber`: receives the messages of some channels
//! * `handler`: calls a component for a message
//! * `backoff`: the pauses between attempts to connect

mod backoff;
mod handler;
mod subscriber;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use anyhow::{Context, Result};

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
    let mut subscribers = BTreeMap::new();
    for (index, trigger) in manifest.triggers.redis.iter().enumerate() {
        let in_trigger = || format!("Redis trigger of `{}`", trigger.component);
        let address = address(trigger, manifest, variables).with_context(in_trigger)?;
        let channel = variables
            .expand(&trigger.channel)
            .with_context(in_trigger)?;
        let handler = MessageHandler::new(guest(&trigger.component)?).with_context(in_trigger)?;
        let is_separate = services.deviations.subscription_per_trigger;
        let subscriber = match subscribers.entry((address, is_separate.then_some(index))) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let subscriber = Subscriber::new(&entry.key().0, services, backoff);
                entry.insert(subscriber.with_context(in_trigger)?)
            }
        };
        subscriber.add(channel, handler);
    }
    Ok(subscribers.into_values().collect())
}

fn address(trigger: &RedisTrigger, manifest: &Manifest, variables: &Variables) -> Result<String> {
    let defaults = manifest.application.trigger.redis.as_ref();
    let default = defaults.map(|defaults| &defaults.address);
    let address = trigger.address.as_ref().or(default);
    let address =
        address.context("it has no address, and neither has [application.trigger.redis]")?;
    variables.expand(address)
}
