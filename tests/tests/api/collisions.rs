//! Two things at once: a second connection holds the conversation's row, so that requests queue for
//! it, and what each of them decides must be true when it gets the row.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{App, Response, app, send, unique_user, wait_for};
use tests::{Room, path_of};
use tokio_postgres::Client;

/// How long a request takes to reach the row at the most.
const ARRIVAL: Duration = Duration::from_millis(300);

/// A transaction that holds a conversation's row.
struct Held(Client);

impl Held {
    async fn new(app: &App, room: &Room) -> Self {
        let client = app.postgres().await;
        let lock = format!(
            "begin; select from conversations where id = {} for update",
            room.id
        );
        client.batch_execute(&lock).await.expect("the row");
        Self(client)
    }

    async fn release(self) {
        self.0.batch_execute("commit").await.expect("a commit");
    }
}

/// Lets requests queue for the row, in this order, and then go on.
async fn queued(app: &App, room: &Room, requests: Vec<reqwest::RequestBuilder>) -> Vec<Response> {
    let held = Held::new(app, room).await;
    let sent: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(at, request)| {
            tokio::spawn(async move {
                tokio::time::sleep(ARRIVAL * u32::try_from(at).unwrap_or(0)).await;
                send(request).await
            })
        })
        .collect();
    tokio::time::sleep(ARRIVAL * u32::try_from(sent.len()).unwrap_or(0)).await;
    held.release().await;
    let responses = join_all(sent).await;
    responses
        .into_iter()
        .map(|response| response.expect("a response"))
        .collect()
}

/// The types of all events of a conversation, in their order.
async fn event_types(app: &App, room: &Room) -> Vec<String> {
    let rows = app
        .postgres()
        .await
        .query(
            "select type::text from events where conversation_id = $1 order by seq",
            &[&room.id],
        )
        .await
        .expect("events");
    rows.iter().map(|row| row.get(0)).collect()
}

fn post_as(app: &App, room: &Room, user: i64, content: &str) -> reqwest::RequestBuilder {
    let body = json!({"conversationId": room.id, "senderId": user, "content": content});
    app.request(Method::POST, "/api/v1/messages").json(&body)
}

fn leave(app: &App, room: &Room, user: i64) -> reqwest::RequestBuilder {
    let path = format!("/api/v1/conversations/{}/participants/{user}", room.id);
    app.request(Method::DELETE, &path)
}

fn join(app: &App, room: &Room, user: i64) -> reqwest::RequestBuilder {
    let path = format!("/api/v1/conversations/{}/participants", room.id);
    app.request(Method::POST, &path)
        .json(&json!({"userId": user}))
}

fn edit(app: &App, message: &Value, user: i64) -> reqwest::RequestBuilder {
    let body = json!({"content": "edited", "senderId": user});
    app.request(Method::PATCH, &path_of(message)).json(&body)
}

fn delete(app: &App, message: &Value, user: i64) -> reqwest::RequestBuilder {
    let path = format!("{}?userId={user}", path_of(message));
    app.request(Method::DELETE, &path)
}

fn statuses(responses: &[Response]) -> Vec<u16> {
    responses.iter().map(|response| response.status()).collect()
}

async fn unread(app: &App, room: &Room, user: i64) -> i64 {
    let path = format!(
        "/api/v1/messages/users/{user}/unread-count?conversationId={}",
        room.id
    );
    let count = app.get(&path).await.expect_status(200).json();
    count["count"].as_i64().expect("a count")
}

#[tokio::test]
async fn a_post_behind_its_senders_leaving_is_refused() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let user = room.users[1];
    let requests = vec![leave(app, &room, user), post_as(app, &room, user, "after")];
    let responses = queued(app, &room, requests).await;
    assert_eq!(statuses(&responses), [204, 404]);
    assert_eq!(
        event_types(app, &room).await,
        ["conversation-created", "participant-left"]
    );
}

#[tokio::test]
async fn of_joins_at_once_one_is_the_change() {
    let app = app().await;
    let (room, user) = (Room::new(app, 1).await, unique_user());
    let requests = (0..4).map(|_| join(app, &room, user)).collect();
    let mut statuses = statuses(&queued(app, &room, requests).await);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
    assert_eq!(
        event_types(app, &room).await,
        ["conversation-created", "participant-joined"]
    );
}

