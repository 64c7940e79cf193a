//! Streams in Redis: a conversation's events, a user's feed, and how they grow.

use std::time::Duration;

use platform::args;
use platform::redis::{
    InvalidStreamId, RedisError, RedisParameter, Script, StreamId, StreamReader, seconds,
    unexpected,
};

use super::added::{self, Additions};
use crate::ids::{ConversationId, Seq, UserId};
use crate::{RedisService, keys};

/// A script behind what it shares with others.
macro_rules! script {
    ($($file:literal),+) => {
        Script::idempotent(concat!($(include_str!($file)),+))
    };
}

/// Adds a conversation's events to its stream.
const STREAM_APPEND: Script = Script::idempotent(include_str!("lua/stream_append.lua"));
/// Adds what is not durable to a conversation's stream.
const STREAM_INTERJECT: Script = script!("lua/signal_id.lua", "lua/stream_interject.lua");
/// Adds events to a user's feed.
const FEED_APPEND: Script = script!("lua/feed_added.lua", "lua/feed_append.lua");
/// Adds what is not durable to a user's feed.
const FEED_SIGNAL: Script = script!(
    "lua/signal_id.lua",
    "lua/feed_added.lua",
    "lua/feed_signal.lua"
);
/// Finds the newest entry of a user's feed.
const FEED_OPEN: Script = Script::idempotent(include_str!("lua/feed_open.lua"));
/// Checks whether a stream or feed still holds an entry.
const STREAM_HOLDS: Script = Script::idempotent(include_str!("lua/stream_holds.lua"));

/// About how many entries a stream or feed holds.
const STREAM_MAX: i64 = 1000;
/// How long a stream or feed outlives its newest entry.
const STREAM_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// The entry with which a reader creates a feed that does not exist.
pub const FEED_MARKER: &str = r#"{"type":"opened"}"#;

/// Adds a conversation's events to its stream; those that are there stay as they are. Whether a proxy
/// may hold event streams of the conversation.
pub async fn append_to_stream(
    redis: RedisService,
    id: ConversationId,
    entries: &[(Seq, String)],
) -> Result<bool, RedisError> {
    let mut arguments = limits();
    for (seq, json) in entries {
        arguments.extend(args![seq.get(), json]);
    }
    let keys = [&*keys::stream(id), &*keys::stream_held(id)];
    redis.script_on(STREAM_APPEND, &keys, arguments).await
}

/// Adds signals to a conversation's stream, behind its newest event, in order and each once. Each is
/// its id and its event. The ids of those that were added, if a proxy may hold event streams of the
/// conversation.
pub async fn interject(
    redis: RedisService,
    id: ConversationId,
    signals: &[(&str, &str)],
) -> Result<Vec<String>, RedisError> {
    let mut arguments = limits();
    for (id, event) in signals {
        arguments.extend(args![*id, *event]);
    }
    let (stream, signal) = (keys::stream(id), keys::stream_signal(id));
    let keys = [&*stream, &*signal, &*keys::stream_held(id)];
    redis.script_on(STREAM_INTERJECT, &keys, arguments).await
}

/// An entry of a user's feed.
#[derive(Debug, Clone)]
pub struct FeedEntry {
    /// Where it stands among the events of a conversation, if it is durable.
    pub position: Option<(ConversationId, Seq)>,
    /// One line of JSON.
    pub event: String,
}

/// Adds entries to a user's feed, in order and each once; what was added, if the user has readers at a
/// proxy.
pub async fn append_to_feed(
    redis: RedisService,
    user: UserId,
    entries: &[FeedEntry],
) -> Result<Additions, RedisError> {
    let mut arguments = limits();
    for entry in entries {
        match entry.position {
            Some((conversation, seq)) => arguments.extend(args![conversation.get(), seq.get()]),
            None => arguments.extend(args!["", ""]),
        }
        arguments.extend(args![&entry.event]);
    }
    add_to_feed(redis, user, FEED_APPEND, arguments).await
}

async fn add_to_feed(
    redis: RedisService,
    user: UserId,
    script: Script,
    arguments: Vec<RedisParameter>,
) -> Result<Additions, RedisError> {
    let (feed, seqs) = (keys::feed(user), keys::feed_seqs(user));
    let (sockets, held) = (keys::sockets_of_user(user), keys::feed_held(user));
    let keys = [&*feed, &*seqs, &*sockets, &*held];
    let added: Vec<String> = redis.script_on(script, &keys, arguments).await?;
    added::read(&added)
}

/// Adds signals to a user's feed, if there is one, in order and each once. Each is its id under
/// `signals`, and its event. What was added, if the user has readers at a proxy.
pub async fn signal(
    redis: RedisService,
    user: UserId,
    signals: &str,
    entries: &[(&str, &str)],
) -> Result<Additions, RedisError> {
    let mut arguments = args![STREAM_MAX, signals];
    for (id, event) in entries {
        arguments.extend(args![*id, *event]);
    }
    add_to_feed(redis, user, FEED_SIGNAL, arguments).await
}

/// The newest entry's id of a feed. A feed that does not exist is created with a marker, so that
/// every reader has an entry to resume from.
pub async fn newest_or_marker(reader: &mut StreamReader) -> Result<StreamId, RedisError> {
    let arguments = args![FEED_MARKER, seconds(STREAM_TTL)];
    let id: String = reader.script(FEED_OPEN, arguments).await?;
    id.parse()
        .map_err(|InvalidStreamId| unexpected("an entry's id"))
}

/// As [`newest_or_marker`], on the connection that the instance keeps.
pub async fn newest_entry(redis: RedisService, user: UserId) -> Result<StreamId, RedisError> {
    let arguments = args![FEED_MARKER, seconds(STREAM_TTL)];
    let id: String = redis
        .script(FEED_OPEN, &keys::feed(user), arguments)
        .await?;
    id.parse()
        .map_err(|InvalidStreamId| unexpected("an entry's id"))
}

/// Whether a stream still holds an entry: then it holds all after it too.
pub async fn holds(reader: &mut StreamReader, id: StreamId) -> Result<bool, RedisError> {
    reader.script(STREAM_HOLDS, args![id.to_string()]).await
}

fn limits() -> Vec<RedisParameter> {
    args![STREAM_MAX, seconds(STREAM_TTL)]
}
