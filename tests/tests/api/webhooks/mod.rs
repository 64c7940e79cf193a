//! Webhooks, with real receivers.
//!
//! - `registrations`: what the API shows, and which addresses it takes.
//! - `sending`: what a good receiver gets.
//! - `failing`: receivers that fail, and those beside them.
//! - `faults`: workers, relays and stores that die in between.

mod failing;
mod faults;
mod registrations;
mod sending;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{App, Builder, Received, Receiver, wait_for};
use tests::Room;

/// How long a delivery takes at the most, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// An app with stores of its own whose receivers may be on this machine.
fn prepared() -> Builder {
    lenient(App::builder().own_stores())
}

fn lenient(builder: Builder) -> Builder {
    builder
        .variable("webhook_allow_private", "true")
        .variable("webhook_host", "127.0.0.1:*")
}

/// A receiver, as the API knows it.
struct Webhook {
    id: i64,
    secret: String,
}

impl Webhook {
    async fn register(app: &App, receiver: &Receiver, events: &[&str]) -> Self {
        let body = json!({ "url": receiver.url("/hook"), "events": events, "contents": true });
        let created = app.post("/api/v1/webhooks", body).await;
        let created = created.expect_status(201).json();
        Self {
            id: created["id"].as_i64().expect("an id"),
            secret: created["secret"].as_str().expect("a secret").to_owned(),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/webhooks/{}{rest}", self.id)
    }

    /// The seqs in a state, in a conversation.
    async fn in_state(&self, app: &App, state: &str, conversation: i64) -> Vec<i64> {
        let path = self.path(&format!("/deliveries?limit=100&state={state}"));
        let page = app.get(&path).await.expect_status(200).json();
        let deliveries = page["deliveries"].as_array().expect("an array").clone();
        let of_conversation = deliveries
            .iter()
            .filter(|delivery| delivery["conversationId"] == conversation);
        let mut seqs: Vec<i64> = of_conversation
            .map(|delivery| delivery["seq"].as_i64().expect("a seq"))
            .collect();
        seqs.sort_unstable();
        seqs
    }

    /// Waits until these seqs of a conversation are in a state.
    async fn reaches(&self, app: &App, state: &str, conversation: i64, seqs: &[i64]) {
        let what = format!("{seqs:?} of {conversation} are {state}");
        let observe = async || self.in_state(app, state, conversation).await;
        wait_for(&what, 3 * SOON, observe, |found| found == seqs).await;
    }

    async fn redeliver(&self, app: &App, body: Value) -> i64 {
        let answer = app.post(&self.path("/redeliver"), body).await;
        answer.expect_status(200).json()["count"]
            .as_i64()
            .expect("a count")
    }
}

/// The seqs that a receiver got of a conversation, in their order.
fn seqs(receiver: &Receiver, conversation: i64) -> Vec<i64> {
    let of_conversation = |received: &Received| {
        let data = received.json()["data"].clone();
        (data["conversationId"] == conversation).then(|| data["seq"].as_i64().expect("a seq"))
    };
    receiver
        .received()
        .iter()
        .filter_map(of_conversation)
        .collect()
}

/// Waits until the relay is done with a conversation's events.
async fn is_relayed(app: &App, room: &Room) {
    let postgres = app.postgres().await;
    let unrelayed = "select unrelayed from conversations where id = $1";
    let observe = async || -> bool {
        let row = postgres.query_one(unrelayed, &[&room.id]).await;
        row.expect("the conversation").get(0)
    };
    wait_for("everything is relayed", SOON, observe, |left| !left).await;
}

/// Waits until a receiver got these seqs of a conversation, in this order and no others.
async fn gets(receiver: &Receiver, conversation: i64, expected: &[i64]) {
    let what = format!("the receiver has {expected:?} of {conversation}");
    let observe = async || seqs(receiver, conversation);
    wait_for(&what, 3 * SOON, observe, |found| found == expected).await;
}
