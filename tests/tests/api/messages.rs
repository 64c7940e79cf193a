//! Posting, reading, editing and deleting messages.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures::future::join_all;
use redis::AsyncCommands;
use serde_json::{Value, json};
use testkit::{App, app, unique_user, wait_for};
use tests::{Room, Subscription, opened, ordinals, path_of};

#[tokio::test]
async fn a_posted_message_is_read_back_unchanged() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let posted = room
        .post(app, room.users[0], "Guten Tag, \"Frau\" Ünal\n☎")
        .await
        .expect_status(201);
    let message = posted.json();
    assert_eq!(posted.header("location"), Some(path_of(&message).as_str()));
    assert_eq!(message["conversationId"], room.id);
    assert_eq!(message["ordinal"], 1);
    assert_eq!(message["senderId"], room.users[0]);
    assert_eq!(message["kind"], "user");
    assert_eq!(message["content"], "Guten Tag, \"Frau\" Ünal\n☎");
    assert!(message.get("editedAt").is_none() && message.get("clientMessageId").is_none());
    assert_eq!(room.messages(app, 50).await, std::slice::from_ref(&message));
    assert_eq!(
        app.get(&path_of(&message)).await.expect_status(200).json(),
        message
    );
}

#[tokio::test]
async fn fifty_concurrent_posts_get_ordinals_one_to_fifty() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let posts = (0..50)
        .map(|n| room.say(app, room.users[n % 2], "at once"))
        .collect::<Vec<_>>();
    let mut given = ordinals(&join_all(posts).await);
    given.sort_unstable();
    assert_eq!(given, (1..=50).collect::<Vec<_>>());
    assert_eq!(
        ordinals(&room.messages(app, 50).await),
        (1..=50).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn twenty_concurrent_posts_with_one_client_message_id_write_once() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let body = json!({ "conversationId": room.id, "senderId": room.users[0], "content": "once",
        "clientMessageId": "5f0c8a52" });
    let answers = join_all((0..20).map(|_| app.post("/api/v1/messages", &body))).await;
    let created = answers
        .iter()
        .filter(|answer| answer.status() == 201)
        .count();
    let repeated = answers
        .iter()
        .filter(|answer| answer.status() == 200)
        .count();
    assert_eq!((created, repeated), (1, 19));
    let first = answers[0].json();
    assert!(answers.iter().all(|answer| answer.json() == first));
    assert_eq!(room.messages(app, 50).await, [first]);
}

#[tokio::test]
async fn a_post_without_effect_leaves_its_conversation_in_its_place() {
    let app = app().await;
    let users = vec![unique_user(), unique_user()];
    let user = users[0];
    let first = Room::of(app, users.clone()).await;
    let once = json!({ "conversationId": first.id, "senderId": user, "content": "once",
        "clientMessageId": "once" });
    app.post("/api/v1/messages", &once).await.expect_status(201);
    let second = Room::of(app, users).await;
    let elsewhere = second.say(app, user, "later").await;
    let list = async || {
        let path = format!("/api/v1/conversations?userId={user}");
        app.get(&path).await.expect_status(200).json()
    };
    let before = list().await;
    assert_eq!(before[0]["id"], second.id);
    let mut conflict = once.clone();
    conflict["content"] = json!("twice");
    let mut reply = once.clone();
    reply["clientMessageId"] = json!("reply");
    reply["replyToId"] = elsewhere["id"].clone();
    for (body, status) in [(once, 200), (conflict, 409), (reply, 422)] {
        app.post("/api/v1/messages", &body)
            .await
            .expect_status(status);
        assert_eq!(list().await, before);
    }
}

