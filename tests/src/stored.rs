//! All that is in the stores and passes through them, as text: for tests of what must not be there.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use redis::Value;
use testkit::App;
use tokio::task::JoinHandle;

/// A text, and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The table, the kind of key, or `channel`.
    pub place: String,
    /// What was there.
    pub text: String,
}

/// The places in which any of these texts is, each once.
pub fn places_of(all: &[Found], texts: &[&str]) -> Vec<String> {
    let found = all
        .iter()
        .filter(|found| texts.iter().any(|text| found.text.contains(text)));
    let mut places: Vec<String> = found.map(|found| found.place.clone()).collect();
    places.sort();
    places.dedup();
    places
}

/// Every row of every table.
///
/// # Panics
///
/// When the database cannot be read.
pub async fn rows(app: &App) -> Vec<Found> {
    const TABLES: &str = "select tablename::text from pg_tables where schemaname = 'public'";
    let database = app.postgres().await;
    let mut all = Vec::new();
    for table in database.query(TABLES, &[]).await.expect("tables") {
        let table: String = table.get(0);
        let rows = format!("select t::text from public.{table} t");
        for row in database.query(&rows, &[]).await.expect("rows") {
            let (place, text) = (table.clone(), row.get(0));
            all.push(Found { place, text });
        }
    }
    all
}

/// Every key of Redis with all that it holds. Its place is its name with `N` for numbers.
///
/// # Panics
///
/// When Redis cannot be read.
pub async fn keys(app: &App) -> Vec<Found> {
    let mut redis = app.redis().await;
    let names: Vec<Vec<u8>> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut redis)
        .await
        .expect("keys");
    let mut all = Vec::new();
    for name in names {
        let kind: String = redis::cmd("TYPE")
            .arg(&name)
            .query_async(&mut redis)
            .await
            .expect("a type");
        let read = match &*kind {
            // It has expired.
            "none" => continue,
            "string" => redis::cmd("GET").arg(&name).clone(),
            "list" => redis::cmd("LRANGE").arg(&name).arg(0).arg(-1).clone(),
            "set" => redis::cmd("SMEMBERS").arg(&name).clone(),
            "zset" => redis::cmd("ZRANGE").arg(&name).arg(0).arg(-1).clone(),
            "hash" => redis::cmd("HGETALL").arg(&name).clone(),
            "stream" => redis::cmd("XRANGE").arg(&name).arg("-").arg("+").clone(),
            other => panic!("a key of the type {other}"),
        };
        let value: Value = read.query_async(&mut redis).await.expect("a value");
        let name = String::from_utf8_lossy(&name).into_owned();
        let text = format!("{name} {}", text_of(&value));
        let place = name.replace(|c: char| c.is_ascii_digit(), "N");
        all.push(Found { place, text });
    }
    all
}

fn text_of(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Array(values) | Value::Set(values) => {
            values.iter().map(text_of).collect::<Vec<_>>().join(" ")
        }
        Value::Map(pairs) => {
            let pairs = pairs.iter().map(|(k, v)| text_of(k) + " " + &text_of(v));
            pairs.collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

/// All that is published on any channel, from the beginning of this.
pub struct Channels {
    received: Arc<Mutex<Vec<Found>>>,
    task: JoinHandle<()>,
}

impl Channels {
    /// Listens to every channel.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn open(app: &App) -> Self {
        let mut subscriber = app.subscriber().await;
        subscriber.psubscribe("*").await.expect("a subscription");
        let received: Arc<Mutex<Vec<Found>>> = Arc::default();
        let kept = Arc::clone(&received);
        let task = tokio::spawn(async move {
            let mut messages = subscriber.into_on_message();
            while let Some(message) = messages.next().await {
                let payload = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
                let text = format!("{} {payload}", message.get_channel_name());
                let place = "channel".into();
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Found { place, text });
            }
        });
        Self { received, task }
    }

    /// What was published so far.
    pub fn all(&self) -> Vec<Found> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        self.task.abort();
    }
}
