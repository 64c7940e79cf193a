//! What the API says in the end, on every host, cached and not: what the tables hold.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::Value;
use testkit::App;

use super::super::truth::{Conversation, Truth};
use super::super::world::World;
use super::Violations;
use super::rest::until;

/// How long the cache may take to be used again.
const LIMIT: Duration = Duration::from_secs(20);
/// The most messages of one page.
const PAGE: usize = 100;

pub async fn check(world: &World, truth: &Truth, violations: &mut Violations) {
    for conversation in truth.values() {
        // First what the run left in the cache.
        for host in &world.hosts {
            check_list(host, conversation, None, violations).await;
            check_conversation(host, conversation, violations).await;
        }
        check_cached(world, conversation, violations).await;
        check_on(&world.hosts[2], conversation, violations).await;
    }
    for user in &world.users {
        check_user(&world.hosts[1], *user, truth, violations).await;
    }
}

/// All that one host says of a conversation.
pub async fn check_on(host: &App, conversation: &Conversation, violations: &mut Violations) {
    check_list(host, conversation, None, violations).await;
    check_conversation(host, conversation, violations).await;
    check_pages(host, conversation, violations).await;
    check_messages(host, conversation, violations).await;
    check_receipts(host, conversation, violations).await;
}

fn rows(conversation: &Conversation) -> Vec<Value> {
    let json = |text: &String| serde_json::from_str(text).expect("JSON");
    conversation
        .messages
        .iter()
        .map(|row| json(&row.json))
        .collect()
}

fn list_path(conversation: &Conversation) -> String {
    format!(
        "/api/v1/messages?conversationId={}&limit={PAGE}",
        conversation.id
    )
}

async fn check_list(
    host: &App,
    conversation: &Conversation,
    cache: Option<&str>,
    violations: &mut Violations,
) {
    let rows = rows(conversation);
    let expected = Value::from(&rows[rows.len().saturating_sub(PAGE)..]);
    let response = host.get(&list_path(conversation)).await;
    let found = response.header("x-cache").unwrap_or_default().to_owned();
    let what = format!("list, {found} on {}", host.address());
    violations.compare("list", conversation.id, &what, &expected, &response.json());
    if let Some(cache) = cache {
        violations.compare("list", conversation.id, "X-Cache", &cache, &&*found);
    }
}

/// The list that is read anew, and the one that is filled from it.
async fn check_cached(world: &World, conversation: &Conversation, violations: &mut Violations) {
    let mut redis = world.hosts[0].redis().await;
    let key = format!("conversation:{}:messages", conversation.id);
    let () = redis.del(key).await.expect("Redis answers");
    check_list(&world.hosts[1], conversation, Some("miss"), violations).await;
    let hits = async || {
        let list = world.hosts[1].get(&list_path(conversation)).await;
        list.header("x-cache") == Some("hit")
    };
    if !until(LIMIT, hits).await {
        violations.add("list", conversation.id, "a list in the cache", "none");
    }
    check_list(&world.hosts[2], conversation, Some("hit"), violations).await;
}

/// All messages, page by page from the newest.
async fn check_pages(host: &App, conversation: &Conversation, violations: &mut Violations) {
    let mut found: Vec<Value> = Vec::new();
    loop {
        let before = found
            .first()
            .map(|first| format!("&before={}", first["id"]));
        let path = format!("{}{}", list_path(conversation), before.unwrap_or_default());
        let page = host.get(&path).await.json();
        let mut page = page.as_array().cloned().unwrap_or_default();
        if page.is_empty() {
            break;
        }
        page.append(&mut found);
        found = page;
    }
    violations.compare("pages", conversation.id, "all", &rows(conversation), &found);
}

async fn check_messages(host: &App, conversation: &Conversation, violations: &mut Violations) {
    for row in rows(conversation) {
        // One that never changed is right in any cache.
        let changes = ["editedAt", "deletedAt"];
        if changes.iter().all(|at| row[*at].is_null()) {
            continue;
        }
        let path = format!("/api/v1/messages/{}", row["id"]);
        let found = host.get(&path).await.json();
        violations.compare("message", conversation.id, "message", &row, &found);
    }
}

async fn check_conversation(host: &App, conversation: &Conversation, violations: &mut Violations) {
    let path = format!("/api/v1/conversations/{}", conversation.id);
    let expected: Value = serde_json::from_str(&conversation.json).expect("JSON");
    let found = host.get(&path).await.json();
    violations.compare(
        "conversation",
        conversation.id,
        "conversation",
        &expected,
        &found,
    );
}

/// Who has read a message: with those who left, without those who joined after it.
async fn check_receipts(host: &App, conversation: &Conversation, violations: &mut Violations) {
    for row in conversation.messages.iter().rev().step_by(7).take(5) {
        let path = format!("/api/v1/messages/messages/{}/receipts", row.id);
        let response = host.get(&path).await.json();
        let read_by = response["readBy"].as_array().cloned().unwrap_or_default();
        let mut found: Vec<i64> = read_by
            .iter()
            .filter_map(|read| read["userId"].as_i64())
            .collect();
        found.sort_unstable();
        let reads = conversation.reads.iter();
        let readers = reads.filter(|(user, at)| *at >= row.ordinal && Some(*user) != row.sender);
        let mut expected: Vec<i64> = readers.map(|(user, _)| *user).collect();
        expected.dedup();
        let what = format!("readers of {}", row.id);
        violations.compare("receipts", conversation.id, &what, &expected, &found);
    }
}

/// A user's conversations and unread counts.
pub async fn check_user(host: &App, user: i64, truth: &Truth, violations: &mut Violations) {
    let path = format!("/api/v1/conversations?userId={user}&limit=100");
    let found = host.get(&path).await.json();
    let found = found.as_array().cloned().unwrap_or_default();
    let listed = |entry: &Value| {
        let last = entry["lastMessage"]["id"].as_i64();
        (entry["id"].as_i64(), entry["unreadCount"].as_i64(), last)
    };
    let mut found: Vec<_> = found.iter().map(listed).collect();
    found.sort_unstable();
    let own = truth
        .values()
        .filter(|conversation| conversation.participants.contains_key(&user));
    let expected = own.map(|conversation| {
        let last = conversation.messages.last().map(|row| row.id);
        (
            Some(conversation.id),
            conversation.unread.get(&user).copied(),
            last,
        )
    });
    let expected: Vec<_> = expected.collect();
    violations.compare(
        "conversations of a user",
        user,
        "(id, unread, last)",
        &expected,
        &found,
    );

    let path = format!("/api/v1/messages/users/{user}/unread-count");
    let found = host.get(&path).await.json()["total"].as_i64().unwrap_or(-1);
    let expected: i64 = expected.iter().filter_map(|(_, unread, _)| *unread).sum();
    violations.compare(
        "conversations of a user",
        user,
        "unread in all",
        &expected,
        &found,
    );
}
