//! A subscription to Redis channels that keeps every event with its time of arrival.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::Value;
use testkit::{App, wait_for};
use tokio::task::JoinHandle;

/// A published event.
#[derive(Clone, Debug)]
pub struct Published {
    /// When it arrived.
    pub at: Instant,
    /// The channel.
    pub channel: String,
    /// The payload, opened.
    pub event: Value,
}

/// An open subscription. It ends when this is dropped.
pub struct Subscription {
    received: Arc<Mutex<Vec<Published>>>,
    task: JoinHandle<()>,
}

impl Subscription {
    /// Subscribes to all channels that match the pattern; `*` stands for any text.
    pub async fn open(app: &App, pattern: &str) -> Self {
        let mut subscriber = app.subscriber().await;
        subscriber
            .psubscribe(pattern)
            .await
            .expect("a subscription");
        let received: Arc<Mutex<Vec<Published>>> = Arc::default();
        let task = tokio::spawn(receive(subscriber, Arc::clone(&received)));
        Self { received, task }
    }

    /// All events so far.
    pub fn all(&self) -> Vec<Published> {
        lock(&self.received).clone()
    }

    /// The events of one user so far.
    pub fn of_user(&self, user: i64) -> Vec<Published> {
        let mut all = self.all();
        all.retain(|published| published.event["userId"] == user);
        all
    }

    /// The types of the events of one user so far.
    pub fn types_of_user(&self, user: i64) -> Vec<String> {
        let events = self.of_user(user).into_iter();
        events
            .map(|published| published.event["type"].as_str().expect("a type").to_owned())
            .collect()
    }

    /// Waits for the first `count` events of a user, and fails the test if there are more.
    pub async fn exactly(&self, count: usize, user: i64, limit: Duration) -> Vec<Published> {
        let what = format!("there are {count} events of user {user}");
        let observe = async || self.of_user(user);
        let found = wait_for(&what, limit, observe, |found| found.len() >= count).await;
        assert_eq!(found.len(), count, "{found:?}");
        found
    }
}

async fn receive(subscriber: redis::aio::PubSub, received: Arc<Mutex<Vec<Published>>>) {
    let mut messages = subscriber.into_on_message();
    while let Some(message) = messages.next().await {
        let json: String = message.get_payload().expect("text");
        let published = Published {
            at: Instant::now(),
            channel: message.get_channel_name().to_owned(),
            event: serde_json::from_str(&crate::opened(json)).expect("JSON"),
        };
        lock(&received).push(published);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
