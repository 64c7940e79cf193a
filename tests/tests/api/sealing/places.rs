//! Where a text can be read: by those who may, and in no store, channel or log.

use std::time::Duration;

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use testkit::{App, EventStream, Socket, unique_id, wait_for};
use tests::stored::{self, Channels, Found, places_of};
use tests::{Room, path_of};

use super::{conversation, titled, with_keys};
use crate::search::found;

/// Which of what is said is searched for in the stores.
struct Marker(String);

impl Marker {
    fn new() -> Self {
        // Folding changes nothing of it.
        Self(format!("marker{}", unique_id()))
    }

    fn word(&self, end: &str) -> String {
        format!("{}{end}", self.0)
    }
}

/// Whoever reads along.
struct Readers {
    of_conversation: EventStream,
    of_user: EventStream,
    socket: Socket,
}

impl Readers {
    async fn open(app: &App, room: &Room) -> Self {
        let of_conversation = format!("/api/v1/messages/conversations/{}/events", room.id);
        let of_user = format!("/api/v1/messages/users/{}/events", room.users[1]);
        Self {
            of_conversation: app.events(&of_conversation).await,
            of_user: app.events(&of_user).await,
            socket: app.socket(room.users[1]).await,
        }
    }

    /// Fails unless each gets an event of this type with this content.
    async fn get(&mut self, event: &str, content: &str) {
        let events = [
            self.of_conversation.next_of(event).await.json(),
            self.of_user.next_of(event).await.json(),
            self.socket.next_of(event).await,
        ];
        for event in events {
            assert_eq!(event["message"]["content"], content, "{event}");
        }
    }
}

/// Says and changes texts with a marker in all ways, and checks that they are seen.
async fn say_all(app: &App, marker: &Marker) -> Room {
    let room = titled(app, &marker.word("untitled")).await;
    let path = format!("/api/v1/conversations/{}", room.id);
    for _ in 0..2 {
        let changed = app
            .patch(&path, json!({ "title": marker.word("title") }))
            .await;
        assert_eq!(
            changed.expect_status(200).json()["title"],
            marker.word("title")
        );
    }
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut readers = Readers::open(app, &room).await;
    let posted = marker.word("posted");
    let body = json!({
        "conversationId": room.id, "senderId": ann, "content": posted, "clientMessageId": "a",
    });
    let said = app
        .post("/api/v1/messages", body)
        .await
        .expect_status(201)
        .json();
    assert_eq!(said["content"], posted);
    readers.get("new-message", &posted).await;
    let edited = marker.word("edited");
    let path = format!("{}?userId={ann}", path_of(&said));
    let answer = app.patch(&path, json!({ "content": edited })).await;
    assert_eq!(answer.expect_status(200).json()["content"], edited);
    readers.get("message-edited", &edited).await;
    let system = marker.word("system");
    let path = format!("/api/v1/messages/conversations/{}/system-message", room.id);
    app.post(&path, json!({ "content": system }))
        .await
        .expect_status(201);
    readers.get("new-message", &system).await;
    let deleted = room.say(app, ann, &marker.word("deleted")).await;
    readers.get("new-message", &marker.word("deleted")).await;
    let path = format!("{}?userId={ann}", path_of(&deleted));
    app.delete(&path).await.expect_status(204);
    let framed =
        json!({ "type": "post", "conversationId": room.id, "content": marker.word("framed") });
    let answer = readers.socket.ask(framed).await;
    assert_eq!(answer["message"]["content"], marker.word("framed"));
    let read = format!("/api/v1/messages/messages/{}/read", said["id"]);
    app.post(&read, json!({ "userId": bob }))
        .await
        .expect_status(200);
    readers.of_user.next_of("message-read").await;
    room
}