#[tokio::test]
async fn posts_at_once_are_answered_each_for_itself() {
    let app = app().await;
    let (room, other) = (Room::new(app, 2).await, Room::new(app, 2).await);
    let (question, taken) = (
        room.say(app, room.users[0], "?").await,
        json!({ "conversationId": room.id, "senderId": room.users[0], "content": "first",
            "clientMessageId": "taken" }),
    );
    app.post("/api/v1/messages", &taken)
        .await
        .expect_status(201);
    let stranger = unique_user();
    let case = |number: usize| {
        let content = format!("number {number}");
        let post = |room: &Room, user: i64| json!({ "conversationId": room.id, "senderId": user, "content": content });
        let with = |mut body: Value, member: &str, value: Value| {
            body[member] = value;
            body
        };
        match number % 6 {
            0 => (post(&room, room.users[0]), 201),
            1 => (post(&other, other.users[1]), 201),
            2 => (post(&room, stranger), 404),
            3 => (
                with(
                    post(&other, other.users[0]),
                    "replyToId",
                    question["id"].clone(),
                ),
                422,
            ),
            4 => (
                with(
                    post(&room, room.users[0]),
                    "clientMessageId",
                    json!("taken"),
                ),
                409,
            ),
            _ => (
                with(
                    post(&room, room.users[1]),
                    "replyToId",
                    question["id"].clone(),
                ),
                201,
            ),
        }
    };
    let posts = (0..60).map(case).map(|(body, status)| async move {
        let answer = app.post("/api/v1/messages", &body).await;
        let answer = answer.expect_status(status).json();
        if status == 201 {
            assert_eq!(answer["content"], body["content"]);
            assert_eq!(answer["conversationId"], body["conversationId"]);
            assert_eq!(answer["senderId"], body["senderId"]);
        }
    });
    let again = (0..10).map(|_| async {
        let answer = app.post("/api/v1/messages", &taken).await;
        assert_eq!(answer.expect_status(200).json()["content"], "first");
    });
    futures::join!(join_all(posts), join_all(again));
    let written = [&room, &other].map(|room| room.messages(app, 50));
    let [in_room, in_other] = futures::future::join_all(written).await.try_into().unwrap();
    assert_eq!(ordinals(&in_room), (1..=22).collect::<Vec<_>>());
    assert_eq!(ordinals(&in_other), (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_retry_shares_what_the_first_try_could_not() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(app, room.users[0], "first").await;
    room.messages(app, 50).await;
    let mut redis = app.redis().await;
    let body = json!({ "conversationId": room.id, "senderId": room.users[0], "content": "second",
        "clientMessageId": "retried" });
    let posted = app
        .post("/api/v1/messages", &body)
        .await
        .expect_status(201)
        .json();
    // As if the first instance had crashed between PostgreSQL and Redis.
    let () = redis.rpop(room.list_key(), None).await.expect("a removal");
    app.post("/api/v1/messages", &body).await.expect_status(200);
    let list = app.get(&room.list(50)).await.expect_status(200);
    assert_eq!(list.header("x-cache"), Some("hit"));
    assert_eq!(list.json()[1], posted);
}

#[tokio::test]
async fn a_client_message_id_is_not_used_for_another_message() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let post = |user: i64, content: &'static str| {
        let body = json!({ "conversationId": room.id, "senderId": user, "content": content,
            "clientMessageId": "a1" });
        async move { app.post("/api/v1/messages", body).await }
    };
    let first = post(room.users[0], "first").await.expect_status(201).json();
    post(room.users[0], "other").await.expect_status(409);
    post(room.users[1], "other sender, own key")
        .await
        .expect_status(201);
    app.patch(&path_of(&first), json!({ "content": "changed" }))
        .await
        .expect_status(200);
    let again = post(room.users[0], "first").await.expect_status(200).json();
    assert_eq!(
        again["content"], "changed",
        "a retry after an edit is still a retry"
    );
}

