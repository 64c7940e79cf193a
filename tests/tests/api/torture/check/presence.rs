//! Presence and typing: all expires, then what users do counts, on every host and in every feed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::super::plan::Plan;
use super::super::reader::{Feed, Readers, What};
use super::super::truth::Truth;
use super::super::world::{PRESENCE_TTL, World, now};
use super::Violations;
use super::rest::until;

const CHECK: &str = "presence";
/// The longest TTL, and how late its end may be noticed.
const EXPIRY: Duration = Duration::from_secs(PRESENCE_TTL + 20);
const SOON: Duration = Duration::from_secs(5);

pub async fn check(
    world: &World,
    readers: &Readers,
    truth: &Truth,
    plan: &Plan,
    violations: &mut Violations,
) {
    let nobody = BTreeSet::new();
    let mut found = String::new();
    let expired = async || {
        found = format!(
            "{:?} online, {:?} typing",
            online(world).await,
            typing(world, truth).await
        );
        online(world).await.iter().all(|users| *users == nobody)
            && typing(world, truth).await.is_empty()
    };
    if !until(EXPIRY, expired).await {
        violations.add(CHECK, None, "nobody is online or typing", found);
    }
    let start = now();
    let expected = last_round(world, plan).await;
    let mut found = Vec::new();
    let agree = async || {
        found = online(world).await;
        found.iter().all(|users| *users == expected)
    };
    if !until(SOON, agree).await {
        violations.add(
            CHECK,
            None,
            format!("{expected:?} online"),
            format!("{found:?}"),
        );
    }
    let heard = async || silent(readers, truth, &expected, start).is_empty();
    if !until(EXPIRY, heard).await {
        let found = format!("{:?}", silent(readers, truth, &expected, start));
        violations.add(
            CHECK,
            None,
            "online and then offline in the feeds of contacts",
            found,
        );
    }
}

/// Some users come, some of them with two devices of which one leaves, some leave. Who is online.
async fn last_round(world: &World, plan: &Plan) -> BTreeSet<i64> {
    let mut rng = plan.rng(3_000);
    let mut online = BTreeSet::new();
    for (n, user) in world.users.iter().enumerate() {
        let calls: &[(&str, Option<&str>)] = match n % 4 {
            0 => &[],
            1 => &[("online", None)],
            2 => &[
                ("online", Some("a")),
                ("online", Some("b")),
                ("offline", Some("a")),
            ],
            _ => &[("online", Some("a")), ("offline", Some("a"))],
        };
        for (change, device) in calls {
            let path = format!("/api/v1/messages/users/{user}/{change}");
            let body = device.map_or(json!({}), |device| json!({ "deviceId": device }));
            world
                .host(&mut rng)
                .post(&path, body)
                .await
                .expect_status(200);
        }
        if matches!(n % 4, 1 | 2) {
            online.insert(*user);
        }
    }
    online
}

/// Who is online, by each host.
async fn online(world: &World) -> Vec<BTreeSet<i64>> {
    let mut found = Vec::new();
    for host in &world.hosts {
        let users = host.get("/api/v1/messages/users/online").await.json();
        let users = users["users"].as_array().cloned().unwrap_or_default();
        found.push(users.iter().filter_map(serde_json::Value::as_i64).collect());
    }
    found
}

/// Conversations in which a host says that someone types.
async fn typing(world: &World, truth: &Truth) -> Vec<i64> {
    let mut found = Vec::new();
    for (n, id) in truth.keys().enumerate() {
        let host = &world.hosts[n % world.hosts.len()];
        let path = format!("/api/v1/messages/conversations/{id}/typing");
        let users = host.get(&path).await.json();
        if users["users"] != json!([]) {
            found.push(*id);
        }
    }
    found
}

/// Readers who did not receive that a contact came and then went by expiry.
fn silent(
    readers: &Readers,
    truth: &Truth,
    online: &BTreeSet<i64>,
    since: i64,
) -> Vec<(i64, i64, Vec<String>)> {
    let mut silent = Vec::new();
    for reader in readers.all() {
        let Feed::User(user) = reader.feed else {
            continue;
        };
        let items = reader.items();
        for contact in online
            .iter()
            .filter(|contact| are_contacts(truth, user, **contact))
        {
            let events = items.iter().filter(|item| item.received > since);
            let kinds = events.filter_map(|item| match &item.what {
                What::Event(event) if event.user == Some(*contact) => Some(event.kind.clone()),
                _ => None,
            });
            let kinds: Vec<String> = kinds.filter(|kind| kind.ends_with("line")).collect();
            let came = kinds.iter().any(|kind| kind == "online");
            if !came || kinds.last().is_none_or(|kind| kind != "offline") {
                silent.push((user, *contact, kinds));
            }
        }
    }
    silent
}

fn are_contacts(truth: &Truth, user: i64, other: i64) -> bool {
    let both = |ids: &std::collections::BTreeMap<i64, _>| {
        ids.contains_key(&user) && ids.contains_key(&other)
    };
    user != other
        && truth
            .values()
            .any(|conversation| both(&conversation.participants))
}
