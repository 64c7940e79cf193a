//! Receives the messages of some channels.
//!
//! devhost reconnects when Redis disconnects: the pauses between the attempts
//! grow up to a ceiling, and it never gives up. Spin ends, and leaves the
//! restart to a supervisor, as does devhost with `--strict`.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Result, anyhow};
use futures::{StreamExt as _, future::join_all};
use redis::{Client, Msg, aio::PubSub};
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, handler::MessageHandler};
use crate::{guest::Services, redact::without_password};

/// A connection, and the components that are called for its messages.
pub struct Subscriber {
    services: Arc<Services>,
    client: Client,
    address: String,
    handlers: BTreeMap<String, Vec<MessageHandler>>,
    backoff: Backoff,
}

impl Subscriber {
    /// A subscriber to no channel yet.
    pub fn new(address: &str, services: &Arc<Services>, backoff: Backoff) -> Result<Self> {
        let client = services.redis.parse(address);
        Ok(Self {
            client: client.map_err(|_| anyhow!("its address is not a Redis URL"))?,
            services: services.clone(),
            address: address.to_owned(),
            handlers: BTreeMap::new(),
            backoff,
        })
    }

    /// Calls `handler` for each message of `channel`.
    pub fn add(&mut self, channel: String, handler: MessageHandler) {
        self.handlers.entry(channel).or_default().push(handler);
    }

    /// Handles messages until `stop` is cancelled, and finishes the message
    /// that is being handled then.
    ///
    /// # Errors
    ///
    /// If the connection fails, and is not opened again.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            let Some(subscription) = stop.run_until_cancelled(self.connect()).await else {
                break;
            };
            self.handle_messages(subscription?, &stop).await;
            if !stop.is_cancelled() {
                self.handle_disconnect()?;
            }
        }
        Ok(())
    }

    fn handle_disconnect(&self) -> Result<()> {
        let redis = &self.services.redis;
        redis.record_outage("the server closed the subscriber's connection");
        if self.services.deviations.reconnect {
            return Ok(());
        }
        Err(anyhow!(
            "disconnected from {}",
            without_password(&self.address)
        ))
    }

    /// Subscribes, with as many attempts as it takes.
    async fn connect(&self) -> Result<PubSub> {
        let mut attempt = 0;
        loop {
            if let Some(subscription) = self.try_connect().await {
                return Ok(subscription);
            }
            if !self.services.deviations.reconnect {
                let address = without_password(&self.address);
                return Err(anyhow!("Redis trigger failed to connect to {address}"));
            }
            attempt += 1;
            let attempts = self.backoff.attempts;
            let shown = attempt.min(attempts);
            tracing::warn!("Redis reconnecting... (attempt {shown}/{attempts})");
            tokio::time::sleep(self.backoff.pause(attempt, rand::random())).await;
        }
    }

    async fn try_connect(&self) -> Option<PubSub> {
        let redis = &self.services.redis;
        let channels: Vec<_> = self.handlers.keys().map(String::as_str).collect();
        let subscribing = redis.subscribe(&self.client, &self.address, &channels);
        let subscription = subscribing.await.ok()?;
        for (channel, handlers) in &self.handlers {
            for component in handlers.iter().map(MessageHandler::component) {
                tracing::info!(%component, channel, "Redis subscriber connected");
            }
        }
        Some(subscription)
    }

    async fn handle_messages(&self, subscription: PubSub, stop: &CancellationToken) {
        let mut messages = subscription.into_on_message();
        while let Some(Some(message)) = stop.run_until_cancelled(messages.next()).await {
            self.handle(&message).await;
        }
    }

    /// Calls the components of the message's channel, all at once.
    async fn handle(&self, message: &Msg) {
        let channel = message.get_channel_name();
        let handlers = self.handlers.get(channel).into_iter().flatten();
        let payload = message.get_payload_bytes();
        join_all(handlers.map(|handler| handler.handle(channel, payload))).await;
    }
}
