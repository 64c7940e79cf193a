//! All events in the order of their commits.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{App, app, unique_user};
use tests::Room;

use super::wait_until;

async fn page(app: &App, after: &str, wait: u64) -> Value {
    let path = format!("/api/v1/events?after={after}&wait={wait}");
    app.get(&path).await.expect_status(200).json()
}

/// The place after all events that there are.
async fn end(app: &App) -> String {
    let mut after = "0-0-0".to_owned();
    loop {
        let page = page(app, &after, 0).await;
        if page["events"] == json!([]) {
            return after;
        }
        page["next"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut after);
    }
}

#[tokio::test]
async fn services_follow_all_conversations() {
    let app = App::builder().own_stores().spawn().await;
    let (one, two) = (Room::new(&app, 2).await, Room::new(&app, 2).await);
    one.say(&app, one.users[0], "Hi").await;
    two.say(&app, two.users[0], "Hello").await;
    let mut found = Vec::new();
    let mut after = "0-0-0".to_owned();
    wait_until("the events", async || {
        let path = format!("/api/v1/events?after={after}&limit=1");
        let page = app.get(&path).await.expect_status(200).json();
        page["next"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut after);
        found.extend(page["events"].as_array().expect("an array").clone());
        found.len() == 4
    })
    .await;
    let of: Vec<(&Value, &Value)> = found
        .iter()
        .map(|event| (&event["type"], &event["conversationId"]))
        .collect();
    let (created, new) = (json!("conversation-created"), json!("new-message"));
    assert_eq!(
        of,
        [
            (&created, &json!(one.id)),
            (&created, &json!(two.id)),
            (&new, &json!(one.id)),
            (&new, &json!(two.id))
        ]
    );
    assert_eq!(found[2]["message"]["content"], "Hi");
}

#[tokio::test]
async fn a_request_waits_for_the_first_event() {
    let app = app().await;
    let after = end(app).await;
    let start = Instant::now();
    let room = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        Room::new(app, 2).await
    };
    let (page, room) = futures::join!(page(app, &after, 25), room);
    assert!(start.elapsed() < Duration::from_secs(20));
    let events = page["events"].as_array().expect("an array");
    // Other tests have events too.
    assert!(!events.is_empty(), "{page} {}", room.id);
    app.get("/api/v1/events?wait=26").await.expect_status(400);
    app.get("/api/v1/events?after=x").await.expect_status(400);
    let user = unique_user();
    app.get(&format!("/api/v1/events?userId={user}"))
        .await
        .expect_status(403);
}

#[tokio::test]
async fn nothing_is_skipped_when_transactions_overlap() {
    let app = app().await;
    let (early, late) = (Room::new(app, 2).await, Room::new(app, 2).await);
    let after = end(app).await;
    let mut client = app.postgres().await;
    let open = client.transaction().await.expect("a transaction");
    let write = format!(
        "select write_event({}, 'participant-joined', null, {}, false)",
        early.id,
        unique_user()
    );
    open.query(&write, &[]).await.expect("an event");
    late.say(app, late.users[0], "Hi").await;
    let of = |page: &Value, room: &Room| {
        let events = page["events"].as_array().expect("an array").iter();
        events
            .filter(|event| event["conversationId"] == room.id)
            .count()
    };
    let held = page(app, &after, 1).await;
    assert_eq!(of(&held, &late), 0, "{held}");
    open.commit().await.expect("a commit");

    let (mut found, mut after) = ((0, 0), after);
    wait_until("both events", async || {
        let page = page(app, &after, 0).await;
        page["next"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut after);
        found.0 += of(&page, &early);
        found.1 += of(&page, &late);
        // In the order of the transactions.
        assert!(found.0 >= found.1.min(1), "{page}");
        found.0 >= 1 && found.1 >= 1
    })
    .await;
    assert_eq!(found, (1, 1));
}
