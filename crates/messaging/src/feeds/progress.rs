//! How far a conversation's feed has come: what of that which Redis and the
//! database give is sent, and when the database has to be asked.
//!
//! Events have a seq without a gap, so the next to send is known. What Redis
//! gives is sent only if it is that one; the database is the truth about all
//! others.

use platform::http::{LastEventId, SseEvent};
use platform::redis::StreamEntry;

use crate::events::{Event, EventHead, EventPage, EventType};
use crate::ids::UserId;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Wait for the stream.
    Wait,
    /// Ask the database for what comes after [`Progress::seq`].
    Ask,
}

/// The state of one client's feed.
#[derive(Debug, Clone)]
pub struct Progress {
    viewer: Option<UserId>,
    /// The seq of the newest event sent, or of the one before the first to send.
    seq: i64,
    /// The viewer left: nothing more until the database says that they may see it.
    left: bool,
}

impl Progress {
    /// A feed that begins behind `seq`.
    #[must_use]
    pub const fn after(viewer: Option<UserId>, seq: i64) -> Self {
        Self {
            viewer,
            seq,
            left: false,
        }
    }

    /// Where to begin, for a client that comes with this id, and whether a hole in its history has
    /// to be reported. `newest` is the seq of the conversation's newest event.
    #[must_use]
    pub const fn begin(
        viewer: Option<UserId>,
        last: LastEventId<i64>,
        newest: i64,
    ) -> (Self, bool) {
        match last {
            LastEventId::After(seq) if 0 <= seq && seq <= newest => {
                (Self::after(viewer, seq), false)
            }
            LastEventId::None => (Self::after(viewer, newest), false),
            _ => (Self::after(viewer, newest), true),
        }
    }

    /// The seq behind which the database is to be asked.
    #[must_use]
    pub const fn seq(&self) -> i64 {
        self.seq
    }

    /// Takes what the stream gave, in its order.
    pub fn take_entries(&mut self, entries: Vec<StreamEntry>, out: &mut Vec<SseEvent>) -> Next {
        let mut next = Next::Wait;
        for entry in entries {
            if self.left {
                return Next::Ask;
            }
            if self.take_entry(entry.event, out) == Next::Ask {
                next = Next::Ask;
            }
        }
        next
    }

    fn take_entry(&mut self, json: String, out: &mut Vec<SseEvent>) -> Next {
        let Some(head) = EventHead::parse(&json) else {
            return Next::Wait;
        };
        match head.seq {
            // Typing and the like: now or never.
            None => {
                let event = head.name.into_owned();
                out.push(SseEvent {
                    id: None,
                    event,
                    data: json,
                });
                Next::Wait
            }
            Some(seq) if seq == self.seq + 1 => {
                self.seq = seq;
                self.left = self
                    .viewer
                    .is_some_and(|viewer| head.is(EventType::ParticipantLeft, viewer));
                let event = head.name.into_owned();
                out.push(SseEvent {
                    id: Some(seq.to_string()),
                    event,
                    data: json,
                });
                if self.left { Next::Ask } else { Next::Wait }
            }
            Some(seq) if seq > self.seq => Next::Ask,
            Some(_) => Next::Wait,
        }
    }

    /// Takes what the database gave, asked for what comes after [`Self::seq`].
    pub fn take_page(&mut self, page: EventPage, out: &mut Vec<SseEvent>) -> Next {
        self.left = false;
        let empty = page.events.is_empty();
        for event in page.events {
            self.take_event(&event, out);
        }
        if empty && page.newest > self.seq {
            // None of them is kept any more.
            self.seq = page.newest;
            out.push(SseEvent::resync(self.seq));
        }
        if page.newest > self.seq {
            Next::Ask
        } else {
            Next::Wait
        }
    }

    fn take_event(&mut self, event: &Event, out: &mut Vec<SseEvent>) {
        let seq = event.seq.get();
        if seq > self.seq + 1 {
            out.push(SseEvent::resync(seq - 1));
        }
        self.seq = seq;
        out.push(SseEvent {
            id: Some(seq.to_string()),
            event: event.event_type.name().into(),
            data: event.to_json(),
        });
    }
}

#[cfg(test)]
mod tests;