#[tokio::test]
async fn an_edit_behind_a_deletion_is_refused_and_leaves_no_event() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let user = room.users[0];
    let message = room.say(app, user, "hi").await;
    let requests = vec![
        delete(app, &message, user),
        edit(app, &message, user),
        edit(app, &message, user),
        delete(app, &message, user),
    ];
    let responses = queued(app, &room, requests).await;
    assert_eq!(statuses(&responses), [204, 409, 409, 204]);
    assert_eq!(
        event_types(app, &room).await,
        ["conversation-created", "new-message", "message-deleted"]
    );
}

#[tokio::test]
async fn a_conversation_never_has_more_participants_than_the_limit() {
    let app = app().await;
    let room = Room::new(app, 498).await;
    let requests = (0..4).map(|_| join(app, &room, unique_user())).collect();
    let mut statuses = statuses(&queued(app, &room, requests).await);
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 422, 422]);
}

#[tokio::test]
async fn a_post_that_meets_a_join_is_written_or_hidden_from_its_sender() {
    let app = app().await;
    let (room, user) = (Room::new(app, 1).await, unique_user());
    let requests = vec![join(app, &room, user), post_as(app, &room, user, "early")];
    let responses = queued(app, &room, requests).await;
    let post = &responses[1];
    assert!([201, 404].contains(&post.status()), "{}", post.text());
}

#[tokio::test]
async fn a_user_who_comes_back_has_what_came_since_and_a_new_one_has_nothing_unread() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (host, guest, newcomer) = (room.users[0], room.users[1], unique_user());
    room.say(app, host, "one").await;
    room.say(app, guest, "two").await;
    let requests = vec![
        leave(app, &room, guest),
        post_as(app, &room, guest, "refused"),
        post_as(app, &room, host, "three"),
        join(app, &room, guest),
    ];
    let responses = queued(app, &room, requests).await;
    assert_eq!(statuses(&responses), [204, 404, 201, 201]);
    assert_eq!(unread(app, &room, guest).await, 2, "one and three");
    send(join(app, &room, newcomer)).await.expect_status(201);
    assert_eq!(unread(app, &room, newcomer).await, 0);
    room.say(app, host, "four").await;
    assert_eq!(unread(app, &room, newcomer).await, 1);
}

#[tokio::test]
async fn a_locked_conversation_does_not_delay_posts_to_others() {
    let app = app().await;
    let locked = Room::new(app, 1).await;
    let others = join_all((0..8).map(|_| Room::new(app, 1))).await;
    let held = Held::new(app, &locked).await;
    let stuck: Vec<_> = (0..6)
        .map(|_| tokio::spawn(send(post_as(app, &locked, locked.users[0], "waits"))))
        .collect();
    tokio::time::sleep(ARRIVAL).await;
    let start = Instant::now();
    let posts = others.iter().map(|room| async {
        let start = Instant::now();
        room.say(app, room.users[0], "free").await;
        start.elapsed()
    });
    let longest = join_all(posts).await.into_iter().max().expect("posts");
    assert!(
        longest < Duration::from_secs(1),
        "{longest:?} of {:?}",
        start.elapsed()
    );
    held.release().await;
    for response in join_all(stuck).await {
        response.expect("a response").expect_status(201);
    }
}

#[tokio::test]
async fn changes_are_exact_whatever_isolation_the_database_has_by_default() {
    let shared = app().await;
    for isolation in ["repeatable%5C%20read", "serializable"] {
        let url = format!(
            "{}?options=-c%20default_transaction_isolation%3D{isolation}",
            shared.data().database_url()
        );
        let builder = App::builder().same_stores_as(shared);
        let app = builder.variable("database_url", url).spawn().await;
        let room = Room::new(&app, 3).await;
        let post = |n: usize| send(post_as(&app, &room, room.users[n % 3], "at once"));
        for response in join_all((0..30).map(post)).await {
            response.expect_status(201);
        }
        let messages = room.messages(&app, 100).await;
        assert_eq!(tests::ordinals(&messages), Vec::from_iter(1..=30));
    }
}

#[tokio::test]
async fn an_idempotency_key_makes_one_conversation_and_one_notice() {
    let app = app().await;
    let users = [unique_user(), unique_user()];
    let create = |title: &str| {
        let body = json!({"title": title, "participantIds": users});
        let request = app.request(Method::POST, "/api/v1/conversations");
        send(
            request
                .header("idempotency-key", format!("key-{}", users[0]))
                .json(&body),
        )
    };
    let created = join_all((0..4).map(|_| create("a"))).await;
    let first = created[0].json();
    let mut found = statuses(&created);
    found.sort_unstable();
    assert_eq!(found, [200, 200, 200, 201]);
    assert!(created.iter().all(|response| response.json() == first));
    create("b").await.expect_status(409);

    let path = format!(
        "/api/v1/messages/conversations/{}/system-message",
        first["id"]
    );
    let notify = |content: &str| {
        let request = app
            .request(Method::POST, &path)
            .header("idempotency-key", "notice");
        send(request.json(&json!({"content": content})))
    };
    let mut found = statuses(&join_all((0..4).map(|_| notify("n"))).await);
    found.sort_unstable();
    assert_eq!(found, [200, 200, 200, 201]);
    notify("other").await.expect_status(409);
    let bad = app
        .request(Method::POST, &path)
        .header("idempotency-key", "has a blank");
    send(bad.json(&json!({"content": "n"})))
        .await
        .expect_status(400);
}

