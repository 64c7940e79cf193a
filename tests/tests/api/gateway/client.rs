//! A client as docs/gateway.md describes it: it puts events in order, notices what is missing by the
//! positions, resumes, and opens a socket anew when the old one is gone.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{App, Socket, socket_path};

/// How long it waits before it takes a gap for one, or opens a socket anew.
const PATIENCE: Duration = Duration::from_millis(200);

/// A user's client.
pub struct Client<'a> {
    app: &'a App,
    user: i64,
    socket: Option<Socket>,
    /// Where it is; none before the first hello.
    last: Option<String>,
    /// What it has, by id.
    known: HashSet<String>,
    /// Events that came before the one they follow.
    early: HashMap<String, Value>,
    /// Whether a resume is under way.
    resuming: bool,
    /// All events in order.
    pub events: Vec<Value>,
    /// How often it had to resume, and to fetch its state anew.
    pub resumed: usize,
    pub resynced: usize,
}

impl<'a> Client<'a> {
    pub fn new(app: &'a App, user: i64) -> Self {
        Self {
            app,
            user,
            socket: None,
            last: None,
            known: HashSet::new(),
            early: HashMap::new(),
            resuming: false,
            events: vec![],
            resumed: 0,
            resynced: 0,
        }
    }

    /// Opens the socket and waits for the position.
    pub async fn connect(&mut self) {
        while self.socket.is_none() {
            self.reconnect().await;
        }
        while self.last.is_none() {
            self.step().await;
        }
    }

    /// Runs until `done`.
    pub async fn run_until(&mut self, mut done: impl FnMut(&[Value]) -> bool) {
        while !done(&self.events) {
            self.step().await;
        }
    }

    /// The contents of the messages of a conversation, in their order.
    pub fn contents(&self, conversation: i64) -> Vec<String> {
        let messages = self.events.iter().filter(|event| {
            event["type"] == "new-message" && event["conversationId"] == conversation
        });
        let content = |event: &Value| event["message"]["content"].as_str().map(str::to_owned);
        messages.filter_map(content).collect()
    }

    async fn reconnect(&mut self) {
        match self.app.try_socket(&socket_path(self.user), &[]).await {
            Ok(socket) => self.socket = Some(socket),
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
    }

    async fn step(&mut self) {
        let Some(socket) = &mut self.socket else {
            self.resuming = false;
            return self.reconnect().await;
        };
        match tokio::time::timeout(PATIENCE * 5, socket.try_next()).await {
            Ok(Some(frame)) => self.take(frame).await,
            Ok(None) => self.socket = None,
            Err(_) => self.beat().await,
        }
    }

    /// Asks whether it has all, if nothing came for a while.
    async fn beat(&mut self) {
        let beat = json!({"type": "heartbeat", "ref": "beat"});
        self.send(beat).await;
    }

    async fn send(&mut self, frame: Value) {
        if let Some(socket) = &mut self.socket
            && socket.try_send(frame).await.is_err()
        {
            self.socket = None;
        }
    }

    async fn resume(&mut self) {
        if self.resuming {
            return;
        }
        self.resuming = true;
        self.resumed += 1;
        let frame = json!({"type": "resume", "ref": "resume", "lastEventId": self.last});
        self.send(frame).await;
    }

    async fn take(&mut self, frame: Value) {
        match (frame["type"].as_str(), frame["ref"].as_str()) {
            (Some("hello"), _) => match self.last {
                // A new client begins where the feed is.
                None => self.last = frame["lastEventId"].as_str().map(str::to_owned),
                Some(_) => self.resume().await,
            },
            (Some("ok"), Some("beat")) if frame["lastEventId"].as_str() != self.last.as_deref() => {
                self.resume().await;
            }
            (Some("ok"), Some("resume")) => {
                self.resuming = false;
                self.last = frame["lastEventId"].as_str().map(str::to_owned);
                self.accept_early();
                if frame["more"] == true || !self.early.is_empty() {
                    self.resume().await;
                }
            }
            (Some("ok"), _) => {}
            (Some("error"), _) => self.resuming = false,
            (Some("resync"), _) => {
                self.resynced += 1;
                self.last = frame["id"].as_str().map(str::to_owned);
            }
            _ => self.take_event(frame).await,
        }
    }

    async fn take_event(&mut self, event: Value) {
        let text = |name: &str| event[name].as_str().expect("a position").to_owned();
        let (id, previous) = (text("id"), text("previousId"));
        if self.known.contains(&id) {
            return;
        }
        if Some(&previous) != self.last.as_ref() {
            self.early.insert(previous, event);
            return self.resume().await;
        }
        self.accept(event);
        self.accept_early();
    }

    fn accept_early(&mut self) {
        while let Some(next) = self.last.as_ref().and_then(|last| self.early.remove(last)) {
            self.accept(next);
        }
        let known = &self.known;
        self.early
            .retain(|_, event| !known.contains(event["id"].as_str().unwrap_or_default()));
    }

    fn accept(&mut self, event: Value) {
        let id = event["id"].as_str().expect("a position").to_owned();
        if self.known.insert(id.clone()) {
            self.events.push(event);
        }
        self.last = Some(id);
    }
}
