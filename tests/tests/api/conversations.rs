//! Conversations and their participants.

use redis::AsyncCommands;
use serde_json::{Value, json};
use testkit::{app, unique_user};
use tests::{Room, opened};

#[tokio::test]
async fn a_created_conversation_is_read_back_and_cached() {
    let app = app().await;
    let (one, two) = (unique_user(), unique_user());
    let body = json!({ "title": "Müller ./. Meier", "participantIds": [two, one, one] });
    let created = app
        .post("/api/v1/conversations", body)
        .await
        .expect_status(201);
    let conversation = created.json();
    assert_eq!(conversation["title"], "Müller ./. Meier");
    assert_eq!(
        conversation["participantIds"],
        json!([one.min(two), one.max(two)])
    );
    let path = format!("/api/v1/conversations/{}", conversation["id"]);
    assert_eq!(created.header("location"), Some(path.as_str()));
    assert_eq!(app.get(&path).await.expect_status(200).json(), conversation);
    let mut redis = app.redis().await;
    let key = format!("conversation:{}", conversation["id"]);
    let cached: String = redis.get(&key).await.expect("a string");
    let ttl: i64 = redis.ttl(&key).await.expect("a TTL");
    assert_eq!(
        serde_json::from_str::<Value>(&opened(cached)).expect("JSON"),
        conversation
    );
    assert!((7100..=7200).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn a_conversation_is_hidden_from_others() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = format!("/api/v1/conversations/{}", room.id);
    app.get(&format!("{path}?userId={}", room.users[0]))
        .await
        .expect_status(200);
    app.get(&format!("{path}?userId={}", unique_user()))
        .await
        .expect_status(404);
    app.get("/api/v1/conversations/1125899906842624")
        .await
        .expect_status(404);
}

#[tokio::test]
async fn invalid_conversations_are_refused() {
    let app = app().await;
    for (body, status, field) in [
        (json!({ "participantIds": [] }), 422, "participantIds"),
        (
            json!({ "participantIds": (1..=501).collect::<Vec<i64>>() }),
            422,
            "participantIds",
        ),
        (json!({ "participantIds": ["1"] }), 400, "participantIds[0]"),
        (json!({ "title": "x" }), 400, "body"),
        (json!({ "title": " ", "participantIds": [1] }), 422, "title"),
        (
            json!({ "title": "x".repeat(201), "participantIds": [1] }),
            422,
            "title",
        ),
    ] {
        let refused = app
            .post("/api/v1/conversations", &body)
            .await
            .expect_status(status)
            .json();
        assert_eq!(refused["errors"][0]["field"], field);
    }
    let outsider = format!("/api/v1/conversations?userId={}", unique_user());
    app.post(&outsider, json!({ "participantIds": [unique_user()] }))
        .await
        .expect_status(403);
}

#[tokio::test]
async fn a_users_conversations_come_by_activity_in_pages() {
    let app = app().await;
    let (user, other) = (unique_user(), unique_user());
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(Room::of(app, vec![user, other]).await);
    }
    for room in [&rooms[3], &rooms[0]] {
        room.say(app, other, "newest").await;
    }
    let mut path = format!("/api/v1/conversations?userId={user}&limit=2");
    let mut seen = Vec::new();
    loop {
        let page = app.get(&path).await.expect_status(200);
        seen.extend(page.json().as_array().expect("an array").clone());
        match page.header("link") {
            Some(link) => {
                path = link
                    .trim_start_matches('<')
                    .split('>')
                    .next()
                    .expect("a target")
                    .to_owned()
            }
            None => break,
        }
    }
    let ids: Vec<i64> = seen
        .iter()
        .filter_map(|conversation| conversation["id"].as_i64())
        .collect();
    assert_eq!(
        ids,
        [
            rooms[0].id,
            rooms[3].id,
            rooms[4].id,
            rooms[2].id,
            rooms[1].id
        ]
    );
    assert_eq!(
        (&seen[0]["unreadCount"], &seen[0]["lastMessage"]["content"]),
        (&json!(1), &json!("newest"))
    );
    assert_eq!(
        (&seen[4]["unreadCount"], &seen[4]["lastMessage"]),
        (&json!(0), &Value::Null)
    );
    app.get(&format!("/api/v1/conversations?userId={user}&cursor=x"))
        .await
        .expect_status(400);
    app.get(&format!("/api/v1/conversations?userId={user}&limit=0"))
        .await
        .expect_status(400);
    app.get("/api/v1/conversations").await.expect_status(400);
}

#[tokio::test]
async fn a_user_reads_the_conversation_from_joining_to_leaving() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let newcomer = unique_user();
    let conversation = format!("/api/v1/conversations/{}", room.id);
    let participants = format!("{conversation}/participants");
    let as_newcomer = format!("{}&userId={newcomer}", room.list(50));
    room.say(app, room.users[0], "before").await;
    app.get(&as_newcomer).await.expect_status(404);
    let joined = app
        .post(&participants, json!({ "userId": newcomer }))
        .await
        .expect_status(201)
        .json();
    assert!(
        joined["participantIds"]
            .as_array()
            .expect("ids")
            .contains(&json!(newcomer))
    );
    app.post(&participants, json!({ "userId": newcomer }))
        .await
        .expect_status(200);
    app.get(&as_newcomer).await.expect_status(200);
    app.get(&as_newcomer).await.expect_status(200);
    room.say(app, newcomer, "hello").await;
    app.delete(&format!("{participants}/{newcomer}"))
        .await
        .expect_status(204);
    app.get(&as_newcomer).await.expect_status(404);
    room.post(app, newcomer, "still there?")
        .await
        .expect_status(404);
    app.delete(&format!("{participants}/{newcomer}"))
        .await
        .expect_status(404);
    let outsider = format!("{participants}?userId={}", unique_user());
    app.post(&outsider, json!({ "userId": newcomer }))
        .await
        .expect_status(404);
    app.post(
        "/api/v1/conversations/1125899906842624/participants",
        json!({ "userId": newcomer }),
    )
    .await
    .expect_status(404);
}
