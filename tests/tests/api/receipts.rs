//! Receipts and unread counts: a cursor that only moves forward.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, Response, app, send, unique_id, unique_user};
use tests::{Room, Subscription, path_of};

fn of(message: &Value, what: &str) -> String {
    format!("/api/v1/messages/messages/{}/{what}", message["id"])
}

async fn try_read(app: &App, message: &Value, user: i64) -> Response {
    app.post(&of(message, "read"), json!({ "userId": user }))
        .await
}

/// Reads a message and returns the time.
async fn read(app: &App, message: &Value, user: i64) -> String {
    let answer = try_read(app, message, user).await.expect_status(200).json();
    assert_eq!(
        (&answer["messageId"], &answer["userId"]),
        (&message["id"], &json!(user))
    );
    answer["readAt"].as_str().expect("a time").to_owned()
}

async fn receipts(app: &App, message: &Value) -> Vec<Value> {
    let answer = app.get(&of(message, "receipts")).await;
    let answer = answer.expect_status(200).json();
    assert_eq!(answer["messageId"], message["id"]);
    answer["readBy"].as_array().expect("an array").clone()
}

fn receipt(user: i64, at: &str) -> Value {
    json!({ "userId": user, "readAt": at })
}

fn unread_path(user: i64) -> String {
    format!("/api/v1/messages/users/{user}/unread-count")
}

async fn unread(app: &App, room: &Room, user: i64) -> i64 {
    let path = format!("{}?conversationId={}", unread_path(user), room.id);
    let answer = app.get(&path).await.expect_status(200).json();
    assert_eq!(
        (&answer["userId"], &answer["conversationId"]),
        (&json!(user), &json!(room.id))
    );
    answer["count"].as_i64().expect("a count")
}

/// Posts `count` messages as a user.
async fn say(app: &App, room: &Room, user: i64, count: usize) -> Vec<Value> {
    let mut said = Vec::new();
    for n in 0..count {
        said.push(room.say(app, user, &format!("{n}")).await);
    }
    said
}

#[tokio::test]
async fn reading_a_message_reads_all_before_it() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let said = say(app, &room, room.users[0], 5).await;
    assert_eq!(unread(app, &room, room.users[1]).await, 5);
    let at = read(app, &said[2], room.users[1]).await;
    assert_eq!(unread(app, &room, room.users[1]).await, 2);
    for message in &said[..3] {
        assert_eq!(receipts(app, message).await, [receipt(room.users[1], &at)]);
    }
    assert!(receipts(app, &said[3]).await.is_empty());
}

#[tokio::test]
async fn reading_again_gives_the_first_time_and_changes_nothing() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let said = say(app, &room, room.users[0], 4).await;
    let channel = format!("conversation:{}:messages", room.id);
    let events = Subscription::open(app, &channel).await;
    let first = read(app, &said[1], room.users[1]).await;
    let second = read(app, &said[3], room.users[1]).await;
    assert!(first <= second);
    for _ in 0..3 {
        assert_eq!(read(app, &said[1], room.users[1]).await, first);
        assert_eq!(read(app, &said[0], room.users[1]).await, first);
        assert_eq!(read(app, &said[2], room.users[1]).await, second);
        assert_eq!(read(app, &said[3], room.users[1]).await, second);
    }
    assert_eq!(unread(app, &room, room.users[1]).await, 0);
    let limit = Duration::from_secs(5);
    let published = events.exactly(2, room.users[1], limit).await;
    for (published, (message, seq)) in published.iter().zip([(&said[1], 6), (&said[3], 7)]) {
        let event = json!({ "type": "message-read", "conversationId": room.id, "seq": seq,
            "message": message, "userId": room.users[1] });
        assert_eq!(published.event, event);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_reads_never_move_the_cursor_back_nor_leave_a_gap_in_seq() {
    let app = app().await;
    for _ in 0..5 {
        let room = Room::new(app, 3).await;
        let said = say(app, &room, room.users[0], 20).await;
        // Each message twice, in an order far from that of the ordinals, by two users.
        let reads = (0..80).map(|n| {
            let (message, user) = (&said[n * 7 % 20], room.users[1 + n / 40]);
            async move { (message, user, read(app, message, user).await) }
        });
        for (message, user, at) in join_all(reads).await {
            assert_eq!(read(app, message, user).await, at, "the first time stays");
        }
        assert_cursors(app, &room, 20).await;
    }
}

/// Both readers have read up to the ordinal, one event for each advance.
async fn assert_cursors(app: &App, room: &Room, ordinal: i64) {
    let database = app.postgres().await;
    let row = database
        .query_one(
            "select array(select last_read_ordinal from participants
                    where conversation_id = $1 and user_id = any($2)),
                array(select seq from events where conversation_id = $1 order by seq),
                (select event_seq from conversations where id = $1),
                (select count(*) from events where conversation_id = $1 and type = 'message-read'),
                (select count(*) from reads where conversation_id = $1)",
            &[&room.id, &&room.users[1..]],
        )
        .await
        .expect("a row");
    let (cursors, seqs): (Vec<i64>, Vec<i64>) = (row.get(0), row.get(1));
    let (event_seq, events, advances): (i64, i64, i64) = (row.get(2), row.get(3), row.get(4));
    assert_eq!(cursors, [ordinal, ordinal]);
    assert_eq!(seqs, (1..=event_seq).collect::<Vec<_>>());
    assert_eq!(events, advances);
}

