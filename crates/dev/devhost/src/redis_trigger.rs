//! Redis triggers: one subscription each, one message at a time, each message
//! in a fresh instance.
//!
//! Spin ends when Redis disconnects and leaves the restart to a supervisor;
//! devhost reconnects by itself. The delay grows up to a ceiling in the first
//! attempts (`redis_retry_attempts`), and stays there: it never gives up.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use futures::StreamExt as _;
use redis::{Client, aio::PubSub};
use tokio_util::sync::CancellationToken;
use wasmtime::component::Accessor;

use crate::{
    bindings::{AppPre, spin::redis::redis::Error},
    guest::{Guest, GuestState, Services, log_failure},
    manifest::{self, Manifest},
    variables::Variables,
};

/// The first delay; every further attempt doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// A component that is called for every message of one channel.
pub struct RedisTrigger {
    guest: Arc<Guest>,
    handler: AppPre<GuestState>,
    services: Arc<Services>,
    client: Client,
    address: String,
    channel: String,
    retry: Retry,
}

/// How the pauses between attempts grow.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    attempts: u32,
    ceiling: Duration,
}

impl Retry {
    /// Reads `redis_retry_attempts` and `redis_retry_delay` (milliseconds),
    /// by default 5 and 3000.
    pub fn from_variables(variables: &Variables) -> Result<Self> {
        let number = |name: &str, default: u64| match variables.get(name) {
            Some(value) => value
                .parse()
                .with_context(|| format!("variable `{name}` is not a number")),
            None => Ok(default),
        };
        Ok(Self {
            attempts: number("redis_retry_attempts", 5)?
                .try_into()
                .unwrap_or(u32::MAX)
                .max(1),
            ceiling: Duration::from_millis(number("redis_retry_delay", 3000)?).max(FIRST_DELAY),
        })
    }

    /// The pause before the given attempt, counted from 1, where `random` is
    /// between 0 and 1: half of it is fixed, so that no pause is nothing.
    fn delay(&self, attempt: u32, random: f64) -> Duration {
        let longest = if attempt >= self.attempts {
            self.ceiling
        } else {
            FIRST_DELAY
                .saturating_mul(1 << (attempt - 1).min(20))
                .min(self.ceiling)
        };
        longest.mul_f64(0.5 + random / 2.0)
    }
}

impl RedisTrigger {
    /// All Redis triggers of the manifest; `guest` finds a component by its id.
    pub fn all(
        manifest: &Manifest,
        variables: &Variables,
        services: &Arc<Services>,
        guest: impl Fn(&str) -> Result<Arc<Guest>>,
    ) -> Result<Vec<Self>> {
        let retry = Retry::from_variables(variables)?;
        let defaults = manifest.application.trigger.redis.as_ref();
        let build = |trigger: &manifest::RedisTrigger| -> Result<Self> {
            let address = trigger
                .address
                .as_ref()
                .or(defaults.map(|defaults| &defaults.address));
            let address = address
                .context("it has no address, and neither has [application.trigger.redis]")?;
            let address = variables.expand(address)?;
            let client = services.redis.parse(&address);
            let guest = guest(&trigger.component)?;
            let handler = AppPre::new(guest.pre().clone()).map_err(anyhow::Error::from);
            Ok(Self {
                handler: handler.context("the component exports no handler for Redis messages")?,
                guest,
                services: services.clone(),
                client: client.map_err(|_| anyhow!("its address is not a Redis URL"))?,
                address,
                channel: variables.expand(&trigger.channel)?,
                retry,
            })
        };
        let named = |trigger: &manifest::RedisTrigger| {
            build(trigger).with_context(|| format!("Redis trigger of `{}`", trigger.component))
        };
        manifest.triggers.redis.iter().map(named).collect()
    }

    /// Handles messages until `stop`; a message that is being handled then is
    /// finished.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let Some(subscription) = stop.run_until_cancelled(self.connect()).await else {
                return;
            };
            self.handle_messages(subscription, &stop).await;
            if stop.is_cancelled() {
                return;
            }
            self.services
                .redis
                .note_outage("the server closed the subscriber's connection");
        }
    }

    /// Subscribes, and tries again until that succeeds.
    async fn connect(&self) -> PubSub {
        let mut attempt = 0;
        loop {
            let redis = &self.services.redis;
            if let Ok(subscription) = redis
                .subscribe(&self.client, &self.address, &self.channel)
                .await
            {
                tracing::info!(component = %self.guest.id(), channel = %self.channel, "Redis subscriber connected");
                return subscription;
            }
            attempt += 1;
            let shown = attempt.min(self.retry.attempts);
            tracing::warn!(
                "Redis reconnecting... (attempt {shown}/{})",
                self.retry.attempts
            );
            tokio::time::sleep(self.retry.delay(attempt, rand::random())).await;
        }
    }

    async fn handle_messages(&self, subscription: PubSub, stop: &CancellationToken) {
        let mut messages = subscription.into_on_message();
        while let Some(Some(message)) = stop.run_until_cancelled(messages.next()).await {
            let payload = message.get_payload_bytes().to_vec();
            match self.handle(payload).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(
                    component = %self.guest.id(),
                    channel = %self.channel,
                    "Redis message was refused: {error:?}"
                ),
                Err(error) => log_failure(self.guest.id(), &self.channel, &error),
            }
        }
    }

    async fn handle(&self, payload: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        let mut store = self.guest.store();
        let handler = self.handler.instantiate_async(&mut store).await?;
        let handler = handler.spin_redis_inbound_redis();
        let call = async |accessor: &Accessor<GuestState>| {
            handler.call_handle_message(accessor, payload).await
        };
        store.run_concurrent(call).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_ceiling_and_stay_there() {
        let retry = Retry {
            attempts: 5,
            ceiling: Duration::from_secs(1),
        };
        let longest: Vec<_> = (1..=7)
            .map(|attempt| retry.delay(attempt, 1.0).as_millis())
            .collect();
        assert_eq!(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
    }

    #[test]
    fn half_of_every_delay_is_jitter() {
        let retry = Retry {
            attempts: 5,
            ceiling: Duration::from_secs(3),
        };
        assert_eq!(retry.delay(2, 0.0), Duration::from_millis(100));
        assert_eq!(retry.delay(2, 1.0), Duration::from_millis(200));
    }
}
