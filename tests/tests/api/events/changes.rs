//! Changes in pages, for clients that ask now and then.

use serde_json::{Value, json};
use testkit::{App, app, unique_user};
use tests::Room;

fn path(room: &Room, query: &str) -> String {
    format!("/api/v1/messages/conversations/{}/changes{query}", room.id)
}

async fn page(app: &App, room: &Room, query: &str) -> Value {
    app.get(&path(room, query)).await.expect_status(200).json()
}

fn seqs(page: &Value) -> Vec<i64> {
    let changes = page["changes"].as_array().expect("an array").iter();
    changes
        .filter_map(|change| change["seq"].as_i64())
        .collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 2..=6 {
        room.say(app, room.users[0], &format!("message {n}")).await;
    }
    let user = format!("&userId={}", room.users[1]);
    let first = page(app, &room, &format!("?after=0&limit=4{user}")).await;
    assert_eq!(
        (seqs(&first), &first["next"]),
        (vec![1, 2, 3, 4], &json!(4))
    );
    assert_eq!(first["changes"][0]["type"], "conversation-created");
    assert_eq!(first["changes"][1]["message"]["content"], "message 2");
    let rest = page(app, &room, &format!("?after=4&limit=4{user}")).await;
    assert_eq!((seqs(&rest), &rest["next"]), (vec![5, 6], &json!(6)));
    let none = page(app, &room, &format!("?after=6{user}")).await;
    assert_eq!(none, json!({ "changes": [], "next": 6 }));
    assert_eq!(seqs(&page(app, &room, "").await).len(), 6);
}

#[tokio::test]
async fn a_message_is_shown_as_it_is_now() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "PRIVILEGED").await;
    let delete = format!("{}?userId={}", tests::path_of(&message), room.users[0]);
    app.delete(&delete).await.expect_status(204);
    let changes = page(app, &room, "").await;
    assert_eq!(seqs(&changes), [1, 2, 3]);
    assert!(!changes.to_string().contains("PRIVILEGED"), "{changes}");
}

#[tokio::test]
async fn they_are_hidden_from_who_does_not_take_part() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let stranger = path(&room, &format!("?userId={}", unique_user()));
    app.get(&stranger).await.expect_status(404);
    let left = room.users[1];
    let leave = format!("/api/v1/conversations/{}/participants/{left}", room.id);
    app.delete(&leave).await.expect_status(204);
    let left = path(&room, &format!("?userId={left}"));
    app.get(&left).await.expect_status(404);
}

#[tokio::test]
async fn a_client_that_is_ahead_goes_back() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let ahead = page(app, &room, "?after=900").await;
    assert_eq!(ahead, json!({ "changes": [], "next": 1 }));
}

#[tokio::test]
async fn errors_name_the_parameter() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for (query, field) in [
        ("?after=x", "after"),
        ("?after=-1", "after"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
    ] {
        let problem = app.get(&path(&room, query)).await.expect_status(400);
        assert_eq!(problem.json()["errors"][0]["field"], field, "{query}");
    }
}
