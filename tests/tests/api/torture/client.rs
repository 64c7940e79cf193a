//! One request of an actor: any host, a deadline, and now and then a caller who does not wait.

use std::time::Duration;

use fastrand::Rng;
use reqwest::Method;
use serde_json::Value;

use super::history::{Kind, Outcome, Shown};
use super::world::{World, now, number_of};

/// Longer than any request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    pub kind: Kind,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// The statuses of a refusal that this call may get.
    pub refusals: &'static [u16],
}

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    pub sent: i64,
    pub answered: i64,
    pub outcome: Outcome,
    pub status: u16,
    pub is_cached: bool,
    pub json: Value,
}

impl Call {
    pub fn new(kind: Kind, method: Method, path: String) -> Self {
        let (body, key) = (None, None);
        Self {
            kind,
            method,
            path,
            body,
            key,
            refusals: &[404],
        }
    }

    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub fn refusals(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// Sends it once.
    pub async fn send(&self, world: &World, rng: &mut Rng) -> Answer {
        let sent = now();
        // One of fifty callers goes away before the response.
        let patience = match rng.u8(..50) {
            0 => Duration::from_millis(rng.u64(1..40)),
            _ => DEADLINE,
        };
        let response = tokio::time::timeout(patience, self.request(world, rng)).await;
        if response.is_err() && patience == DEADLINE {
            world.broken(
                self.kind,
                format!("no response to {} within {DEADLINE:?}", self.path),
            );
        }
        let (status, is_cached, json) = response.ok().flatten().unwrap_or((0, false, Value::Null));
        let outcome = self.classify(world, status, &json);
        world.history.counted(self.kind, outcome);
        Answer {
            sent,
            answered: now(),
            outcome,
            status,
            is_cached,
            json,
        }
    }

    async fn request(&self, world: &World, rng: &mut Rng) -> Option<(u16, bool, Value)> {
        let mut request = world.host(rng).request(self.method.clone(), &self.path);
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.ok()?;
        let is_cached = response
            .headers()
            .get("x-cache")
            .is_some_and(|cache| cache == "hit");
        let status = response.status().as_u16();
        let body = response.bytes().await.ok()?;
        Some((
            status,
            is_cached,
            serde_json::from_slice(&body).unwrap_or_default(),
        ))
    }

    fn classify(&self, world: &World, status: u16, json: &Value) -> Outcome {
        match status {
            200..300 => Outcome::Done(status),
            0 | 503 => Outcome::Unknown,
            _ if self.refusals.contains(&status) => Outcome::Refused(status),
            _ => {
                let detail = format!("{status} for {} {}: {json}", self.method, self.path);
                world.broken(self.kind, detail);
                Outcome::Refused(status)
            }
        }
    }
}

/// The messages of a response: one or a list.
pub fn shown(json: &Value) -> Vec<Shown> {
    let one = std::slice::from_ref(json);
    let messages = json.as_array().map_or(one, Vec::as_slice);
    messages.iter().filter_map(message).collect()
}

/// A message as JSON shows it.
pub fn message(json: &Value) -> Option<Shown> {
    Some(Shown {
        id: json["id"].as_i64()?,
        ordinal: json["ordinal"].as_i64()?,
        text: json["content"]
            .as_str()
            .map(|text| number_of(text).unwrap_or(0)),
    })
}
