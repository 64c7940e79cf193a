//! A user's conversations are found by an order that the relay keeps; what it has not listed yet is
//! found too.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{App, app, unique_user, wait_for};
use tests::Room;

/// The ids of a user's conversations, by pages of two.
async fn listed(app: &App, user: i64) -> Vec<i64> {
    let mut ids = Vec::new();
    let mut path = format!("/api/v1/conversations?userId={user}&limit=2");
    loop {
        let answer = app.get(&path).await.expect_status(200);
        let page = answer.json();
        ids.extend(page.as_array().expect("an array").iter().map(id));
        let Some(link) = answer.header("link") else {
            return ids;
        };
        let (next, _) = link
            .trim_start_matches('<')
            .split_once('>')
            .expect("a link");
        path = next.into();
    }
}

fn id(conversation: &Value) -> i64 {
    conversation["id"].as_i64().expect("an id")
}

async fn unread(app: &App, user: i64) -> Vec<(i64, i64)> {
    let path = format!("/api/v1/messages/users/{user}/unread-count");
    let answer = app.get(&path).await.expect_status(200).json();
    let conversations = answer["conversations"]
        .as_array()
        .expect("an array")
        .clone();
    let entry = |one: &Value| (one["conversationId"].as_i64(), one["count"].as_i64());
    conversations
        .iter()
        .map(entry)
        .map(|(id, count)| (id.expect("an id"), count.expect("a count")))
        .collect()
}

async fn is_unlisted(app: &App, room: &Room) -> bool {
    let statement = "select unlisted from conversations where id = $1";
    let session = app.postgres().await;
    let row = session.query_one(statement, &[&room.id]).await;
    row.expect("a conversation").get(0)
}

async fn wait_until_listed(app: &App, room: &Room) {
    let observe = async || is_unlisted(app, room).await;
    let limit = Duration::from_secs(10);
    wait_for("the relay lists it", limit, observe, |unlisted| !unlisted).await;
}

#[tokio::test]
async fn a_page_has_what_is_listed_and_what_is_not_yet() {
    let app = app().await;
    let (user, other) = (unique_user(), unique_user());
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(Room::of(app, vec![user, other]).await);
    }
    for room in &rooms {
        room.say(app, other, "hello").await;
        wait_until_listed(app, room).await;
    }
    let newest_first = [4, 3, 2, 1, 0].map(|index: usize| rooms[index].id);
    assert_eq!(listed(app, user).await, newest_first);

    // The relay is held off: its lease is another's.
    let lease = "
        insert into relay_progress as r (conversation_id, relayed_seq, lease_until)
        values ($1, 0, now() + interval '5 seconds')
        on conflict (conversation_id) do update set lease_until = excluded.lease_until";
    for index in [1, 3] {
        let session = app.postgres().await;
        session
            .execute(lease, &[&rooms[index].id])
            .await
            .expect("a lease");
        rooms[index].say(app, other, "again").await;
        assert!(is_unlisted(app, &rooms[index]).await);
    }
    let expected = [3, 1, 4, 2, 0].map(|index: usize| rooms[index].id);
    assert_eq!(listed(app, user).await, expected);
    let mut counts: Vec<(i64, i64)> = [(0, 1), (1, 2), (2, 1), (3, 2), (4, 1)]
        .map(|(index, count): (usize, i64)| (rooms[index].id, count))
        .to_vec();
    counts.sort_unstable();
    assert_eq!(unread(app, user).await, counts);
}

#[tokio::test]
async fn what_is_read_is_not_listed_as_unread() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (reader, writer) = (room.users[0], room.users[1]);
    let message = room.say(app, writer, "hello").await;
    wait_until_listed(app, &room).await;
    assert_eq!(unread(app, reader).await, [(room.id, 1)]);
    let path = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&path, json!({ "userId": reader }))
        .await
        .expect_status(200);
    let flags = "select count(*) from listings where conversation_id = $1 and unread";
    let session = app.postgres().await;
    let flagged: i64 = session
        .query_one(flags, &[&room.id])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(flagged, 0);
    assert_eq!(unread(app, reader).await, []);
}
