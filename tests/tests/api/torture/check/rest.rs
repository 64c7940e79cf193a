//! From the end of the changes to a state in which nothing is under way any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::reader::{Feed, Readers, What};
use super::super::truth::Truth;
use super::super::world::World;
use super::{Violations, read_truth, redis_keys};

/// How long delivery may take after the last fault: a relay's lease, a stream's check, a repair.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Polls until a condition holds; whether it did.
pub async fn until(limit: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !holds().await {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

/// Ends what the faults left behind, and waits until every host has its stores.
pub async fn heal(world: &World) {
    world.postgres.lose(0);
    world.redis.lose(0);
    for host in &world.hosts {
        let ready = async || host.get("/api/v1/health/ready").await.status() == 200;
        assert!(
            until(LIMIT, ready).await,
            "a host does not get ready; its log: {}",
            host.log()
        );
    }
}

/// Waits until all is delivered, posts one message more in each conversation, and waits until every
/// reader has it. What the database holds then.
pub async fn reach(world: &Arc<World>, readers: &Readers, violations: &mut Violations) -> Truth {
    wait_for_relay(world, violations).await;
    // Before the last message: it would correct them.
    redis_keys::check(world, &read_truth(world).await, violations).await;
    for id in read_truth(world).await.keys() {
        let path = format!("/api/v1/messages/conversations/{id}/system-message");
        let posted = async || {
            let posted = world.hosts[0]
                .post(&path, json!({ "content": "text 0" }))
                .await;
            posted.status() == 201
        };
        assert!(until(LIMIT, posted).await, "nothing can be posted to {id}");
    }
    wait_for_relay(world, violations).await;
    let truth = read_truth(world).await;
    let all = async || late(readers, &truth).is_empty();
    if !until(LIMIT, all).await {
        let found = format!("not to {:?}", late(readers, &truth));
        violations.add(
            "rest",
            None,
            "the last message is delivered to every reader",
            found,
        );
    }
    truth
}

async fn wait_for_relay(world: &World, violations: &mut Violations) {
    let mut state = String::new();
    let rests = async || {
        let health = world.hosts[0].get("/api/v1/health").await;
        state = health.text();
        health.status() == 200 && health.json()["relay"]["backlog"] == 0
    };
    if !until(LIMIT, rests).await {
        violations.add("rest", None, "no backlog of the relay", state);
    }
}

/// The readers who have not received the last message of a conversation that they may see.
fn late(readers: &Readers, truth: &Truth) -> Vec<(Feed, i64)> {
    let mut late = Vec::new();
    for reader in readers.all() {
        for conversation in truth.values() {
            let takes_part = |user: &i64| conversation.participants.contains_key(user);
            let is_due = match &reader.feed {
                Feed::User(user) => takes_part(user),
                Feed::Conversation(id, viewer) => {
                    *id == conversation.id && viewer.as_ref().is_none_or(takes_part)
                }
            };
            let (id, seq) = (Some(conversation.id), Some(conversation.event_seq));
            let posted = conversation.audit.last().map_or(0, |audited| audited.at);
            let received = is_due
                && reader.has(|item| match &item.what {
                    What::Event(event) => event.conversation == id && event.seq == seq,
                    // The client reads the state anew.
                    What::Start | What::Resync => item.received > posted,
                });
            if is_due && !received {
                late.push((reader.feed, conversation.id));
            }
        }
    }
    late
}
