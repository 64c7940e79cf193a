//! What the actors sent and were told, for the checks and the summary.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::world::{lock, now, number_of};

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Post,
    PostWithKey,
    SystemMessage,
    SystemMessageWithKey,
    Edit,
    Delete,
    Read,
    Join,
    Leave,
    Create,
    List,
    Get,
    Typing,
    Heartbeat,
    SignOff,
    UnreadCount,
}

/// What became of an operation, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It took effect, or had before: a status of 2xx.
    Done(u16),
    /// It had no effect: a status of 4xx.
    Refused(u16),
    /// 503, or no response at all: it took effect once or not.
    Unknown,
}

/// One request that changes something.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub kind: Kind,
    pub conversation: i64,
    pub user: Option<i64>,
    pub message: Option<i64>,
    pub text: Option<u32>,
    pub sent: i64,
    pub answered: i64,
    pub outcome: Outcome,
}

/// A message as a response or an event showed it: no text is a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub id: i64,
    pub ordinal: i64,
    pub text: Option<u32>,
}

/// The response to a request for messages.
#[derive(Debug, Clone)]
pub struct View {
    pub conversation: i64,
    pub viewer: Option<i64>,
    pub sent: i64,
    pub answered: i64,
    pub status: u16,
    /// Whether it is the list of the newest messages.
    pub is_list: bool,
    pub is_cached: bool,
    pub messages: Vec<Shown>,
}

type Counts<K> = BTreeMap<K, usize>;

/// Everything so far.
#[derive(Default)]
pub struct History {
    attempts: Mutex<Vec<Attempt>>,
    views: Mutex<Vec<View>>,
    outcomes: Mutex<Counts<(Kind, Outcome)>>,
    faults: Mutex<Counts<&'static str>>,
    broken: Mutex<Vec<(Kind, String)>>,
}

impl History {
    pub fn attempted(&self, attempt: Attempt) {
        lock(&self.attempts).push(attempt);
    }

    pub fn created(&self, conversation: i64, sent: i64, title: &str) {
        self.attempted(Attempt {
            kind: Kind::Create,
            conversation,
            user: None,
            message: None,
            text: number_of(title),
            sent,
            answered: now(),
            outcome: Outcome::Done(201),
        });
    }

    pub fn viewed(&self, view: View) {
        lock(&self.views).push(view);
    }

    pub fn counted(&self, kind: Kind, outcome: Outcome) {
        *lock(&self.outcomes).entry((kind, outcome)).or_default() += 1;
    }

    pub fn failed(&self, fault: &'static str) {
        *lock(&self.faults).entry(fault).or_default() += 1;
    }

    pub fn broken(&self, kind: Kind, detail: String) {
        lock(&self.broken).push((kind, detail));
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.attempts).clone()
    }

    pub fn views(&self) -> Vec<View> {
        lock(&self.views).clone()
    }

    pub fn outcomes(&self) -> Counts<(Kind, Outcome)> {
        lock(&self.outcomes).clone()
    }

    pub fn faults(&self) -> Counts<&'static str> {
        lock(&self.faults).clone()
    }

    pub fn all_broken(&self) -> Vec<(Kind, String)> {
        lock(&self.broken).clone()
    }
}
