//! The fold of a conversation's events: what its tables have to hold.

use std::collections::{BTreeMap, BTreeSet};

use super::truth::{Change, Conversation, Cursor};

/// A message as far as the events tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub id: i64,
    pub sender: Option<i64>,
    pub is_deleted: bool,
}

/// A time during which a user took part: from a seq to the seq of their leaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    pub from: i64,
    pub to: Option<i64>,
}

/// The state after all events.
#[derive(Debug, Default)]
pub struct Fold {
    pub messages: Vec<Message>,
    /// How far each participant has read.
    pub participants: BTreeMap<i64, i64>,
    /// How far who left had read, and the seq of their leaving.
    pub former: BTreeMap<i64, (i64, i64)>,
    pub reads: BTreeSet<(i64, i64)>,
    pub list_seq: i64,
    pub stays: BTreeMap<i64, Vec<Stay>>,
}

impl Fold {
    /// Folds the events of a conversation. Senders are told by the messages: they never change.
    pub fn of(conversation: &Conversation) -> Self {
        let senders = conversation.messages.iter().map(|row| (row.id, row.sender));
        let senders: BTreeMap<i64, Option<i64>> = senders.collect();
        let mut fold = Self::default();
        for user in &conversation.initial {
            fold.enter(*user, 0, 1);
        }
        for (seq, change) in &conversation.events {
            fold.take(*seq, change, &senders);
        }
        fold
    }

    fn take(&mut self, seq: i64, change: &Change, senders: &BTreeMap<i64, Option<i64>>) {
        let (user, message) = (change.user.unwrap_or(0), change.message.unwrap_or(0));
        match &*change.kind {
            "new-message" => {
                let sender = senders.get(&message).copied().flatten();
                self.messages.push(Message {
                    id: message,
                    sender,
                    is_deleted: false,
                });
                self.list_seq = seq;
            }
            "message-edited" => self.list_seq = seq,
            "message-deleted" => {
                let found = self.messages.iter_mut().find(|found| found.id == message);
                found.into_iter().for_each(|found| found.is_deleted = true);
                self.list_seq = seq;
            }
            "message-read" => self.read(user, message),
            "participant-joined" => {
                let newest = self.messages.len() as i64;
                let read = self.former.remove(&user).map_or(newest, |(read, _)| read);
                self.enter(user, read, seq);
            }
            "participant-left" => self.leave(user, seq),
            _ => {}
        }
    }

    fn enter(&mut self, user: i64, read: i64, from: i64) {
        self.participants.insert(user, read);
        self.stays
            .entry(user)
            .or_default()
            .push(Stay { from, to: None });
    }

    fn leave(&mut self, user: i64, seq: i64) {
        let read = self.participants.remove(&user).unwrap_or(0);
        self.former.insert(user, (read, seq));
        if let Some(stay) = self.stays.entry(user).or_default().last_mut() {
            stay.to = Some(seq);
        }
    }

    fn read(&mut self, user: i64, message: i64) {
        let at = self.messages.iter().position(|found| found.id == message);
        let ordinal = at.map_or(0, |at| at as i64 + 1);
        self.participants.insert(user, ordinal);
        self.reads.insert((user, ordinal));
    }

    /// The counters of a user who has read this far.
    pub fn cursor(&self, user: i64, read: i64) -> Cursor {
        let after = || self.messages.iter().skip(read as usize);
        let own = |message: &&Message| message.sender == Some(user);
        Cursor {
            read,
            sent_after: after().filter(own).count() as i64,
            deleted_after: after()
                .filter(|message| message.is_deleted && !own(message))
                .count() as i64,
        }
    }

    /// What a user who has read this far has not read.
    pub fn unread(&self, user: i64, read: i64) -> i64 {
        let after = self.messages.iter().skip(read as usize);
        let counts = |message: &&Message| !message.is_deleted && message.sender != Some(user);
        after.filter(counts).count() as i64
    }

    /// Whether a user took part when an event happened; their own leaving is the last.
    pub fn takes_part(&self, user: i64, seq: i64) -> bool {
        let stays = self.stays.get(&user).map_or(&[][..], Vec::as_slice);
        stays
            .iter()
            .any(|stay| stay.from <= seq && stay.to.is_none_or(|to| seq <= to))
    }
}
