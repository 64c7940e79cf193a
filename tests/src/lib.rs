//! What the integration tests of several areas share: conversations that no other test has,
//! subscriptions to channels, and access tokens.

pub mod derived;
mod lossy_proxy;
pub mod routes;
pub mod stored;
mod subscription;
pub mod token;

use messaging::sealing::Keys;
use redis::AsyncCommands as _;
use serde_json::{Value, json};
use testkit::{App, Response, unique_user};

pub use lossy_proxy::LossyProxy;
pub use subscription::{Published, Subscription};

/// The keys of the app that tests share: none, unless contents are sealed in this run.
///
/// # Panics
///
/// When they cannot be read.
pub fn content_keys() -> Keys {
    let list = if testkit::is_sealed() {
        testkit::CONTENT_KEYS
    } else {
        ""
    };
    Keys::parse(list).expect("keys")
}

/// JSON that a store or a channel of that app has, as its clients get it.
pub fn opened(json: String) -> String {
    content_keys().open(json)
}

/// Replaces what a key holds by a hash, as another program might.
pub async fn replace_with_hash(app: &App, key: &str) {
    let mut redis = app.redis().await;
    let () = redis.del(key).await.expect("a deletion");
    let () = redis.hset(key, 1, "x").await.expect("a hash");
}

/// A conversation whose participants no other test has.
pub struct Room {
    /// The conversation.
    pub id: i64,
    /// Its participants.
    pub users: Vec<i64>,
}

impl Room {
    /// Creates a conversation of `size` new users.
    pub async fn new(app: &App, size: usize) -> Self {
        let users: Vec<i64> = (0..size).map(|_| unique_user()).collect();
        Self::of(app, users).await
    }

    /// Creates a conversation of these users.
    pub async fn of(app: &App, users: Vec<i64>) -> Self {
        let created = app
            .post("/api/v1/conversations", json!({ "participantIds": users }))
            .await;
        let id = created.expect_status(201).json()["id"]
            .as_i64()
            .expect("an id");
        Self { id, users }
    }

    /// Posts as one of the participants.
    pub async fn post(&self, app: &App, user: i64, content: &str) -> Response {
        let body = json!({ "conversationId": self.id, "senderId": user, "content": content });
        app.post("/api/v1/messages", body).await
    }

    /// Posts as one of the participants and returns the message.
    pub async fn say(&self, app: &App, user: i64, content: &str) -> Value {
        self.post(app, user, content)
            .await
            .expect_status(201)
            .json()
    }

    /// The newest messages, as a service sees them.
    pub async fn messages(&self, app: &App, limit: usize) -> Vec<Value> {
        let list = app.get(&self.list(limit)).await.expect_status(200).json();
        list.as_array().expect("an array").clone()
    }

    /// The path of the newest messages.
    pub fn list(&self, limit: usize) -> String {
        format!("/api/v1/messages?conversationId={}&limit={limit}", self.id)
    }

    /// The key of the cached list.
    pub fn list_key(&self) -> String {
        format!("conversation:{}:messages", self.id)
    }
}

/// The ordinals of messages, in their order.
pub fn ordinals(messages: &[Value]) -> Vec<i64> {
    messages
        .iter()
        .map(|message| message["ordinal"].as_i64().expect("an ordinal"))
        .collect()
}

/// The path of a message.
pub fn path_of(message: &Value) -> String {
    format!("/api/v1/messages/{}", message["id"])
}