#[tokio::test]
async fn receipts_are_in_the_order_of_reading_and_leave_out_the_sender() {
    let app = app().await;
    let room = Room::new(app, 4).await;
    let message = room.say(app, room.users[0], "who reads?").await;
    let third = read(app, &message, room.users[3]).await;
    let second = read(app, &message, room.users[1]).await;
    read(app, &message, room.users[0]).await;
    let expected = [
        receipt(room.users[3], &third),
        receipt(room.users[1], &second),
    ];
    assert_eq!(receipts(app, &message).await, expected);
    let left = format!(
        "/api/v1/conversations/{}/participants/{}",
        room.id, room.users[3]
    );
    app.delete(&left).await.expect_status(204);
    assert_eq!(
        receipts(app, &message).await,
        expected,
        "a receipt outlives the participation"
    );
    let as_user = |user: i64| format!("{}?userId={user}", of(&message, "receipts"));
    app.get(&as_user(room.users[2])).await.expect_status(200);
    app.get(&as_user(room.users[3])).await.expect_status(404);
    app.get(&as_user(unique_user())).await.expect_status(404);
}

#[tokio::test]
async fn a_user_who_returns_has_read_the_same_as_before() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let said = say(app, &room, room.users[0], 3).await;
    let at = read(app, &said[1], room.users[1]).await;
    let people = format!("/api/v1/conversations/{}/participants", room.id);
    app.delete(&format!("{people}/{}", room.users[1]))
        .await
        .expect_status(204);
    try_read(app, &said[2], room.users[1])
        .await
        .expect_status(404);
    app.post(&people, json!({ "userId": room.users[1] }))
        .await
        .expect_status(201);
    assert_eq!(unread(app, &room, room.users[1]).await, 1);
    assert_eq!(read(app, &said[0], room.users[1]).await, at);
    read(app, &said[2], room.users[1]).await;
    assert_eq!(unread(app, &room, room.users[1]).await, 0);
}

#[tokio::test]
async fn unread_are_messages_by_others_that_are_not_deleted() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (anna, ben) = (room.users[0], room.users[1]);
    let said = say(app, &room, anna, 3).await;
    say(app, &room, ben, 2).await;
    assert_eq!(
        (
            unread(app, &room, anna).await,
            unread(app, &room, ben).await
        ),
        (2, 3)
    );
    app.delete(&path_of(&said[1])).await.expect_status(204);
    assert_eq!(unread(app, &room, ben).await, 2);
    read(app, &said[1], ben).await;
    assert_eq!(
        unread(app, &room, ben).await,
        1,
        "a tombstone counts as read like any message"
    );
    app.patch(&path_of(&said[2]), json!({ "content": "edited" }))
        .await
        .expect_status(200);
    assert_eq!(
        unread(app, &room, ben).await,
        1,
        "an edit makes nothing unread"
    );
}

#[tokio::test]
async fn unread_counts_are_exact_after_concurrent_posts_reads_and_deletions() {
    let app = app().await;
    let room = Room::new(app, 3).await;
    let busy = |user: i64| {
        let room = &room;
        async move {
            for _ in 0..20 {
                let said = room.say(app, user, "said").await;
                let read = room.messages(app, 100).await;
                let newest = read.last().expect("a message");
                try_read(app, newest, user).await.expect_status(200);
                let gone = room.say(app, user, "gone").await;
                send(app.request(Method::DELETE, &path_of(&gone)))
                    .await
                    .expect_status(204);
                assert!(newest["ordinal"].as_i64() >= said["ordinal"].as_i64());
            }
        }
    };
    join_all(room.users.iter().chain(&room.users).map(|user| busy(*user))).await;

    let recount = "
        select count(*) from messages m join participants p using (conversation_id)
        where m.conversation_id = $1 and p.user_id = $2 and m.ordinal > p.last_read_ordinal
          and m.sender_id is distinct from p.user_id and m.deleted_at is null";
    let database = app.postgres().await;
    for user in &room.users {
        let row = database.query_one(recount, &[&room.id, user]).await;
        let exact: i64 = row.expect("a count").get(0);
        assert_eq!(unread(app, &room, *user).await, exact);
    }
}

