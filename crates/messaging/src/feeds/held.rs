//! A part of an event stream that a proxy holds: what the client lacks. The rest is published by the
//! relay.

use std::time::Duration;

use platform::http::{LastEventId, SseEvent};

use super::conversation::look;
use super::page::{FeedEvent, FeedPage, newest_position, page_after};
use super::position::FeedPosition;
use super::progress::{Next, Progress};
use crate::events::EventHead;
use crate::ids::{ConversationId, UserId};
use crate::{RedisService, Result, keys};

/// How long the relay publishes for streams of which the proxy did not ask: longer than it takes to ask
/// twice.
pub const HELD_TTL: Duration = Duration::from_secs(15 * 60);

/// What a client lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct HeldPage {
    /// Where the client is before these events; none if that is no position of the stream.
    pub start: Option<String>,
    /// The events.
    pub events: Vec<SseEvent>,
    /// Where it is behind them.
    pub last: String,
    /// Whether there is more behind that.
    pub more: bool,
}

/// Has the relay publish what happens in a conversation. What happened before is in the page that is
/// read later.
pub async fn hold_conversation(id: ConversationId) -> Result<()> {
    hold(keys::stream_held(id)).await
}

/// Has the relay publish what comes to a user's feed.
pub async fn hold_feed(user: UserId) -> Result<()> {
    hold(keys::feed_held(user)).await
}

async fn hold(key: String) -> Result<()> {
    let redis = RedisService::required();
    Ok(redis.set(&key, b"1", Some(HELD_TTL)).await?)
}

/// What a client lacks of a conversation's events; `None` if the viewer may not see them.
pub async fn conversation_page(
    id: ConversationId,
    viewer: Option<UserId>,
    last: LastEventId<i64>,
) -> Result<Option<HeldPage>> {
    let after = match last {
        LastEventId::After(seq) => seq,
        LastEventId::None | LastEventId::Unknown => i64::MAX,
    };
    let Some(page) = look(id, viewer, after).await? else {
        return Ok(None);
    };
    let (mut progress, resync) = Progress::begin(viewer, last, page.newest);
    let start = progress.seq();
    let mut events = Vec::from_iter(resync.then(|| SseEvent::resync(start)));
    let next = progress.take_page(page, &mut events);
    Ok(Some(HeldPage {
        start: (!resync).then(|| start.to_string()),
        events,
        last: progress.seq().to_string(),
        more: next == Next::Ask,
    }))
}

/// What a client lacks of a user's feed.
pub async fn feed_page(user: UserId, last: LastEventId<FeedPosition>) -> Result<HeldPage> {
    let start = match &last {
        LastEventId::None => {
            let newest = newest_position(user).await?.to_string();
            return Ok(HeldPage {
                start: Some(newest.clone()),
                events: vec![],
                last: newest,
                more: false,
            });
        }
        LastEventId::After(position) => Some(position.to_string()),
        LastEventId::Unknown => None,
    };
    let FeedPage {
        events,
        last,
        more,
        resync,
    } = page_after(user, last).await?;
    let resync = resync.then(|| SseEvent::resync(&last));
    let start = start.filter(|_| resync.is_none());
    let events = events.iter().map(FeedEvent::to_sse);
    Ok(HeldPage {
        start,
        events: resync.into_iter().chain(events).collect(),
        last,
        more,
    })
}

impl FeedEvent {
    /// The event as streams get it.
    #[must_use]
    pub fn to_sse(&self) -> SseEvent {
        sse(Some(self.id.clone()), &self.json)
    }
}

/// An event as streams get it, if it is one.
#[must_use]
pub fn sse(id: Option<String>, json: &str) -> SseEvent {
    let name = EventHead::parse(json).map(|head| head.name.into_owned());
    SseEvent {
        id,
        event: name.unwrap_or_default(),
        data: json.to_owned(),
    }
}
