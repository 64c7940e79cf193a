//! Sealed contents: what the stores have, what readers get, and changes of keys.

mod figures;
mod keys;
mod places;
mod reseal;
mod writing;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use testkit::{App, Builder, unique_user};
use tests::Room;

/// The variable `content_keys` with these keys, each a name and the byte of which it is made.
pub fn keys(keys: &[(&str, u8)]) -> String {
    let keys = keys
        .iter()
        .map(|(id, byte)| json!({ "id": id, "key": BASE64.encode([*byte; 32]) }));
    Value::from_iter(keys).to_string()
}

/// An app with these keys; none is one that does not seal.
pub fn with_keys(list: &[(&str, u8)]) -> Builder {
    let list = if list.is_empty() {
        String::new()
    } else {
        keys(list)
    };
    App::builder().variable("content_keys", list)
}

/// A conversation of two with a title.
pub async fn titled(app: &App, title: &str) -> Room {
    let users = vec![unique_user(), unique_user()];
    let body = json!({ "title": title, "participantIds": users });
    let created = app.post("/api/v1/conversations", body).await;
    let created = created.expect_status(201).json();
    assert_eq!(created["title"], title);
    let id = created["id"].as_i64().expect("an id");
    Room { id, users }
}

/// A conversation as a service sees it.
pub async fn conversation(app: &App, room: &Room) -> Value {
    let path = format!("/api/v1/conversations/{}", room.id);
    app.get(&path).await.expect_status(200).json()
}

/// The contents of a room's messages.
pub async fn contents(app: &App, room: &Room) -> Vec<Value> {
    let messages = room.messages(app, 100).await;
    messages
        .iter()
        .map(|message| message["content"].clone())
        .collect()
}
