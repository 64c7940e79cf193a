//! Receives the messages of a channel.
//!
//! Spin ends when Redis disconnects, and leaves the restart to a supervisor.
//! devhost reconnects: the pauses between the attempts grow up to a ceiling,
//! and it never gives up.

use std::sync::Arc;

use futures::StreamExt as _;
use redis::{Client, aio::PubSub};
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, handler::MessageHandler};
use crate::guest::Services;

/// A component that is called for every message of one channel.
pub struct Subscriber {
    pub(super) services: Arc<Services>,
    pub(super) client: Client,
    pub(super) address: String,
    pub(super) channel: String,
    pub(super) handler: MessageHandler,
    pub(super) backoff: Backoff,
}

impl Subscriber {
    /// Handles messages until `stop` is cancelled, and finishes the message
    /// that is being handled then.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let Some(subscription) = stop.run_until_cancelled(self.connect()).await else {
                return;
            };
            self.handle_messages(subscription, &stop).await;
            if stop.is_cancelled() {
                return;
            }
            let redis = &self.services.redis;
            redis.record_outage("the server closed the subscriber's connection");
        }
    }

    /// Subscribes, with as many attempts as it takes.
    async fn connect(&self) -> PubSub {
        let mut attempt = 0;
        loop {
            if let Some(subscription) = self.try_connect().await {
                return subscription;
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
        let subscribing = redis.subscribe(&self.client, &self.address, &self.channel);
        let subscription = subscribing.await.ok()?;
        tracing::info!(
            component = %self.handler.component(),
            channel = %self.channel,
            "Redis subscriber connected"
        );
        Some(subscription)
    }

    async fn handle_messages(&self, subscription: PubSub, stop: &CancellationToken) {
        let mut messages = subscription.into_on_message();
        while let Some(Some(message)) = stop.run_until_cancelled(messages.next()).await {
            let payload = message.get_payload_bytes();
            self.handler.handle(&self.channel, payload).await;
        }
    }
}