#[tokio::test]
async fn a_feed_of_another_type_delays_no_other_feed() {
    let app = app().await;
    let poisoned = Room::new(app, 2).await;
    let innocent = Room::new(app, 2).await;
    let key = format!("user:{}:feed", poisoned.users[1]);
    poisoned.say(app, poisoned.users[1], "seen").await;
    let mut redis = app.redis().await;
    let () = redis::cmd("SET")
        .arg(&key)
        .arg("x")
        .query_async(&mut redis)
        .await
        .expect("a string");
    let path = format!("/api/v1/messages/users/{}/events", innocent.users[1]);
    let mut feed = app.events(&path).await;
    assert_eq!(feed.status(), StatusCode::OK.as_u16());
    poisoned
        .say(app, poisoned.users[0], "to a poisoned feed")
        .await;
    innocent.say(app, innocent.users[0], "to another").await;
    let event = feed.next_of("new-message").await;
    assert_eq!(event.json()["message"]["content"], "to another");
    let kind = || async {
        let mut redis = app.redis().await;
        let kind: String = redis::cmd("TYPE")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .ok()?;
        Some(kind)
    };
    wait_for(
        "the feed is a stream",
        Duration::from_secs(10),
        kind,
        |kind| kind.as_deref() == Some("stream"),
    )
    .await;
}

#[tokio::test]
async fn streams_and_feeds_hold_no_text() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let marker = format!("PRIVILEGED-{}", unique_user());
    room.say(app, room.users[0], &marker).await;
    let keys = [
        format!("conversation:{}:stream", room.id),
        format!("user:{}:feed", room.users[0]),
    ];
    for key in keys {
        let read = || async {
            let mut redis = app.redis().await;
            let entries: redis::Value = redis::cmd("XRANGE")
                .arg(&key)
                .arg("-")
                .arg("+")
                .query_async(&mut redis)
                .await
                .ok()?;
            Some(format!("{entries:?}"))
        };
        let text = wait_for(
            "the event is delivered",
            Duration::from_secs(10),
            read,
            |text| {
                text.as_deref()
                    .is_some_and(|text| text.contains("new-message"))
            },
        )
        .await;
        assert!(!text.unwrap_or_default().contains(&marker), "{key}");
    }
}

#[tokio::test]
async fn a_removed_user_reads_nothing_later_wherever_they_resume() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (host, guest) = (room.users[0], room.users[1]);
    let path = format!("/api/v1/messages/users/{guest}/events");
    let mut feed = app.events(&path).await;
    room.say(app, host, "before").await;
    let event = feed.next_of("new-message").await;
    drop(feed);
    room.say(app, host, "missed").await;
    send(leave(app, &room, guest)).await.expect_status(204);
    room.say(app, host, "SECRET").await;
    let elsewhere = Room::new(app, 1).await;
    send(join(app, &elsewhere, guest)).await.expect_status(201);
    elsewhere.say(app, elsewhere.users[0], "the end").await;
    let mut feed = app.events_after(&path, event.id.expect("an id")).await;
    let mut received = String::new();
    while !received.contains("the end") {
        received.push_str(&feed.next().await.expect("an event").data);
    }
    assert!(received.contains("missed"), "{received}");
    assert!(received.contains("participant-left"), "{received}");
    assert!(!received.contains("SECRET"), "{received}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_a_leaving_waited_for_is_delivered_to_who_left() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (host, guest) = (room.users[0], room.users[1]);
    let message = room.say(app, host, "before").await;
    let path = format!("/api/v1/messages/users/{guest}/events");
    let start = app.events(&path).await.next_block().await;
    let start = start.and_then(|opening| opening.id).expect("an id");
    let requests = vec![edit(app, &message, host), leave(app, &room, guest)];
    assert_eq!(statuses(&queued(app, &room, requests).await), [200, 204]);
    let mut stream = app.events_after(&path, &start).await;
    stream.next_of("message-edited").await;
    stream.next_of("participant-left").await;
}
