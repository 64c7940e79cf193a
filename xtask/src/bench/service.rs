//! A service that is measured.

use anyhow::{Context, Result, ensure};
use dev_services::ServerProcess;
use reqwest::Client;
use serde_json::{Value, json};

use super::scenario::Scenario;
use super::{memory, wrk};
use crate::workspace;

/// Posts go to this many conversations in turn: concurrent writers of a busy service rarely share
/// one.
const CONVERSATIONS: usize = 64;
/// The length of the list.
const MESSAGES: usize = 50;
const LIVE: &str = "/api/v1/health/live";

pub struct Service {
    pub name: String,
    pub url: String,
    pid: Option<u32>,
    client: Client,
    /// The conversation of the list.
    listed: i64,
    /// The conversations that are posted to.
    posted: Vec<i64>,
    /// Set if it was started for the benchmark: it ends with this.
    _process: Option<ServerProcess>,
}

/// The result of one run of the load generator.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub requests_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Resident memory right after the load, if the process is known.
    pub memory_bytes: Option<u64>,
}

impl Service {
    /// A running service.
    pub fn running(name: &str, url: &str, pid: Option<u32>) -> Self {
        let url = url.trim_end_matches('/').to_string();
        Self {
            name: name.into(),
            url,
            pid,
            client: Client::new(),
            listed: 0,
            posted: vec![],
            _process: None,
        }
    }

    /// Starts a service, with its log in a file.
    pub async fn start(name: &str, process: ServerProcess, address: &str) -> Result<Self> {
        let log = format!("target/bench-{}.log", name.replace(' ', "-"));
        let process = process.log_to(workspace::root().join(log));
        process.start().await?;
        let url = format!("http://{address}");
        Ok(Self {
            pid: process.pid(),
            _process: Some(process),
            ..Self::running(name, &url, None)
        })
    }

    /// Creates the conversations and messages that the load needs, through the API of the service.
    pub async fn prepare(&mut self) -> Result<()> {
        self.listed = self.new_conversation().await?;
        for number in 1..=MESSAGES {
            let message = json!({"conversationId": self.listed, "senderId": 1, "content": format!("Message {number} of a list")});
            self.post("/api/v1/messages", &message).await?;
        }
        for _ in 0..CONVERSATIONS {
            let conversation = self.new_conversation().await?;
            self.posted.push(conversation);
        }
        self.ensure_list_is_complete().await
    }

    /// Whether the service has the endpoint; it is not measured otherwise.
    pub async fn offers(&self, scenario: Scenario) -> Result<bool> {
        if scenario != Scenario::Live {
            return Ok(true);
        }
        Ok(self
            .client
            .get(format!("{}{LIVE}", self.url))
            .send()
            .await?
            .status()
            .is_success())
    }

    pub fn load(&self, scenario: Scenario, connections: u32, seconds: u32) -> Result<Measured> {
        let run = match scenario {
            Scenario::CachedList => wrk::get(
                &format!("{}{}", self.url, self.list()),
                connections,
                seconds,
            ),
            Scenario::Post => wrk::post(
                &format!("{}/api/v1/messages", self.url),
                &self.posted,
                connections,
                seconds,
            ),
            Scenario::Live => wrk::get(&format!("{}{LIVE}", self.url), connections, seconds),
        };
        let run =
            run.with_context(|| format!("{} at {}: {}", self.name, self.url, scenario.name()))?;
        Ok(Measured {
            requests_per_second: run.requests / run.seconds,
            p50_ms: run.p50_us / 1000.0,
            p99_ms: run.p99_us / 1000.0,
            memory_bytes: self.pid.map(memory::resident),
        })
    }

    fn list(&self) -> String {
        format!(
            "/api/v1/messages?conversationId={}&limit={MESSAGES}",
            self.listed
        )
    }

    async fn new_conversation(&self) -> Result<i64> {
        let conversation = self
            .post("/api/v1/conversations", &json!({"participantIds": [1, 2]}))
            .await?;
        let id = &conversation["id"];
        // Sequelize sends a bigint as a string.
        id.as_i64()
            .or_else(|| id.as_str()?.parse().ok())
            .with_context(|| format!("no id in {conversation}"))
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self
            .client
            .post(format!("{}{path}", self.url))
            .json(body)
            .send()
            .await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "POST {path} answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// A fast but incomplete list must not be measured.
    async fn ensure_list_is_complete(&self) -> Result<()> {
        for _ in 0..2 {
            let list: Vec<Value> = self
                .client
                .get(format!("{}{}", self.url, self.list()))
                .send()
                .await?
                .error_for_status()?
                .json()
                .await?;
            ensure!(
                list.len() == MESSAGES,
                "the list has {} messages, not {MESSAGES}",
                list.len()
            );
        }
        Ok(())
    }
}
