//! The figures of the API are those of the rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testkit::{App, Response, app};
use tests::Room;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-03-28T22:30:00Z: the night in which Europe's clocks change is in the range.
const START: i64 = 1_774_737_000;

/// A message: when, by whom, and in which conversation.
type Written = (i64, Option<i64>, i64);

/// Messages at the edges of hours and days, and between them.
fn written() -> Vec<Written> {
    let mut all = vec![
        (START - 1, Some(1), 1),
        (START, Some(1), 1),
        (START + 90 * MINUTE, None, 1),
    ];
    for n in 0..300 {
        let at = START + n * 17 * MINUTE;
        all.push((at, Some(1 + n % 7), 1 + n % 3));
    }
    all.push((START + 4 * DAY, Some(9), 2));
    all
}

async fn insert(app: &App, all: &[Written]) {
    let postgres = app.postgres().await;
    let conversations =
        "insert into conversations (id) overriding system value select generate_series(1, 3)";
    postgres.batch_execute(conversations).await.expect("rows");
    for (ordinal, (at, sender, conversation)) in all.iter().enumerate() {
        let statement = "
            insert into messages (conversation_id, ordinal, sender_id, kind, content, created_at)
            values ($1, $2, $3, case when $3::bigint is null then 'system' else 'user' end, 'text',
                to_timestamp($4::bigint))";
        let ordinal = 1 + ordinal as i64;
        let inserted = postgres
            .execute(statement, &[conversation, &ordinal, sender, at])
            .await;
        inserted.expect("a row");
    }
}

/// What the service should say, counted here.
fn expected(all: &[Written], from: i64, to: i64, bucket: i64) -> Vec<Value> {
    let mut buckets: BTreeMap<i64, Vec<&Written>> = BTreeMap::new();
    if from == to {
        return vec![];
    }
    let starts = (from.div_euclid(bucket)..).map(|n| n * bucket);
    buckets.extend(
        starts
            .take_while(|start| *start < to)
            .map(|start| (start, vec![])),
    );
    for one in all.iter().filter(|(at, ..)| (from..to).contains(at)) {
        buckets
            .entry(one.0.div_euclid(bucket) * bucket)
            .or_default()
            .push(one);
    }
    let of_bucket = |(start, messages): (i64, Vec<&Written>)| {
        let senders: BTreeSet<i64> = messages.iter().filter_map(|one| one.1).collect();
        let conversations: BTreeSet<i64> = messages.iter().map(|one| one.2).collect();
        json!({
            "at": rfc3339(start), "messages": messages.len(),
            "senders": senders.len(), "conversations": conversations.len(),
        })
    };
    buckets.into_iter().map(of_bucket).collect()
}

fn rfc3339(seconds: i64) -> String {
    let milliseconds = (seconds * 1000) as f64;
    platform::clock::rfc3339_of_unix_ms(milliseconds).expect("a time")
}

async fn ask(app: &App, query: &str) -> Response {
    app.get(&format!("/api/v1/analytics/messages?{query}"))
        .await
}

#[tokio::test]
async fn messages_are_counted_by_the_hour_and_by_the_day_of_utc() {
    let app = App::builder().own_stores().spawn().await;
    let zone = "alter database postgres set timezone to 'Europe/Berlin'";
    let postgres = app.postgres().await;
    let database = postgres.query_one("select current_database()", &[]).await;
    let database: String = database.expect("a name").get(0);
    let zone = zone.replace("postgres", &format!("\"{database}\""));
    app.postgres()
        .await
        .batch_execute(&zone)
        .await
        .expect("a time zone");
    let all = written();
    insert(&app, &all).await;
    for (name, bucket) in [("hour", HOUR), ("day", DAY)] {
        for (from, to) in [
            (START, START + 4 * DAY),
            (START + 30 * MINUTE, START + 31 * MINUTE),
            (START, START),
        ] {
            let query = format!("from={}&to={}&bucket={name}", rfc3339(from), rfc3339(to));
            let found = ask(&app, &query).await.expect_status(200).json();
            assert_eq!(found, json!(expected(&all, from, to, bucket)), "{query}");
        }
    }
}

#[tokio::test]
async fn a_range_is_bounded_and_not_backwards() {
    let app = app().await;
    for (query, status, field) in [
        (
            "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00.001Z",
            422,
            "to",
        ),
        (
            "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
            422,
            "from",
        ),
        (
            "bucket=day&from=2025-01-01T00:00:00Z&to=2026-01-03T00:00:00Z",
            422,
            "to",
        ),
        ("bucket=week", 400, "bucket"),
        ("from=yesterday", 400, "from"),
    ] {
        let refused = ask(app, query).await.expect_status(status).json();
        assert_eq!(refused["errors"][0]["field"], field, "{query}");
    }
    let month = ask(app, "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z").await;
    assert_eq!(
        month.expect_status(200).json().as_array().map(Vec::len),
        Some(744)
    );
    assert_eq!(
        ask(app, "")
            .await
            .expect_status(200)
            .json()
            .as_array()
            .map(Vec::len),
        Some(25)
    );
}

async fn active(app: &App, window: &str) -> Value {
    let path = format!("/api/v1/analytics/active-users?window={window}");
    app.get(&path).await.expect_status(200).json()
}

#[tokio::test]
async fn users_are_active_who_wrote_or_read_within_the_window() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 3).await;
    let message = room.say(&app, room.users[0], "Hi").await;
    let path = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&path, json!({ "userId": room.users[1] }))
        .await
        .expect_status(200);
    room.say(&app, room.users[0], "Hi again").await;
    assert_eq!(
        active(&app, "1d").await,
        json!({ "window": "1d", "count": 2 })
    );
    for (table, column, user, age) in [
        ("messages", "created_at", "sender_id", "6 days 23 hours"),
        ("reads", "read_at", "user_id", "29 days 23 hours"),
    ] {
        let older = format!(
            "update {table} set {column} = now() - interval '{age}' where {user} is not null"
        );
        app.postgres()
            .await
            .batch_execute(&older)
            .await
            .expect("a change");
    }
    for (window, count) in [("1d", 0), ("7d", 1), ("30d", 2)] {
        assert_eq!(active(&app, window).await["count"], count, "{window}");
    }
    app.get("/api/v1/analytics/active-users?window=2d")
        .await
        .expect_status(400);
}
