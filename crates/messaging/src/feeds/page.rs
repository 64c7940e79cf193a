//! A part of a user's feed, for a client that asks for it: what came behind a position.

use platform::args;
use platform::http::LastEventId;
use platform::redis::{InvalidStreamId, RedisError, Repeat, StreamEntry, StreamId, unexpected};

use super::position::FeedPosition;
use super::resolve::resolve;
use super::streams::{FEED_MARKER, newest_entry};
use crate::cache;
use crate::ids::UserId;
use crate::{RedisService, Result, keys};

/// How many entries one look at the feed takes.
const ENTRIES: i64 = 200;
/// About how many bytes of events a page has: a proxy takes a megabyte in one response.
const BYTES: usize = 256 * 1024;

/// An event of a user's feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Its position.
    pub id: String,
    /// The position behind which it comes.
    pub previous: String,
    /// One line of JSON.
    pub json: String,
}

impl FeedEvent {
    /// The event as one JSON object with its positions.
    #[must_use]
    pub fn to_frame(&self) -> String {
        let Self { id, previous, json } = self;
        let members = json.strip_prefix('{').unwrap_or(json);
        // Positions are digits, dashes, points and hexadecimal digits.
        format!(r#"{{"id":"{id}","previousId":"{previous}",{members}"#)
    }
}

/// What a feed holds behind a position.
#[derive(Debug, PartialEq, Eq)]
pub struct FeedPage {
    /// The events that the user may see.
    pub events: Vec<FeedEvent>,
    /// Where the client goes on.
    pub last: String,
    /// Whether there is more behind that.
    pub more: bool,
    /// Whether the position was not found: the client fetches its state anew.
    pub resync: bool,
}

/// The newest position of a user's feed.
pub async fn newest_position(user: UserId) -> Result<FeedPosition> {
    let server = cache::epoch().await?;
    let entry = newest_entry(RedisService::required(), user).await?;
    Ok(FeedPosition {
        entry,
        server: server.as_str().into(),
    })
}

/// What a user's feed holds behind the position that a client sends.
pub async fn page_after(user: UserId, last: LastEventId<FeedPosition>) -> Result<FeedPage> {
    let epoch = cache::epoch().await?;
    if let LastEventId::After(position) = last
        && *position.server == *epoch.as_str()
        && let Some(entries) = read_behind(user, position.entry).await?
        && epoch.is_current()
    {
        return page(user, position, entries).await;
    }
    Ok(FeedPage {
        events: vec![],
        last: newest_position(user).await?.to_string(),
        more: false,
        resync: true,
    })
}

/// The entries behind one that the feed still holds; then it holds all after it.
async fn read_behind(
    user: UserId,
    after: StreamId,
) -> Result<Option<Vec<StreamEntry>>, RedisError> {
    let arguments = args![keys::feed(user), after.to_string(), "+", "COUNT", ENTRIES];
    let flat: Vec<Vec<u8>> = RedisService::required()
        .command(Repeat::Safe, "XRANGE", arguments)
        .await?;
    // The host flattens the reply: id, "event", value, id, …
    let entries: Result<Vec<StreamEntry>, RedisError> =
        flat.chunks_exact(3).map(read_entry).collect();
    let mut entries = entries?;
    if entries.first().is_none_or(|first| first.id != after) {
        return Ok(None);
    }
    entries.remove(0);
    Ok(Some(entries))
}

fn read_entry(entry: &[Vec<u8>]) -> Result<StreamEntry, RedisError> {
    let text = |at: usize| String::from_utf8_lossy(&entry[at]).into_owned();
    let id = text(0).parse();
    let id = id.map_err(|InvalidStreamId| unexpected("an entry's id"))?;
    Ok(StreamEntry { id, event: text(2) })
}

async fn page(user: UserId, after: FeedPosition, entries: Vec<StreamEntry>) -> Result<FeedPage> {
    let id = |entry: StreamId| {
        let server = after.server.clone();
        FeedPosition { entry, server }.to_string()
    };
    let is_full = entries.len() + 1 >= ENTRIES as usize;
    let end = entries.last().map_or(after.entry, |last| last.id);
    let entries = entries.into_iter();
    let entries = entries.filter(|entry| entry.event != FEED_MARKER).collect();
    let mut page = FeedPage {
        events: vec![],
        last: after.to_string(),
        more: is_full,
        resync: false,
    };
    let mut bytes = 0;
    for entry in resolve(entries, Some(user)).await? {
        if bytes > BYTES {
            page.more = true;
            return Ok(page);
        }
        bytes += entry.event.len();
        let previous = std::mem::replace(&mut page.last, id(entry.id));
        page.events.push(FeedEvent {
            id: id(entry.id),
            previous,
            json: entry.event,
        });
    }
    page.last = id(end);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_event_with_its_positions() {
        let event = FeedEvent {
            id: "5-0.ab".into(),
            previous: "4-0.ab".into(),
            json: r#"{"type":"online","userId":7}"#.into(),
        };
        assert_eq!(
            event.to_frame(),
            r#"{"id":"5-0.ab","previousId":"4-0.ab","type":"online","userId":7}"#
        );
    }
}
