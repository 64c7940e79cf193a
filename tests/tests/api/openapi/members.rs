//! What is optional in a response is there at times.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::app;
use tests::{Room, path_of};

use super::document::document;

/// The schema of a message is the only one of a response with optional members; but a conversation too may
/// be unreadable.
#[test]
fn the_members_of_responses_are_required_but_for_those_of_a_message() {
    let requests = [
        "NewMessage",
        "MessageEdit",
        "NewConversation",
        "Device",
        "NewSession",
        "Revocation",
        "NewHold",
        "AssistantTask",
        "ConversationChange",
        "NewWebhook",
        "Redelivery",
    ];
    let schemas = document()["components"]["schemas"].as_object();
    for (name, schema) in schemas.expect("schemas") {
        if name == "Message" || requests.contains(&name.as_str()) {
            continue;
        }
        let members = schema["properties"].as_object().into_iter().flatten();
        for (member, _) in members.filter(|(member, _)| *member != "unreadable") {
            let required = schema["required"].as_array().expect("a list");
            assert!(required.contains(&json!(member)), "{name}.{member}");
        }
    }
}

#[tokio::test]
async fn a_message_has_at_times_every_member_that_is_described() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let user = room.users[0];
    let first = room.say(app, user, "Hi").await;
    let reply = json!({
        "conversationId": room.id, "senderId": user, "content": "Again",
        "clientMessageId": "a-key", "replyToId": first["id"],
    });
    let reply = app.post("/api/v1/messages", reply).await;
    let path = path_of(&reply.expect_status(201).json());
    let edit = json!({ "content": "Once more", "senderId": user });
    app.patch(&path, edit).await.expect_status(200);
    app.delete(&path).await.expect_status(204);
    let message = app.get(&path).await.expect_status(200).json();
    let described = &document()["components"]["schemas"]["Message"]["properties"];
    let lost = room.say(app, user, "Lost").await;
    let lose = format!(
        "update messages set content = e'\\x01sealed1:gone:' where id = {}",
        lost["id"]
    );
    app.postgres()
        .await
        .batch_execute(&lose)
        .await
        .expect("a change");
    let path = format!(
        "{}&before={}",
        room.list(10),
        room.say(app, user, "Last").await["id"]
    );
    let lost = app.get(&path).await.expect_status(200).json()[2].clone();
    assert_eq!(&names(&message) | &names(&lost), names(described));
}

fn names(object: &Value) -> BTreeSet<&String> {
    object.as_object().expect("an object").keys().collect()
}