/// Fails if a message is missing between the first and the last.
fn assert_gapless(messages: &[Value]) {
    let seen = ordinals(messages);
    assert!(
        seen.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "a gap or a repeat: {seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_racing_writers_and_evictions_sees_every_acknowledged_message() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (acknowledged, done) = (AtomicI64::new(0), AtomicBool::new(false));
    let write = async {
        let writers = (0..4).map(|_| async {
            for _ in 0..40 {
                let message = room.say(app, room.users[0], "racing").await;
                let ordinal = message["ordinal"].as_i64().expect("an ordinal");
                acknowledged.fetch_max(ordinal, Ordering::SeqCst);
            }
        });
        join_all(writers).await;
        done.store(true, Ordering::SeqCst);
    };
    let read = async {
        while !done.load(Ordering::SeqCst) {
            let before = acknowledged.load(Ordering::SeqCst);
            let messages = room.messages(app, 50).await;
            assert_gapless(&messages);
            let newest = ordinals(&messages).last().copied().unwrap_or(0);
            assert!(
                newest >= before,
                "read up to {newest}, but {before} was acknowledged"
            );
        }
    };
    let evict = async {
        let mut redis = app.redis().await;
        while !done.load(Ordering::SeqCst) {
            let () = redis.del(room.list_key()).await.expect("a deletion");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(write, read, async {
        tokio::join!(evict, read_also(app, &room, &done))
    });
    assert_eq!(
        ordinals(&room.messages(app, 100).await),
        (61..=160).collect::<Vec<_>>()
    );
}

async fn read_also(app: &App, room: &Room, done: &AtomicBool) {
    while !done.load(Ordering::SeqCst) {
        assert_gapless(&room.messages(app, 100).await);
    }
}

#[tokio::test]
async fn a_post_on_a_cold_cache_hides_nothing() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 0..3 {
        room.say(app, room.users[0], &format!("{n}")).await;
    }
    let mut redis = app.redis().await;
    let () = redis.del(room.list_key()).await.expect("a deletion");
    room.say(app, room.users[1], "3").await;
    assert_eq!(ordinals(&room.messages(app, 50).await), [1, 2, 3, 4]);
}

#[tokio::test]
async fn the_second_read_comes_from_the_cache_and_is_the_same() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(app, room.users[0], "cached").await;
    let first = app.get(&room.list(50)).await.expect_status(200);
    let second = app.get(&room.list(50)).await.expect_status(200);
    assert_eq!(
        (first.header("x-cache"), second.header("x-cache")),
        (Some("miss"), Some("hit"))
    );
    assert_eq!(first.text(), second.text());
    let participant = format!("{}&userId={}", room.list(50), room.users[1]);
    app.get(&participant).await.expect_status(200);
    assert_eq!(app.get(&participant).await.header("x-cache"), Some("hit"));
    app.get(&format!("{}&userId={}", room.list(50), unique_user()))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn redis_holds_the_list_and_the_message_as_specified() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut said = Vec::new();
    for n in 0..105 {
        said.push(room.say(app, room.users[0], &format!("message {n}")).await);
        if n == 0 {
            room.messages(app, 50).await;
        }
    }
    let mut redis = app.redis().await;
    let kind: String = redis::cmd("TYPE")
        .arg(room.list_key())
        .query_async(&mut redis)
        .await
        .expect("a type");
    let ttl: i64 = redis.ttl(room.list_key()).await.expect("a TTL");
    assert_eq!(kind, "list");
    assert!((3500..=3600).contains(&ttl), "{ttl}");
    let cached: Vec<String> = redis
        .lrange(room.list_key(), 0, -1)
        .await
        .expect("the list");
    let cached: Vec<Value> = cached
        .iter()
        .map(|json| serde_json::from_str(&opened(json.clone())).expect("JSON"))
        .collect();
    assert_eq!(cached, said[5..], "the newest hundred, oldest first");
    let single: String = redis
        .get(format!("message:{}", said[104]["id"]))
        .await
        .expect("the message");
    assert_eq!(
        serde_json::from_str::<Value>(&opened(single)).expect("JSON"),
        said[104]
    );
}

#[tokio::test]
async fn pages_lead_back_to_the_first_message_and_forward_again() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 0..7 {
        room.say(app, room.users[0], &format!("{n}")).await;
    }
    let newest = app.get(&room.list(3)).await.expect_status(200);
    assert_eq!(
        ordinals(newest.json().as_array().expect("an array")),
        [5, 6, 7]
    );
    let middle = follow(app, newest.header("link")).await;
    assert_eq!(middle.0, [2, 3, 4]);
    let first = follow(app, middle.1.as_deref()).await;
    assert_eq!(first, (vec![1], None), "nothing is before the first");
    let all = room.messages(app, 7).await;
    let after = app
        .get(&format!("{}&after={}", room.list(3), all[1]["id"]))
        .await
        .expect_status(200);
    assert_eq!(
        ordinals(after.json().as_array().expect("an array")),
        [3, 4, 5]
    );
    let other = Room::new(app, 2).await;
    let foreign = format!("{}&before={}", other.list(3), all[1]["id"]);
    app.get(&foreign).await.expect_status(404);
}

