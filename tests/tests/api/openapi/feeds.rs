//! What event streams carry.

use std::collections::BTreeSet;

use messaging::events::EventType;
use serde_json::{Value, json};
use testkit::{App, EventStream, app};
use tests::{Room, path_of};

use super::document::{Operation, document, faults, operations};

/// What is sent besides the events of conversations.
const TYPING: [&str; 2] = ["typing-start", "typing-stop"];
const OF_USERS: [&str; 3] = ["unread-count", "online", "offline"];
const RESYNC: &str = "resync";

fn streams() -> impl Iterator<Item = Operation> {
    operations().filter(|operation| operation.get("x-event-data").is_object())
}

/// The types of events that a schema names.
fn types(schema: &Value, found: &mut BTreeSet<String>) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let pointer = pointer.trim_start_matches('#');
        return types(document().pointer(pointer).expect("a schema"), found);
    }
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        types(choice, found);
    }
    let name = &schema["properties"]["type"];
    let names = name["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(name.get("const"));
    found.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
}

/// The types of events that the service sends in a stream.
fn sent(operation: Operation) -> BTreeSet<String> {
    let events = EventType::ALL.iter().map(|event| event.name());
    let mut names: Vec<&str> = events.chain(TYPING).chain([RESYNC]).collect();
    if operation.route.path.contains("/users/") {
        names.extend(OF_USERS);
    }
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_type_of_event_is_described() {
    assert_eq!(streams().count(), 2);
    for operation in streams() {
        let mut described = BTreeSet::new();
        types(operation.get("x-event-data"), &mut described);
        assert_eq!(described, sent(operation), "{operation}");
    }
}

#[tokio::test]
async fn events_are_as_described() {
    let app = app().await;
    for operation in streams() {
        let room = Room::new(app, 2).await;
        let path = operation.route.path.replace(":id", &room.id.to_string());
        let path = path.replace(":userId", &room.users[0].to_string());
        let mut stream = app.events_after(&path, "no position").await;
        let mut awaited = sent(operation);
        expect(operation, &mut stream, &mut awaited, &[RESYNC]).await;
        // Streams do not go back behind their start: a conversation that is new now.
        let second = match operation.route.path.contains("/users/") {
            true => Room::of(app, room.users.clone()).await,
            false => room,
        };
        everything_happens(app, &second).await;
        if operation.route.path.contains(":id") {
            awaited.remove(EventType::ConversationCreated.name());
        }
        let all: Vec<String> = awaited.iter().cloned().collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        expect(operation, &mut stream, &mut awaited, &all).await;
    }
}

/// Reads events until those of these types have come; each must be as it is described.
async fn expect(
    operation: Operation,
    stream: &mut EventStream,
    awaited: &mut BTreeSet<String>,
    names: &[&str],
) {
    while names.iter().any(|name| awaited.contains(*name)) {
        let event = stream.next().await.expect("the stream goes on");
        let data = event.json();
        let found = faults(operation.get("x-event-data"), &data);
        assert_eq!(found, [""; 0], "{operation}: {data}");
        assert_eq!(data["type"], event.event, "{operation}");
        awaited.remove(&event.event);
    }
}

/// Everything of which an event comes, by the second of two participants.
async fn everything_happens(app: &App, room: &Room) {
    let (user, newcomer) = (room.users[1], testkit::unique_user());
    let of_user = |what: &str| format!("/api/v1/messages/users/{user}/{what}");
    let typing = format!("/api/v1/messages/conversations/{}/typing", room.id);
    let participants = format!("/api/v1/conversations/{}/participants", room.id);
    app.post(&of_user("online"), json!({}))
        .await
        .expect_status(200);
    for is_typing in [true, false] {
        let body = json!({ "userId": user, "isTyping": is_typing });
        app.post(&typing, body).await.expect_status(200);
    }
    let message = room.say(app, user, "Hi").await;
    let edit = json!({ "content": "Hello", "senderId": user });
    app.patch(&path_of(&message), edit).await.expect_status(200);
    let read = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&read, json!({ "userId": room.users[0] }))
        .await
        .expect_status(200);
    app.delete(&path_of(&message)).await.expect_status(204);
    app.post(&participants, json!({ "userId": newcomer }))
        .await
        .expect_status(201);
    app.delete(&format!("{participants}/{newcomer}"))
        .await
        .expect_status(204);
    let conversation = format!("/api/v1/conversations/{}", room.id);
    let title = json!({ "title": "Smith" });
    app.patch(&conversation, title).await.expect_status(200);
    app.post(&of_user("offline"), json!({}))
        .await
        .expect_status(200);
}
