//! What is published on channels, kept with the moment at which it came.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::Value;
use testkit::{App, wait_until};
use tokio::task::JoinHandle;

/// A published event.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When it came.
    pub at: Instant,
    /// Where.
    pub channel: String,
    /// What.
    pub event: Value,
}

/// Hears channels for as long as it lives.
pub struct Listener {
    heard: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Hears all channels whose names match; `*` stands for anything.
    pub async fn on(app: &App, pattern: &str) -> Self {
        let mut subscriber = app.subscriber().await;
        subscriber
            .psubscribe(pattern)
            .await
            .expect("a subscription");
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let kept = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let mut messages = subscriber.into_on_message();
            while let Some(message) = messages.next().await {
                let json: String = message.get_payload().expect("text");
                let event = Heard {
                    at: Instant::now(),
                    channel: message.get_channel_name().to_owned(),
                    event: serde_json::from_str(&json).expect("JSON"),
                };
                lock(&kept).push(event);
            }
        });
        Self { heard, task }
    }

    /// All that came so far.
    pub fn all(&self) -> Vec<Heard> {
        lock(&self.heard).clone()
    }

    /// What came so far of one user.
    pub fn of_user(&self, user: i64) -> Vec<Heard> {
        let mut all = self.all();
        all.retain(|heard| heard.event["userId"] == user);
        all
    }

    /// The types of what came so far of one user.
    pub fn types_of_user(&self, user: i64) -> Vec<String> {
        let events = self.of_user(user).into_iter();
        events
            .map(|heard| heard.event["type"].as_str().expect("a type").to_owned())
            .collect()
    }

    /// Waits until so many events of a user came, and fails the test if more did.
    pub async fn exactly(&self, count: usize, user: i64, limit: Duration) -> Vec<Heard> {
        wait_until(
            &format!("{count} events of user {user}"),
            limit,
            async || self.of_user(user).len() >= count,
        )
        .await;
        let heard = self.of_user(user);
        assert_eq!(heard.len(), count, "{heard:?}");
        heard
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
