//! A conversation's feed: from the database what the client has missed, then
//! from the stream in Redis what happens. Whenever the stream shows a gap, and
//! every few seconds anyway, the database is asked: it is complete whatever
//! Redis lost.

use std::convert::Infallible;
use std::time::Duration;

use platform::clock::{self, Instant};
use platform::http::{LastEventId, SseEvent, SseSender, StreamEnd};
use platform::postgres;
use platform::redis::{RedisError, StreamEntry, StreamId, StreamReader};

use super::progress::{Next, Progress};
use super::resolve::resolve;
use super::{OPEN_LIMIT, pause, until_check};
use crate::events::{self, EventPage};
use crate::ids::{ConversationId, UserId};
use crate::{Result, conversations, keys, relay};

/// How many events one look at the database takes: a client that does not read
/// has them wait in memory.
const PAGE: usize = 20;
/// How long an open feed waits for Redis before it asks the database.
const ATTACH_LIMIT: Duration = Duration::from_secs(1);

/// A client's feed of one conversation.
pub struct ConversationFeed {
    id: ConversationId,
    viewer: Option<UserId>,
    progress: Progress,
    source: Source,
    /// When the database is asked next.
    check_at: Instant,
    /// Where the client goes on if it gets nothing but this.
    start: Option<i64>,
    out: Vec<SseEvent>,
}

/// The stream in Redis.
struct Source {
    tail: StreamReader,
    /// The entry behind which to read. It is no measure of what was sent: that
    /// is the progress.
    position: Option<StreamId>,
    /// Whether Redis answered when it was last asked.
    up: bool,
}

impl ConversationFeed {
    /// Opens the feed for a client that was last seen at `last`; 404 if the
    /// viewer may not see the conversation.
    pub async fn open(
        id: ConversationId,
        viewer: Option<UserId>,
        last: LastEventId<i64>,
    ) -> Result<Self> {
        let after = match last {
            LastEventId::After(seq) => seq,
            // Nothing comes after this: only the newest seq is asked for.
            LastEventId::None | LastEventId::Unknown => i64::MAX,
        };
        let mut source = Source::of(id);
        source.attach(OPEN_LIMIT).await;
        let page = look(id, viewer, after).await?;
        let page = page.ok_or(conversations::not_found())?;
        let (progress, resync) = Progress::begin(viewer, last, page.newest);
        let mut feed = Self {
            id,
            viewer,
            check_at: Instant::now(),
            start: (!resync).then_some(progress.seq()),
            out: Vec::from_iter(resync.then(|| SseEvent::resync(progress.seq()))),
            progress,
            source,
        };
        feed.take_page(page);
        Ok(feed)
    }

    /// Sends what there is and what comes, until the feed ends.
    pub async fn run(mut self, mut sender: SseSender) -> StreamEnd {
        let Err(ended) = self.follow(&mut sender).await;
        ended
    }

    async fn follow(&mut self, sender: &mut SseSender) -> Result<Infallible, StreamEnd> {
        sender.open(self.start.map(|seq| seq.to_string())).await?;
        loop {
            sender.send_all(&mut self.out).await?;
            let wait = self.check_at.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                self.check().await?;
            } else if self.source.up {
                self.read(wait).await;
            } else {
                clock::sleep(wait).await;
            }
        }
    }

    /// Waits for the stream.
    async fn read(&mut self, wait: Duration) {
        let next = match self.source.read(wait).await {
            Ok(entries) => self.take_entries(entries).await,
            Err(_) => Next::Ask,
        };
        if next == Next::Ask {
            self.check_at = Instant::now();
        }
    }

    /// What the cache and the database do not resolve, a look at the database will.
    async fn take_entries(&mut self, entries: Vec<StreamEntry>) -> Next {
        let resolved = resolve(entries, None).await;
        postgres::release();
        match resolved {
            Ok(entries) => self.progress.take_entries(entries, &mut self.out),
            Err(_) => Next::Ask,
        }
    }

    /// Asks the database for what is missing, and whether the viewer may still
    /// see it.
    async fn check(&mut self) -> Result<(), StreamEnd> {
        self.source.attach(ATTACH_LIMIT).await;
        match look(self.id, self.viewer, self.progress.seq()).await {
            Ok(Some(page)) => self.take_page(page),
            Ok(None) => return Err(StreamEnd::AccessLost),
            Err(_) => self.check_at = Instant::now() + pause(),
        }
        Ok(())
    }

    fn take_page(&mut self, page: EventPage) {
        let unrelayed = page.unrelayed;
        let wait = match self.progress.take_page(page, &mut self.out) {
            Next::Ask => Duration::ZERO,
            // What comes next may not come by the stream.
            Next::Wait if unrelayed || !self.source.up => pause(),
            Next::Wait => until_check(),
        };
        self.check_at = Instant::now() + wait;
    }
}

/// Asks the database, and wakes the relay if that has work to do. A stream
/// lasts long and asks seldom, so it keeps no connection.
pub(super) async fn look(
    id: ConversationId,
    viewer: Option<UserId>,
    after: i64,
) -> Result<Option<EventPage>> {
    let page = events::page_after(id, viewer, after, PAGE).await;
    postgres::release();
    relay::wake_up_if(matches!(&page, Ok(Some(page)) if page.unrelayed)).await;
    page
}

impl Source {
    fn of(id: ConversationId) -> Self {
        Self {
            tail: StreamReader::new(keys::stream(id)),
            position: None,
            up: false,
        }
    }

    /// Finds the stream's end, before the database is asked: what comes to the
    /// stream later is read from there. A stream that was lost begins anew,
    /// perhaps below where this reader was.
    async fn attach(&mut self, limit: Duration) {
        let newest = clock::timeout(limit, self.tail.newest()).await;
        self.up = matches!(newest, Ok(Ok(_)));
        if let Ok(Ok(newest)) = newest {
            let end = newest.unwrap_or_default();
            self.position = Some(self.position.map_or(end, |position| position.min(end)));
        }
    }

    async fn read(&mut self, wait: Duration) -> Result<Vec<StreamEntry>, RedisError> {
        let entries = self
            .tail
            .read(self.position.unwrap_or_default(), wait)
            .await;
        match &entries {
            Ok(entries) => self.position = entries.last().map(|last| last.id).or(self.position),
            Err(_) => self.up = false,
        }
        entries
    }
}
