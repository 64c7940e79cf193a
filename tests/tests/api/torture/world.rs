//! Three hosts over the same stores, and what the actors share.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use dev_services::address::host_and_port;
use fastrand::Rng;
use serde_json::json;
use testkit::{App, Builder, unique_user};
use tests::LossyProxy;

use super::audit;
use super::history::{History, Kind};
use super::plan::Plan;

/// Short, so that expiry happens within a run. In seconds.
pub const PRESENCE_TTL: u64 = 8;
pub const TYPING_TTL: u64 = 3;

/// A conversation and the users who act in it, whether they take part at the moment or not.
#[derive(Debug)]
pub struct Place {
    pub id: i64,
    pub regulars: Vec<i64>,
}

/// A message that an actor was told of.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub conversation: i64,
    pub id: i64,
    pub sender: Option<i64>,
}

/// All that actors, readers and faults share.
pub struct World {
    /// The first reaches the stores directly, the second PostgreSQL and the third both through
    /// proxies.
    pub hosts: Vec<App>,
    pub postgres: LossyProxy,
    pub redis: LossyProxy,
    pub users: Vec<i64>,
    /// How many conversations actors may bring it to.
    pub most_rooms: usize,
    pub history: History,
    /// Actors and faults come to an end.
    pub ends: AtomicBool,
    pub started: i64,
    rooms: Mutex<Vec<Arc<Place>>>,
    messages: Mutex<Vec<Known>>,
    texts: AtomicU32,
}

impl World {
    /// Starts stores and hosts.
    pub async fn start(plan: &Plan) -> Self {
        let first = settings(App::builder().own_stores()).spawn().await;
        audit::install(&first.postgres().await).await;
        // Every change returns its outcome.
        let postgres = LossyProxy::start(server(first.data().database_url()), "done").await;
        let redis = LossyProxy::start(server(first.data().redis_url()), "").await;
        let second = settings(through(
            &first,
            "database",
            first.data().database_url(),
            &postgres,
        ));
        let second = second.spawn().await;
        let third = through(&first, "database", first.data().database_url(), &postgres);
        let url = first
            .data()
            .redis_url()
            .replace(&server(first.data().redis_url()), &redis.address());
        let third = third
            .variable("redis_url", url)
            .variable("redis_host", redis.address());
        let third = settings(third).spawn().await;
        Self {
            hosts: vec![first, second, third],
            postgres,
            redis,
            users: (0..plan.users).map(|_| unique_user()).collect(),
            most_rooms: plan.most_rooms,
            history: History::default(),
            ends: AtomicBool::new(false),
            started: now(),
            rooms: Mutex::default(),
            messages: Mutex::default(),
            texts: AtomicU32::new(1),
        }
    }

    /// Creates the conversations of the beginning.
    pub async fn create_rooms(&self, plan: &Plan) {
        let mut rng = plan.rng(usize::MAX);
        for _ in 0..plan.rooms {
            let regulars = self.regulars(&mut rng);
            let sent = now();
            let body = json!({ "participantIds": regulars, "title": self.title().1 });
            let created = self.hosts[0].post("/api/v1/conversations", &body).await;
            let id = created.expect_status(201).json()["id"]
                .as_i64()
                .expect("an id");
            let title = body["title"].as_str().expect("a title");
            self.history.created(id, sent, title);
            self.add_room(id, regulars);
        }
    }

    /// Some users for a new conversation.
    pub fn regulars(&self, rng: &mut Rng) -> Vec<i64> {
        let count = rng.usize(3..7);
        rng.choose_multiple(self.users.iter().copied(), count)
    }

    pub fn add_room(&self, id: i64, regulars: Vec<i64>) {
        lock(&self.rooms).push(Arc::new(Place { id, regulars }));
    }

    pub fn rooms(&self) -> Vec<Arc<Place>> {
        lock(&self.rooms).clone()
    }

    /// Often the first: in a busy conversation more events wait after an outage than the relay takes
    /// at a time.
    pub fn room(&self, rng: &mut Rng) -> Arc<Place> {
        let rooms = lock(&self.rooms);
        if rng.u8(..3) == 0 {
            return Arc::clone(&rooms[0]);
        }
        Arc::clone(&rooms[rng.usize(..rooms.len())])
    }

    pub fn host(&self, rng: &mut Rng) -> &App {
        &self.hosts[rng.usize(..self.hosts.len())]
    }

    pub fn add_message(&self, known: Known) {
        lock(&self.messages).push(known);
    }

    /// One of the newest messages, so that actors meet.
    pub fn message(&self, rng: &mut Rng) -> Option<Known> {
        let messages = lock(&self.messages);
        let newest = messages.len().saturating_sub(60);
        let at = rng.usize(newest..messages.len().max(newest + 1));
        messages.get(at).copied()
    }

    /// A title that no other message and title has, with its number.
    pub fn title(&self) -> (u32, String) {
        let number = self.texts.fetch_add(1, Ordering::SeqCst);
        (number, format!("text {number}"))
    }

    /// A text that no other message and title has, with its number. Some are long.
    pub fn text(&self, rng: &mut Rng) -> (u32, String) {
        let (number, mut text) = self.title();
        if rng.u8(..30) == 0 {
            text.push(' ');
            text.push_str(&"x".repeat(4_000));
        }
        (number, text)
    }

    pub fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::SeqCst)
    }

    /// Records an outcome that no response of this service may have.
    pub fn broken(&self, kind: Kind, detail: String) {
        self.history.broken(kind, detail);
    }
}

/// The number of a text, by which it is known everywhere.
pub fn number_of(text: &str) -> Option<u32> {
    text.strip_prefix("text ")?.split(' ').next()?.parse().ok()
}

/// Unix time in microseconds, as the audit has it.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settings(app: Builder) -> Builder {
    app.variable("presence_ttl", PRESENCE_TTL)
        .variable("typing_ttl", TYPING_TTL)
        .variable("max_streams_per_user", 0)
}

fn through(first: &App, store: &str, url: &str, proxy: &LossyProxy) -> Builder {
    let url = url.replace(&server(url), &proxy.address());
    App::builder()
        .same_stores_as(first)
        .variable(&format!("{store}_url"), url)
        .variable(&format!("{store}_host"), proxy.address())
}

fn server(url: &str) -> String {
    host_and_port(url).expect("a host and port")
}
