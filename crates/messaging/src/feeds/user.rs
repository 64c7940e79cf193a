//! A user's feed: what the relay put into it, from where the client left off.
//!
//! The feed in Redis is all there is, so the reader makes sure that it lacks
//! nothing: the entry behind which it reads must still be there after each
//! read, Redis must not have started since that entry came in, and each
//! conversation's events must come without a gap. Else the client is deduplicator to
//! fetch anew what it shows, and the feed goes on from its end.

use std::convert::Infallible;

use platform::clock;
use platform::http::{LastEventId, SseEvent, SseSender, StreamEnd};
use platform::redis::{RedisError, StreamEntry, StreamId, StreamReader};

use super::deduplicator::{Deduplicator, Verdict};
use super::streams::{FEED_MARKER, holds, newest_or_marker};
use super::{OPEN_LIMIT, pause, until_check};
use crate::events::EventHead;
use crate::ids::UserId;
use crate::{keys, relay};

/// How many looks back from the client's last entry tell what it had.
const LOOKS_BACK: usize = 5;

/// A client's feed of all that concerns a user.
pub struct UserFeed {
    tail: StreamReader,
    place: Place,
    deduplicator: Deduplicator,
    out: Vec<SseEvent>,
}

/// Where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the end of the feed, wherever that is: the client has no past.
    End,
    /// Behind an entry.
    Behind(StreamId),
    /// Behind something that is not known: the client has to fetch anew.
    Lost,
}

/// Why a round ended early.
enum Stop {
    Redis,
    StreamEnd(StreamEnd),
}

impl From<RedisError> for Stop {
    fn from(_: RedisError) -> Self {
        Self::Redis
    }
}

impl From<StreamEnd> for Stop {
    fn from(ended: StreamEnd) -> Self {
        Self::StreamEnd(ended)
    }
}

impl UserFeed {
    /// Opens the feed for a client that was last seen at `last`. Redis may be
    /// away: then the feed begins when it is back.
    pub async fn open(user: UserId, last: LastEventId<StreamId>) -> Self {
        let mut feed = Self {
            tail: StreamReader::new(keys::feed(user)),
            place: match last {
                LastEventId::None => Place::End,
                LastEventId::After(id) => Place::Behind(id),
                LastEventId::Unknown => Place::Lost,
            },
            deduplicator: Deduplicator::new(user),
            out: Vec::new(),
        };
        let attached = clock::timeout(OPEN_LIMIT, feed.attach()).await;
        if !matches!(attached, Ok(Ok(()))) && feed.place == Place::End {
            // By the time that Redis is back, its end is another.
            feed.place = Place::Lost;
        }
        feed
    }

    /// Sends what there is and what comes, until the feed ends.
    pub async fn run(mut self, mut sender: SseSender) -> StreamEnd {
        let start = match self.place {
            Place::Behind(id) if self.out.is_empty() => Some(id.to_string()),
            _ => None,
        };
        if let Err(ended) = sender.open(start).await {
            return ended;
        }
        loop {
            match self.follow(&mut sender).await {
                Err(Stop::StreamEnd(ended)) => return ended,
                Err(Stop::Redis) => clock::sleep(pause()).await,
            }
        }
    }

    async fn follow(&mut self, sender: &mut SseSender) -> Result<Infallible, Stop> {
        loop {
            if !self.tail.is_connected() {
                self.attach().await?;
            }
            sender.send_all(&mut self.out).await?;
            self.read().await?;
        }
    }

    /// Finds the place on a new connection.
    async fn attach(&mut self) -> Result<(), RedisError> {
        let place = self.place;
        match place {
            Place::End => {
                self.place = Place::Behind(newest_or_marker(&mut self.tail).await?);
                Ok(())
            }
            Place::Behind(id) if self.reaches_back_to(id).await? => self.recall(id).await,
            Place::Behind(_) | Place::Lost => self.resync().await,
        }
    }

    /// Whether all that was added after an entry is still there: the entry is,
    /// and Redis has not lost its newest ones by a restart.
    async fn reaches_back_to(&mut self, id: StreamId) -> Result<bool, RedisError> {
        let start = self.tail.server_start().await?;
        Ok(start.is_none_or(|start| start <= id.major) && holds(&mut self.tail, id).await?)
    }

    /// Learns what the client had.
    async fn recall(&mut self, mut from: StreamId) -> Result<(), RedisError> {
        for _ in 0..LOOKS_BACK {
            let batch = self.tail.read_backwards(from).await?;
            for head in batch
                .iter()
                .filter_map(|entry| EventHead::parse(&entry.event))
            {
                self.deduplicator.recall(&head);
            }
            match batch.last() {
                Some(oldest) if oldest.id < from => from = oldest.id,
                _ => break,
            }
        }
        Ok(())
    }

    /// Goes on from the end of the feed, and tells the client so.
    async fn resync(&mut self) -> Result<(), RedisError> {
        let end = newest_or_marker(&mut self.tail).await?;
        self.place = Place::Behind(end);
        self.deduplicator.forget();
        self.out.push(SseEvent::resync(end));
        Ok(())
    }

    /// Waits for the feed.
    async fn read(&mut self) -> Result<(), RedisError> {
        let Place::Behind(place) = self.place else {
            return self.attach().await;
        };
        let entries = self.tail.read(place, until_check()).await?;
        if !holds(&mut self.tail, place).await? {
            return self.resync().await;
        }
        if entries.is_empty() {
            // Perhaps nobody heard the last ring.
            relay::wake_up_if(true).await;
        }
        for entry in entries {
            self.take(entry);
        }
        Ok(())
    }

    fn take(&mut self, entry: StreamEntry) {
        self.place = Place::Behind(entry.id);
        if entry.event == FEED_MARKER {
            return;
        }
        let Some(head) = EventHead::parse(&entry.event) else {
            return;
        };
        let verdict = self.deduplicator.judge(&head);
        if verdict == Verdict::Gap {
            self.out.push(SseEvent::resync(entry.id));
        }
        if verdict != Verdict::Skip {
            self.out.push(SseEvent {
                id: Some(entry.id.to_string()),
                event: head.name.into_owned(),
                data: entry.event,
            });
        }
    }
}
