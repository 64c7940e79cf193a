//! A client like a browser's: it resumes with the id of its last event.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, Event, EventStream};
use tests::Room;

use super::CREATED;

/// A reader that is disconnected at random.
pub struct Reader<'a> {
    app: &'a App,
    path: String,
    last_event_id: String,
    /// How probable a disconnect is after an event.
    cut: f64,
    /// How often it resumed.
    pub returns: usize,
    /// The durable events that it received, as (conversation, seq).
    pub got: Vec<(i64, i64)>,
}

impl<'a> Reader<'a> {
    /// A reader of the events after an id.
    pub fn new(app: &'a App, path: String, last_event_id: &str, cut: f64) -> Self {
        Self {
            app,
            path,
            last_event_id: last_event_id.into(),
            cut,
            returns: 0,
            got: vec![],
        }
    }

    /// Reads `count` durable events, however often the stream ends.
    pub async fn read(mut self, count: usize) -> Self {
        while self.got.len() < count {
            if let Some(stream) = self.open().await {
                self.follow(stream, count).await;
            }
            self.returns += 1;
            tokio::time::sleep(Duration::from_millis(fastrand::u64(10..200))).await;
        }
        self
    }

    /// The received seqs of one conversation, in the order of arrival.
    pub fn seqs(&self, room: &Room) -> Vec<i64> {
        let of_room = self.got.iter().filter(|(id, _)| *id == room.id);
        of_room.map(|(_, seq)| *seq).collect()
    }

    async fn open(&self) -> Option<EventStream> {
        let request = self.app.request(Method::GET, &self.path);
        let request = request.header("last-event-id", &self.last_event_id);
        let stream = EventStream::try_open(request).await.ok()?;
        (stream.status() == 200).then_some(stream)
    }

    async fn follow(&mut self, mut stream: EventStream, count: usize) {
        while self.got.len() < count
            && let Some(event) = stream.next_block().await
        {
            self.take(&event);
            if !event.data.is_empty() && fastrand::f64() < self.cut {
                return;
            }
        }
    }

    fn take(&mut self, event: &Event) {
        assert_ne!(event.event, "resync", "after {}", self.last_event_id);
        if let Some(id) = &event.id {
            self.last_event_id.clone_from(id);
        }
        if !event.data.is_empty() && event.event != CREATED {
            self.got.extend(place(&event.json()));
        }
    }
}

/// The conversation and seq of a durable event.
fn place(event: &Value) -> Option<(i64, i64)> {
    Some((event["conversationId"].as_i64()?, event["seq"].as_i64()?))
}

/// Posts, and repeats it until it is acknowledged.
pub async fn post_until_acknowledged(app: &App, room: &Room, n: usize) {
    let body = json!({
        "conversationId": room.id, "senderId": room.users[1],
        "content": n.to_string(), "clientMessageId": format!("message {n}"),
    });
    loop {
        let request = app.request(Method::POST, "/api/v1/messages").json(&body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
