//! Receives the messages of some channels.
//!
//! devhost reconnects when Redis disconnects: the pauses between the attempts
//! grow up to a ceiling, and it never gives up. Spin ends, and leaves the
//! restart to a supervisor, as does devhost with `--strict`.
//!
//! A subscription can also fail without a sign: its connection froze, or Redis
//! was away while a message was published. So devhost pings a connection that
//! is silent, and calls the components with an empty message when it has
//! subscribed and after every ping: they look whether they missed anything.
//! Spin does neither, and nor does devhost with `--strict`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Result, anyhow};
use futures::{StreamExt as _, future::join_all};
use redis::{
    Client,
    aio::{PubSub, PubSubSink},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, handler::MessageHandler};
use crate::{guest::Services, redact::without_password};

/// How long a connection may be silent before it is checked with a ping.
const SILENCE: Duration = Duration::from_secs(5);
/// How long Redis may take to reply to the ping.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

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

    /// Handles messages until `stop` is cancelled or the connection fails.
    async fn handle_messages(&self, subscription: PubSub, stop: &CancellationToken) {
        let (mut sink, mut messages) = subscription.split();
        if self.services.deviations.check_subscriptions {
            self.handle_silence().await;
        }
        loop {
            let next = timeout(self.silence(), messages.next());
            match stop.run_until_cancelled(next).await {
                Some(Ok(Some(message))) => {
                    let channel = message.get_channel_name();
                    self.handle(channel, message.get_payload_bytes()).await;
                }
                Some(Err(_)) if replies(&mut sink).await => self.handle_silence().await,
                _ => return,
            }
        }
    }

    fn silence(&self) -> Duration {
        if self.services.deviations.check_subscriptions {
            SILENCE
        } else {
            Duration::MAX
        }
    }

    /// Calls every component with an empty message.
    async fn handle_silence(&self) {
        join_all(
            self.handlers
                .keys()
                .map(|channel| self.handle(channel, &[])),
        )
        .await;
    }

    /// Calls the components of a channel, all at once.
    async fn handle(&self, channel: &str, payload: &[u8]) {
        let handlers = self.handlers.get(channel).into_iter().flatten();
        join_all(handlers.map(|handler| handler.handle(channel, payload))).await;
    }
}

async fn replies(sink: &mut PubSubSink) -> bool {
    let pong = timeout(PING_TIMEOUT, sink.ping::<redis::Value>()).await;
    let replied = matches!(pong, Ok(Ok(_)));
    if !replied {
        tracing::warn!("Redis subscription does not reply to a ping: reconnecting");
    }
    replied
}
