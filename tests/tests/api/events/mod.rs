//! Event streams: no event is lost or repeated, whatever fails.

mod changes;
mod conversation;
mod crowd;
mod faults;
mod leases;
mod reader;
mod user;

use std::time::Duration;

use serde_json::json;
use testkit::{App, EventStream};
use tests::Room;

/// The longest time between two comments of an idle stream.
const SILENCE: Duration = Duration::from_secs(15);
/// Longer than the time between two checks of the database.
const NEXT_CHECK: Duration = Duration::from_secs(16);

/// A conversation's feed, for one of its participants.
fn feed_of(room: &Room) -> String {
    format!(
        "/api/v1/messages/conversations/{}/events?userId={}",
        room.id, room.users[0]
    )
}

/// A conversation's feed, for a service: of those any number may be open.
fn feed_for_service(room: &Room) -> String {
    format!("/api/v1/messages/conversations/{}/events", room.id)
}

fn user_feed(user: i64) -> String {
    format!("/api/v1/messages/users/{user}/events")
}

/// The event with which every conversation begins.
const CREATED: &str = "conversation-created";

/// The next events but for the creation of conversations, as (name, id).
async fn names(stream: &mut EventStream, count: usize) -> Vec<(String, Option<String>)> {
    let mut names = Vec::new();
    while names.len() < count {
        let event = stream.next().await.expect("the stream goes on");
        if event.event != CREATED {
            names.push((event.event, event.id));
        }
    }
    names
}

/// The id that a stream starts with, before any event.
async fn first_id(stream: &mut EventStream) -> Option<String> {
    let opening = stream.next_block().await.expect("an opening");
    assert_eq!(opening.comment.as_deref(), Some("connected"));
    opening.id
}

async fn join(app: &App, room: &Room, user: i64) {
    let path = format!("/api/v1/conversations/{}/participants", room.id);
    app.post(&path, json!({ "userId": user }))
        .await
        .expect_status(201);
}

async fn leave(app: &App, room: &Room, user: i64) {
    let path = format!("/api/v1/conversations/{}/participants/{user}", room.id);
    app.delete(&path).await.expect_status(204);
}