async fn follow(app: &App, link: Option<&str>) -> (Vec<i64>, Option<String>) {
    let link = link.expect("a Link header");
    assert!(link.ends_with(r#">; rel="prev""#), "{link}");
    let path = link
        .trim_start_matches('<')
        .split('>')
        .next()
        .expect("a target");
    let page = app.get(path).await.expect_status(200);
    (
        ordinals(page.json().as_array().expect("an array")),
        page.header("link").map(str::to_owned),
    )
}

#[tokio::test]
async fn only_its_sender_edits_a_message() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "before").await;
    room.messages(app, 50).await;
    let edit = |user: i64| {
        let path = format!("{}?userId={user}", path_of(&message));
        async move { app.patch(&path, json!({ "content": "after" })).await }
    };
    edit(room.users[1]).await.expect_status(403);
    edit(unique_user()).await.expect_status(404);
    let edited = edit(room.users[0]).await.expect_status(200).json();
    assert_eq!(
        (&edited["content"], &edited["ordinal"]),
        (&json!("after"), &json!(1))
    );
    assert!(edited["editedAt"].is_string());
    assert_eq!(room.messages(app, 50).await, std::slice::from_ref(&edited));
    assert_eq!(app.get(&path_of(&message)).await.json(), edited);
}

#[tokio::test]
async fn a_deleted_message_keeps_its_place_as_a_tombstone() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "to be deleted").await;
    room.say(app, room.users[1], "stays").await;
    room.messages(app, 50).await;
    let delete = |user: i64| {
        let path = format!("{}?userId={user}", path_of(&message));
        async move { app.delete(&path).await }
    };
    delete(room.users[1]).await.expect_status(403);
    assert_eq!(delete(room.users[0]).await.expect_status(204).text(), "");
    delete(room.users[0]).await.expect_status(204);
    let list = room.messages(app, 50).await;
    assert_eq!(ordinals(&list), [1, 2]);
    assert_eq!(list[0]["content"], Value::Null);
    assert!(list[0]["deletedAt"].is_string());
    app.patch(&path_of(&message), json!({ "content": "back" }))
        .await
        .expect_status(409);
    let stored = app.postgres().await;
    let text = stored
        .query_one(
            "select content from messages where id = $1",
            &[&message["id"].as_i64()],
        )
        .await;
    assert_eq!(
        text.expect("a row").get::<_, Option<String>>(0),
        None,
        "the text is gone"
    );
}

#[tokio::test]
async fn a_reply_answers_a_message_of_its_own_conversation() {
    let app = app().await;
    let (room, other) = (Room::new(app, 2).await, Room::new(app, 2).await);
    let question = room.say(app, room.users[0], "?").await;
    let reply = |conversation: i64, user: i64| {
        let body = json!({ "conversationId": conversation, "senderId": user, "content": "!", "replyToId": question["id"] });
        async move { app.post("/api/v1/messages", body).await }
    };
    let answer = reply(room.id, room.users[1])
        .await
        .expect_status(201)
        .json();
    assert_eq!(answer["replyToId"], question["id"]);
    let refused = reply(other.id, other.users[0])
        .await
        .expect_status(422)
        .json();
    assert_eq!(refused["errors"][0]["field"], "replyToId");
    assert!(room.messages(app, 50).await.len() == 2 && other.messages(app, 50).await.is_empty());
}

#[tokio::test]
async fn changes_are_published_on_the_conversations_channel() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let channel = format!("conversation:{}:messages", room.id);
    let events = Subscription::open(app, &channel).await;
    let message = room.say(app, room.users[0], "published").await;
    app.patch(&path_of(&message), json!({ "content": "corrected" }))
        .await
        .expect_status(200);
    app.delete(&path_of(&message)).await.expect_status(204);
    let limit = std::time::Duration::from_secs(5);
    let observe = async || events.all();
    let published = wait_for("three events", limit, observe, |all| all.len() >= 3).await;
    assert_eq!(published.len(), 3, "{published:?}");
    let published: Vec<Value> = published.into_iter().map(|one| one.event).collect();
    assert_eq!(published[0]["type"], "new-message");
    assert_eq!(published[0]["message"], message);
    assert_eq!(
        (&published[1]["type"], &published[1]["message"]["content"]),
        (&json!("message-edited"), &json!("corrected"))
    );
    assert_eq!(
        (&published[2]["type"], &published[2]["message"]["content"]),
        (&json!("message-deleted"), &Value::Null)
    );
}