/// Reads them in all ways.
async fn read_all(app: &App, room: &Room, marker: &Marker) {
    let texts = [Some("edited"), Some("system"), None, Some("framed")];
    let expected: Vec<Value> = texts
        .iter()
        .map(|end| json!(end.map(|end| marker.word(end))))
        .collect();
    let of = |messages: &[Value]| {
        messages
            .iter()
            .map(|m| m["content"].clone())
            .collect::<Vec<_>>()
    };
    for limit in [50, 50, 50, 10, 10] {
        let messages = room.messages(app, limit).await;
        assert_eq!(of(&messages), expected);
        let message = app
            .get(&path_of(&messages[0]))
            .await
            .expect_status(200)
            .json();
        assert_eq!(message, messages[0]);
        assert!(message.get("unreadable").is_none());
    }
    let messages = room.messages(app, 50).await;
    let before = format!("{}&before={}", room.list(50), messages[3]["id"]);
    assert_eq!(
        of(app.get(&before).await.json().as_array().expect("a page")),
        expected[..3]
    );
    let title = marker.word("title");
    let revisions = format!("{}/revisions", path_of(&messages[0]));
    let revisions = app.get(&revisions).await.expect_status(200).json();
    let revisions: Vec<&Value> = revisions
        .as_array()
        .expect("an array")
        .iter()
        .map(|r| &r["content"])
        .collect();
    assert_eq!(revisions, [&marker.word("edited"), &marker.word("posted")]);
    let log = app
        .get("/api/v1/events?limit=100")
        .await
        .expect_status(200)
        .text();
    assert!(log.contains(&marker.word("framed")));
    let list = format!("/api/v1/conversations?userId={}", room.users[0]);
    let list = app.get(&list).await.expect_status(200).json();
    assert_eq!(list[0]["title"], title);
    assert_eq!(list[0]["lastMessage"]["content"], expected[3]);
    let changes = format!("/api/v1/messages/conversations/{}/changes", room.id);
    let changes = app.get(&changes).await.expect_status(200).text();
    assert!(changes.contains(&marker.word("framed")));
    let joining = format!("/api/v1/conversations/{}/participants", room.id);
    let joined = app.post(&joining, json!({ "userId": room.users[1] })).await;
    assert_eq!(joined.expect_status(200).json()["title"], title);
    for _ in 0..2 {
        assert_eq!(conversation(app, room).await["title"], title);
    }
    assert_eq!(
        found(app, room.users[0], &marker.word("edited")).await,
        [marker.word("edited")]
    );
    assert_eq!(
        found(app, room.users[0], &marker.word("posted")).await,
        [""; 0]
    );
}

/// Everything that is in the stores, was published or logged.
async fn everything(app: &App, channels: &Channels) -> Vec<Found> {
    let mut all = stored::rows(app).await;
    all.extend(stored::keys(app).await);
    all.extend(channels.all());
    let (place, text) = ("log".into(), app.log());
    all.push(Found { place, text });
    all
}

/// Says, reads, and gives the places in which a text or a digest of it was found.
async fn places(app: &App) -> Vec<String> {
    let (marker, channels) = (Marker::new(), Channels::open(app).await);
    let room = say_all(app, &marker).await;
    read_all(app, &room, &marker).await;
    let mut redis = app.redis().await;
    let page = format!("{{conversation:{}:messages}}:page", room.id);
    assert!(
        redis.exists::<_, bool>(&page).await.expect("an answer"),
        "the page is cached"
    );
    let published = async || channels.all().len();
    let limit = Duration::from_secs(10);
    wait_for("events were published", limit, published, |count| {
        *count >= 6
    })
    .await;
    let digests = sha256_of_each(app, &marker).await;
    let mut texts: Vec<&str> = digests.iter().map(String::as_str).collect();
    texts.push(&marker.0);
    places_of(&everything(app, &channels).await, &texts)
}

/// SHA-256 in hexadecimal of what was said: a guess is confirmed by it.
async fn sha256_of_each(app: &App, marker: &Marker) -> Vec<String> {
    let database = app.postgres().await;
    let mut digests = Vec::new();
    for end in ["posted", "edited", "system", "deleted", "framed"] {
        let digest = "select encode(sha256(convert_to($1, 'UTF8')), 'hex')";
        let row = database.query_one(digest, &[&marker.word(end)]).await;
        digests.push(row.expect("a digest").get(0));
    }
    digests
}

#[tokio::test]
async fn what_is_sealed_is_read_by_those_who_may_and_nowhere_else() {
    let app = with_keys(&[("one", 1)])
        .own_stores()
        .gateway()
        .spawn()
        .await;
    assert_eq!(places(&app).await, [""; 0]);
}

#[tokio::test]
async fn what_is_not_sealed_is_in_the_places_that_are_looked_at() {
    let app = with_keys(&[]).own_stores().gateway().spawn().await;
    let expected = [
        "channel",
        "conversation:N",
        "conversation:N:messages",
        "conversations",
        "idempotency_keys",
        "message:N",
        "messages",
        "revisions",
        "{conversation:N:messages}:page",
        "{conversation:N}:rights",
    ];
    let places: Vec<String> = places(&app)
        .await
        .iter()
        .map(|place| one_digit(place))
        .collect();
    assert_eq!(places, expected);
}

/// A place with one `N` for each number.
fn one_digit(place: &str) -> String {
    let mut shown = String::new();
    for character in place.chars() {
        if character != 'N' || !shown.ends_with('N') {
            shown.push(character);
        }
    }
    shown
}
