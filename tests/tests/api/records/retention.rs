//! What is older than its policy allows is erased.

use serde_json::{Value, json};
use testkit::{App, app};
use tests::{Room, path_of};

use super::{age, edit, set, texts, wait_until};

async fn retain(app: &App) -> Value {
    app.post("/api/v1/records/retention", json!({}))
        .await
        .expect_status(200)
        .json()
}

/// Retention takes conversations in turn: other tests have some too.
async fn is_erased(app: &App, message: &Value) -> bool {
    retain(app).await;
    app.get(&path_of(message)).await.expect_status(200).json()["content"] == Value::Null
}

#[tokio::test]
async fn what_is_old_becomes_a_tombstone_with_an_event_and_without_its_revisions() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let old = room.say(app, room.users[0], "an old word").await;
    edit(app, &old, "another old word").await;
    age(app, &room, 3).await;
    let young = room.say(app, room.users[0], "a young word").await;
    // It is in the cache when it is erased.
    assert_eq!(room.messages(app, 50).await.len(), 2);
    set(app, &room, json!({ "retentionDays": 2 }))
        .await
        .expect_status(200);
    wait_until("the old message to be erased", async || {
        is_erased(app, &old).await
    })
    .await;

    let list = room.messages(app, 50).await;
    assert_eq!(list[0]["content"], Value::Null);
    assert_eq!(list[1]["content"], "a young word");
    assert_eq!(texts(app, &old).await, [Value::Null]);
    assert_eq!(texts(app, &young).await, ["a young word"]);
    let search = format!("/api/v1/messages/search?q=old&conversationId={}", room.id);
    let found = app.get(&search).await.expect_status(200).json();
    assert_eq!(found["results"], json!([]));
    let changes = format!("/api/v1/messages/conversations/{}/changes", room.id);
    let changes = app.get(&changes).await.expect_status(200).json();
    let deletions = changes["changes"].as_array().expect("an array").iter();
    let deletions = deletions.filter(|change| change["type"] == "message-deleted");
    assert_eq!(deletions.count(), 1);
    let unread = format!(
        "/api/v1/messages/users/{}/unread-count?conversationId={}",
        room.users[1], room.id
    );
    assert_eq!(app.get(&unread).await.json()["count"], 1);
}

#[tokio::test]
async fn without_a_policy_or_with_days_0_nothing_is_erased() {
    let app = App::builder().variable("retention_days", 2).spawn().await;
    let (kept, erased) = (Room::new(&app, 2).await, Room::new(&app, 2).await);
    set(&app, &kept, json!({ "retentionDays": 0 }))
        .await
        .expect_status(200);
    let old = kept.say(&app, kept.users[0], "kept").await;
    let gone = erased.say(&app, erased.users[0], "erased").await;
    age(&app, &kept, 3).await;
    age(&app, &erased, 3).await;
    wait_until("the operator's policy", async || {
        is_erased(&app, &gone).await
    })
    .await;
    assert_eq!(app.get(&path_of(&old)).await.json()["content"], "kept");
}

#[tokio::test]
async fn a_call_is_bounded_and_says_what_is_left() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let fill = "
        insert into messages (conversation_id, ordinal, sender_id, kind, content, created_at)
        select $1, n, $2, 'user', 'old', now() - interval '9 days' from generate_series(1, 450) n";
    let postgres = app.postgres().await;
    postgres
        .execute(fill, &[&room.id, &room.users[0]])
        .await
        .expect("messages");
    let count = "update conversations set message_count = 450 where id = $1";
    postgres.execute(count, &[&room.id]).await.expect("a count");
    set(&app, &room, json!({ "retentionDays": 1 }))
        .await
        .expect_status(200);
    let mut left = 450;
    while left > 0 {
        let done = retain(&app).await;
        let erased = done["erased"].as_i64().expect("a number");
        assert!((1..=200).contains(&erased), "{done}");
        left -= erased;
        assert_eq!(done["remaining"], left);
    }
    assert_eq!(retain(&app).await, json!({ "erased": 0, "remaining": 0 }));
}

#[tokio::test]
async fn the_relay_does_it_in_passing() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let old = room.say(&app, room.users[0], "old").await;
    age(&app, &room, 3).await;
    set(&app, &room, json!({ "retentionDays": 1 }))
        .await
        .expect_status(200);
    wait_until("retention", async || {
        // A probe of the host wakes the relay.
        app.get("/api/v1/health/ready").await.expect_status(200);
        app.get(&path_of(&old)).await.json()["content"] == Value::Null
    })
    .await;
}
