//! Filters, orders and pages.

use serde_json::Value;
use testkit::{App, app};
use tests::Room;

use super::{ask, contents, results, say_all};

/// All results of a search, page by page.
pub async fn all_pages(app: &App, parameters: &[(&str, &str)]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut page = parameters.to_vec();
        if !cursor.is_empty() {
            page.push(("cursor", &cursor));
        }
        let answer = ask(app, &page).await.expect_status(200).json();
        all.extend(
            results(&answer)
                .iter()
                .map(|result| result["message"].clone()),
        );
        match answer["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

#[tokio::test]
async fn pages_have_every_result_once_and_in_order() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let texts: Vec<String> = (0..7)
        .map(|n| format!("page {}", "x ".repeat(n % 3)))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut newest = say_all(app, &room, &texts).await;
    newest.reverse();
    let user = room.users[0].to_string();
    for limit in ["1", "2", "3", "7", "8"] {
        let parameters = [("userId", &*user), ("q", "page"), ("limit", limit)];
        let by_time = [&parameters[..], &[("sort", "newest")]].concat();
        assert_eq!(all_pages(app, &by_time).await, newest, "{limit}");
        let relevant = all_pages(app, &parameters).await;
        assert_eq!(relevant.len(), 7, "{limit}");
        // The shorter the message, the more a word says of it; of equal ones the newest is first.
        let ids = |texts: &[Value]| texts.iter().map(|m| m["id"].as_i64()).collect::<Vec<_>>();
        let expected: Vec<Value> = [0, 3, 6, 2, 5, 1, 4].map(|n| newest[n].clone()).to_vec();
        assert_eq!(ids(&relevant), ids(&expected), "{limit}");
    }
}

#[tokio::test]
async fn filters_are_of_conversation_sender_and_time() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let other = Room::of(app, room.users.clone()).await;
    room.say(app, room.users[0], "filter one").await;
    let two = room.say(app, room.users[1], "filter two").await;
    other.say(app, room.users[0], "filter three").await;
    let times = "update messages set created_at = timestamptz '2026-01-01 00:00:00.5Z' + (ordinal - 1) * interval '1 day'
        where conversation_id = $1";
    let database = app.postgres().await;
    database.execute(times, &[&room.id]).await.expect("times");
    let user = room.users[0].to_string();
    let (id, sender) = (room.id.to_string(), two["senderId"].to_string());
    for (filter, expected) in [
        (
            vec![("conversationId", &*id)],
            vec!["filter two", "filter one"],
        ),
        (vec![("senderId", &*sender)], vec!["filter two"]),
        (vec![("to", "2026-01-02T00:00:00.500Z")], vec!["filter one"]),
        (
            vec![
                ("from", "2026-01-02T00:00:00.500Z"),
                ("to", "2026-01-03T00:00:00Z"),
            ],
            vec!["filter two"],
        ),
        (
            vec![
                ("from", "2026-01-02T00:00:00.5001Z"),
                ("conversationId", &*id),
            ],
            vec![],
        ),
        (
            vec![
                ("from", "2026-01-02T01:00:00.5+01:00"),
                ("conversationId", &*id),
            ],
            vec!["filter two"],
        ),
        (vec![("to", "2026-01-01T00:00:00.5Z")], vec![]),
    ] {
        let query = [("userId", &*user), ("q", "filter"), ("sort", "newest")];
        let answer = ask(app, &[&query[..], &filter].concat()).await;
        assert_eq!(
            contents(&answer.expect_status(200).json()),
            expected,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn a_cursor_goes_with_its_order() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    say_all(app, &room, &["cursor", "cursor"]).await;
    let user = room.users[0].to_string();
    let query = [("userId", &*user), ("q", "cursor"), ("limit", "1")];
    let next = ask(app, &query).await.json()["next"].clone();
    let next = next.as_str().expect("a cursor");
    let other_order = [&query[..], &[("cursor", next), ("sort", "newest")]].concat();
    let problem = ask(app, &other_order).await.expect_status(400).json();
    assert_eq!(problem["errors"][0]["field"], "cursor");
    let same_order = [&query[..], &[("cursor", next)]].concat();
    let last = ask(app, &same_order).await.expect_status(200).json();
    assert_eq!((results(&last).len(), &last["next"]), (1, &Value::Null));
}
