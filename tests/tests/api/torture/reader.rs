//! Clients of event streams, which keep everything that they received and resume through any host.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use reqwest::Method;
use serde_json::Value;
use testkit::{Event, EventStream};
use tokio::task::JoinHandle;

use super::client;
use super::history::Shown;
use super::plan::Plan;
use super::world::{World, lock, now};

/// How long a connection of a reader lasts at the most, in milliseconds.
const LONGEST: u64 = 12_000;
/// A host that does not answer at all is left for another.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// What a reader follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feed {
    /// A conversation, for one of its participants or for a service.
    Conversation(i64, Option<i64>),
    User(i64),
}

/// What a reader received.
#[derive(Debug, Clone)]
pub enum What {
    /// A stream opened without a resume position.
    Start,
    Resync,
    Event(Received),
}

/// An event as it was received; only what it has is set.
#[derive(Debug, Clone)]
pub struct Received {
    pub kind: String,
    pub conversation: Option<i64>,
    pub seq: Option<i64>,
    pub user: Option<i64>,
    pub message: Option<Shown>,
    pub count: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub what: What,
    pub id: Option<String>,
    /// When the stream was requested on which it came.
    pub opened: i64,
    pub received: i64,
}

/// One reader.
pub struct Reader {
    pub feed: Feed,
    items: Arc<Mutex<Vec<Item>>>,
    task: JoinHandle<()>,
}

/// All readers.
#[derive(Default)]
pub struct Readers(Mutex<Vec<Arc<Reader>>>);

impl Readers {
    /// One for each user, and two for each conversation.
    pub async fn follow_all(&self, world: &Arc<World>, plan: &Plan) {
        let users = world.users.iter().map(|user| Feed::User(*user));
        let rooms = world.rooms();
        let rooms = rooms.iter().flat_map(|place| {
            [None, Some(place.regulars[0])].map(|viewer| Feed::Conversation(place.id, viewer))
        });
        for (n, feed) in users.chain(rooms).enumerate() {
            let reader = Reader::start(world, feed, plan.rng(1_000 + n));
            lock(&self.0).push(Arc::new(reader));
        }
        for reader in self.all() {
            while matches!(reader.feed, Feed::User(_)) && reader.items().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    pub fn add(&self, reader: Reader) {
        lock(&self.0).push(Arc::new(reader));
    }

    pub fn all(&self) -> Vec<Arc<Reader>> {
        lock(&self.0).clone()
    }
}

impl Reader {
    fn start(world: &Arc<World>, feed: Feed, rng: Rng) -> Self {
        let items: Arc<Mutex<Vec<Item>>> = Arc::default();
        let client = Client {
            world: Arc::clone(world),
            feed,
            rng,
            // A conversation's feed is read from its beginning.
            last_event_id: matches!(feed, Feed::Conversation(..)).then(|| "0".into()),
            items: Arc::clone(&items),
        };
        let task = tokio::spawn(client.follow());
        Self { feed, items, task }
    }

    /// A reader that has come to its end, with what it received.
    pub fn that_received(feed: Feed, items: Vec<Item>) -> Self {
        Self {
            feed,
            items: Arc::new(Mutex::new(items)),
            task: tokio::spawn(async {}),
        }
    }

    pub fn items(&self) -> Vec<Item> {
        lock(&self.items).clone()
    }

    /// Whether it received something.
    pub fn has(&self, what: impl Fn(&Item) -> bool) -> bool {
        lock(&self.items).iter().rev().any(what)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Client {
    world: Arc<World>,
    feed: Feed,
    rng: Rng,
    last_event_id: Option<String>,
    items: Arc<Mutex<Vec<Item>>>,
}

impl Client {
    async fn follow(mut self) {
        loop {
            let lifetime = Duration::from_millis(self.rng.u64(200..LONGEST));
            let _ = tokio::time::timeout(lifetime, self.connect()).await;
            // Some are away for as long as it takes to edit, delete and remove.
            let away = if self.rng.u8(..10) == 0 { 6_000 } else { 300 };
            tokio::time::sleep(Duration::from_millis(self.rng.u64(10..away))).await;
        }
    }

    async fn connect(&mut self) {
        let opened = now();
        let request = self
            .world
            .host(&mut self.rng)
            .request(Method::GET, &self.path());
        let request = match &self.last_event_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let stream = tokio::time::timeout(OPEN_LIMIT, EventStream::try_open(request)).await;
        let Ok(Ok(mut stream)) = stream else { return };
        if stream.status() != 200 {
            return;
        }
        let mut is_first = self.last_event_id.is_none();
        while let Some(block) = stream.next_block().await {
            if std::mem::take(&mut is_first) {
                self.keep(What::Start, block.id.clone(), opened);
            }
            self.take(&block, opened);
        }
    }

    fn path(&self) -> String {
        match self.feed {
            Feed::User(user) => format!("/api/v1/messages/users/{user}/events"),
            Feed::Conversation(id, None) => format!("/api/v1/messages/conversations/{id}/events"),
            Feed::Conversation(id, Some(viewer)) => {
                format!("/api/v1/messages/conversations/{id}/events?userId={viewer}")
            }
        }
    }

    fn take(&mut self, block: &Event, opened: i64) {
        if let Some(id) = &block.id {
            self.last_event_id = Some(id.clone());
        }
        if block.event == "resync" {
            self.keep(What::Resync, block.id.clone(), opened);
        } else if !block.data.is_empty() {
            let event = What::Event(received(&block.event, &block.json()));
            self.keep(event, block.id.clone(), opened);
        }
    }

    fn keep(&self, what: What, id: Option<String>, opened: i64) {
        let received = now();
        lock(&self.items).push(Item {
            what,
            id,
            opened,
            received,
        });
    }
}

fn received(kind: &str, json: &Value) -> Received {
    Received {
        kind: kind.into(),
        conversation: json["conversationId"].as_i64(),
        seq: json["seq"].as_i64(),
        user: json["userId"].as_i64(),
        message: client::message(&json["message"]),
        count: json["count"].as_i64(),
    }
}