#[tokio::test]
async fn every_refusal_is_a_problem_that_names_the_member() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let valid = json!({ "conversationId": room.id, "senderId": room.users[0], "content": "x" });
    let with = |member: &str, value: Value| {
        let mut body = valid.clone();
        body[member] = value;
        body
    };
    let cases = [
        (with("conversationId", json!("1")), 400, "conversationId"),
        (with("senderId", json!(0)), 400, "senderId"),
        (with("senderId", json!(1_i64 << 53)), 400, "senderId"),
        (with("content", json!(7)), 400, "content"),
        (with("content", json!(" \n ")), 422, "content"),
        (with("content", json!("nul\u{0}")), 422, "content"),
        (with("content", json!("x".repeat(16_385))), 422, "content"),
        (with("clientMessageId", json!("")), 422, "clientMessageId"),
        (
            with("clientMessageId", json!("k".repeat(129))),
            422,
            "clientMessageId",
        ),
    ];
    for (body, status, field) in cases {
        let refused = app
            .post("/api/v1/messages", &body)
            .await
            .expect_status(status);
        assert_eq!(
            refused.header("content-type"),
            Some("application/problem+json")
        );
        let problem = refused.json();
        assert_eq!(
            (&problem["status"], &problem["errors"][0]["field"]),
            (&json!(status), &json!(field))
        );
    }
    app.post(
        "/api/v1/messages",
        with("content", json!("x".repeat(16_384))),
    )
    .await
    .expect_status(201);
    app.post("/api/v1/messages", with("senderId", json!(unique_user())))
        .await
        .expect_status(404);
    app.post(
        "/api/v1/messages",
        with("conversationId", json!(1_i64 << 50)),
    )
    .await
    .expect_status(404);
}

#[tokio::test]
async fn paths_and_queries_are_checked() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let list = "/api/v1/messages";
    for (path, status) in [
        (format!("{list}?conversationId=x"), 400),
        (list.to_owned(), 400),
        (room.list(0), 400),
        (room.list(101), 400),
        (format!("{}&before=x", room.list(5)), 400),
        (format!("{}&before=1&after=1", room.list(5)), 400),
        (format!("{list}?conversationId={}", 1_i64 << 50), 404),
        (format!("{list}/x"), 400),
        (format!("{list}/0"), 400),
        (format!("{list}/{}", 1_i64 << 50), 404),
        ("/api/v1/nothing/here".to_owned(), 404),
    ] {
        let refused = app.get(&path).await.expect_status(status);
        assert_eq!(
            refused.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
    }
    let put = testkit::send(app.request(reqwest::Method::PUT, list).json(&json!({})))
        .await
        .expect_status(405);
    assert_eq!(put.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
}

#[tokio::test]
async fn bodies_must_be_json_and_small() {
    let app = app().await;
    let post = |kind: &'static str, body: Vec<u8>| async move {
        let request = app
            .request(reqwest::Method::POST, "/api/v1/messages")
            .header("content-type", kind);
        testkit::send(request.body(body)).await.status()
    };
    assert_eq!(post("text/plain", b"{}".to_vec()).await, 415);
    assert_eq!(post("application/json", b"{".to_vec()).await, 400);
    assert_eq!(post("application/json", b"\xff\xfe".to_vec()).await, 400);
    assert_eq!(post("application/json", b"[]".to_vec()).await, 400);
    assert_eq!(post("application/json", vec![b' '; 200_000]).await, 413);
}

#[tokio::test]
async fn answers_carry_length_and_request_id() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let ask = |id: &'static str| {
        let request = app
            .request(reqwest::Method::GET, &room.list(5))
            .header("x-request-id", id);
        testkit::send(request)
    };
    let echoed = ask("trace-1.a_b").await;
    assert_eq!(echoed.header("x-request-id"), Some("trace-1.a_b"));
    assert_eq!(echoed.header("content-length"), Some("2"));
    let made = ask("not well formed").await;
    assert_eq!(made.header("x-request-id").map(str::len), Some(32));
}