#[tokio::test]
async fn the_total_lists_the_conversations_with_something_to_read() {
    let app = app().await;
    let (reader, writer) = (unique_user(), unique_user());
    let mut rooms = Vec::new();
    for count in [2, 0, 3] {
        let room = Room::of(app, vec![reader, writer]).await;
        say(app, &room, writer, count).await;
        rooms.push(room);
    }
    assert_eq!(
        app.get(&unread_path(reader))
            .await
            .expect_status(200)
            .json(),
        json!({ "userId": reader, "total": 5, "conversations": [
            { "conversationId": rooms[0].id, "count": 2 },
            { "conversationId": rooms[2].id, "count": 3 },
        ] })
    );
    let stranger = unique_user();
    assert_eq!(
        app.get(&unread_path(stranger))
            .await
            .expect_status(200)
            .json(),
        json!({ "userId": stranger, "total": 0, "conversations": [] })
    );
}

#[tokio::test]
async fn a_read_of_a_hidden_message_is_not_found() {
    let app = app().await;
    let (room, other) = (Room::new(app, 2).await, Room::new(app, 2).await);
    let message = room.say(app, room.users[0], "secret").await;
    let absent = json!({ "id": unique_id() });
    for user in [other.users[0], unique_user()] {
        try_read(app, &message, user).await.expect_status(404);
        try_read(app, &absent, user).await.expect_status(404);
    }
    app.get(&of(&absent, "receipts")).await.expect_status(404);
    for (user, room) in [(other.users[0], room.id), (room.users[0], unique_id())] {
        let path = format!("{}?conversationId={room}", unread_path(user));
        app.get(&path).await.expect_status(404);
    }
}

#[tokio::test]
async fn errors_name_the_field() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "x").await;
    let path = of(&message, "read");
    for (body, field) in [
        (json!({}), "body"),
        (json!({ "userId": "1" }), "userId"),
        (json!({ "userId": -1 }), "userId"),
        (json!([]), "body"),
    ] {
        let problem = app.post(&path, &body).await.expect_status(400).json();
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let text = app.request(Method::POST, &path).body("{}");
    send(text).await.expect_status(415);
    let long = app
        .request(Method::POST, &path)
        .header("content-type", "application/json");
    send(long.body(" ".repeat(70_000))).await.expect_status(413);
    let bad = json!({ "id": "x" });
    try_read(app, &bad, 1).await.expect_status(400);
    app.get(&of(&bad, "receipts")).await.expect_status(400);
    app.get("/api/v1/messages/users/x/unread-count")
        .await
        .expect_status(400);
    app.get(&format!("{}?conversationId=x", unread_path(1)))
        .await
        .expect_status(400);
    for (method, path, allow) in [
        (Method::GET, path.clone(), "POST, OPTIONS"),
        (Method::POST, of(&message, "receipts"), "GET, HEAD, OPTIONS"),
        (Method::POST, unread_path(1), "GET, HEAD, OPTIONS"),
    ] {
        let answer = send(app.request(method, &path)).await.expect_status(405);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn reading_works_without_redis_and_not_without_postgres() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let said = say(&app, &room, room.users[0], 2).await;
    app.stop_redis().await;
    let at = read(&app, &said[0], room.users[1]).await;
    assert_eq!(read(&app, &said[0], room.users[1]).await, at);
    assert_eq!(unread(&app, &room, room.users[1]).await, 1);
    app.start_redis().await;
    app.stop_postgres().await;
    for (method, path) in [
        (Method::GET, of(&said[0], "receipts")),
        (Method::GET, unread_path(room.users[1])),
    ] {
        let answer = send(app.request(method, &path)).await.expect_status(503);
        assert!(answer.header("retry-after").is_some(), "{path}");
    }
    try_read(&app, &said[1], room.users[1])
        .await
        .expect_status(503);
}
