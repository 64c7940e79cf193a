//! The unread counts that Redis holds for dashboards.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::AsyncCommands;

use super::super::truth::{Conversation, Truth};
use super::super::world::World;
use super::Violations;
use super::rest::until;

/// How long Redis may take to hold them again.
const LIMIT: Duration = Duration::from_secs(30);

pub async fn check(world: &World, truth: &Truth, violations: &mut Violations) {
    let mut differing = Vec::new();
    let agree = async || {
        differing.clear();
        for conversation in truth.values() {
            let (expected, found) = compared(world, conversation).await;
            if expected != found {
                differing.push((conversation.id, expected, found));
            }
        }
        differing.is_empty()
    };
    if !until(LIMIT, agree).await {
        for (id, expected, found) in differing {
            violations.compare("unread keys", id, "by user", &expected, &found);
        }
    }
}

type Counts = BTreeMap<i64, Option<i64>>;

/// The count of each participant who has been seen, and none of who left.
async fn compared(world: &World, conversation: &Conversation) -> (Counts, Counts) {
    let mut redis = world.hosts[0].redis().await;
    let (mut expected, mut found) = (Counts::new(), Counts::new());
    let seen = conversation.seen.iter();
    let users = seen.map(|user| (*user, conversation.unread.get(user).copied()));
    for (user, count) in users.chain(conversation.former.keys().map(|user| (*user, None))) {
        let key = format!("conversation:{}:unread:{user}", conversation.id);
        expected.insert(user, count);
        found.insert(user, redis.get(key).await.expect("Redis answers"));
    }
    (expected, found)
}
