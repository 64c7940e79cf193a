//! A user's feed: what the relay put into it, from the client's resume position on.
//!
//! The feed in Redis is all there is, so the reader makes sure that it lacks nothing: it must be on
//! the server on which the client left off, and the entry behind which it reads must still be there
//! after each read. Otherwise the client has to fetch its state anew (`resync`), and the feed goes on
//! from its end.

use std::convert::Infallible;
use std::rc::Rc;

use platform::clock;
use platform::http::{LastEventId, SseEvent, SseSender, StreamEnd};
use platform::postgres;
use platform::redis::{RedisError, StreamEntry, StreamReader};

use super::position::FeedPosition;
use super::resolve::resolve;
use super::streams::{FEED_MARKER, holds, newest_or_marker};
use super::{OPEN_LIMIT, pause, until_check};
use crate::cache::server_epoch;
use crate::events::EventHead;
use crate::ids::UserId;
use crate::{keys, presence, relay};

/// A client's feed of all that concerns a user.
pub struct UserFeed {
    user: UserId,
    reader: StreamReader,
    position: Position,
    /// The server of the reader's connection.
    server: Rc<str>,
    out: Vec<SseEvent>,
}

/// Where the reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Position {
    /// At the end of the feed, wherever that is: the client is new.
    End,
    /// Behind an entry.
    After(FeedPosition),
    /// Unknown: the client has to fetch its state anew.
    Lost,
}

/// Why a round ended early.
enum Interrupt {
    /// A store does not answer.
    Store,
    /// The stream ended.
    Ended(StreamEnd),
}

impl From<RedisError> for Interrupt {
    fn from(_: RedisError) -> Self {
        Self::Store
    }
}

impl From<StreamEnd> for Interrupt {
    fn from(end: StreamEnd) -> Self {
        Self::Ended(end)
    }
}

impl UserFeed {
    /// Opens the feed at the client's resume position. Redis may be away: then the feed begins when
    /// it is back.
    pub async fn open(user: UserId, last: LastEventId<FeedPosition>) -> Self {
        presence::mark_seen(user).await;
        let mut feed = Self {
            user,
            reader: StreamReader::new(keys::feed(user)),
            position: match last {
                LastEventId::None => Position::End,
                LastEventId::After(position) => Position::After(position),
                LastEventId::Unknown => Position::Lost,
            },
            server: "".into(),
            out: Vec::new(),
        };
        let attached = clock::timeout(OPEN_LIMIT, feed.attach()).await;
        if !matches!(attached, Ok(Ok(()))) && feed.position == Position::End {
            // By the time that Redis is back, its end is another.
            feed.position = Position::Lost;
        }
        feed
    }

    /// Sends what there is and what comes, until the stream ends.
    pub async fn run(mut self, mut sender: SseSender) -> StreamEnd {
        let start = match &self.position {
            Position::After(position) if self.out.is_empty() => Some(position.to_string()),
            _ => None,
        };
        if let Err(end) = sender.open(start).await {
            return end;
        }
        loop {
            match self.follow(&mut sender).await {
                Err(Interrupt::Ended(end)) => return end,
                Err(Interrupt::Store) => clock::sleep(pause()).await,
            }
        }
    }

    async fn follow(&mut self, sender: &mut SseSender) -> Result<Infallible, Interrupt> {
        loop {
            if !self.reader.is_connected() {
                self.attach().await?;
            }
            sender.send_all(&mut self.out).await?;
            self.read().await?;
        }
    }

    /// Finds the position on a new connection.
    async fn attach(&mut self) -> Result<(), RedisError> {
        self.server = server_epoch(self.reader.server().await?.as_deref());
        match self.position.clone() {
            Position::End => {
                let entry = newest_or_marker(&mut self.reader).await?;
                self.position = self.after(entry);
                Ok(())
            }
            Position::After(position)
                if position.server == self.server
                    && holds(&mut self.reader, position.entry).await? =>
            {
                Ok(())
            }
            Position::After(_) | Position::Lost => self.resync().await,
        }
    }

    fn after(&self, entry: platform::redis::StreamId) -> Position {
        let server = self.server.clone();
        Position::After(FeedPosition { entry, server })
    }

    /// Goes on from the end of the feed; the client fetches its state anew.
    async fn resync(&mut self) -> Result<(), RedisError> {
        let end = newest_or_marker(&mut self.reader).await?;
        self.position = self.after(end);
        self.out.push(SseEvent::resync(self.id_of(end)));
        Ok(())
    }

    fn id_of(&self, entry: platform::redis::StreamId) -> String {
        let server = self.server.clone();
        FeedPosition { entry, server }.to_string()
    }

    /// Waits for the feed.
    async fn read(&mut self) -> Result<(), Interrupt> {
        let Position::After(FeedPosition { entry, .. }) = self.position else {
            return Ok(self.attach().await?);
        };
        let entries = self.reader.read(entry, until_check()).await?;
        if !holds(&mut self.reader, entry).await? {
            return Ok(self.resync().await?);
        }
        let Some(last) = entries.last().map(|entry| entry.id) else {
            // Perhaps no relay received the last wake-up.
            relay::wake_up_if(true).await;
            return Ok(());
        };
        let entries: Vec<StreamEntry> = entries
            .into_iter()
            .filter(|entry| entry.event != FEED_MARKER)
            .collect();
        let resolved = resolve(entries, Some(self.user)).await;
        // A stream lasts long and asks seldom.
        postgres::release();
        for entry in resolved.map_err(|_| Interrupt::Store)? {
            self.push(entry);
        }
        self.position = self.after(last);
        Ok(())
    }

    fn push(&mut self, entry: StreamEntry) {
        let Some(head) = EventHead::parse(&entry.event) else {
            return;
        };
        self.out.push(SseEvent {
            id: Some(self.id_of(entry.id)),
            event: head.name.into_owned(),
            data: entry.event,
        });
    }
}
