//! Streams, feeds and signals: how events wait for their readers.

use std::time::Duration;

use spin_sdk::redis::RedisParameter;

use super::service::{Argument, args, millis, seconds};
use super::{RedisError as E, RedisService, keys, scripts};
use crate::ids::{ConversationId, Seq, UserId};

/// About how many entries a stream or feed holds.
const STREAM_MAX: i64 = 1000;
/// How long a stream or feed outlives its newest entry.
pub(super) const STREAM_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// About how many signals wait at the most.
const SIGNALS_MAX: i64 = 10_000;

impl RedisService {
    /// Adds a conversation's events to its stream; those that are there stay as they are.
    pub async fn append_to_stream(
        &self,
        id: ConversationId,
        entries: &[(Seq, String)],
    ) -> Result<i64, E> {
        let mut arguments = limits();
        for (seq, json) in entries {
            arguments.extend(args![seq.get(), json]);
        }
        self.script(scripts::STREAM_APPEND, &keys::stream(id), arguments)
            .await
    }

    /// Adds what is not durable to a conversation's stream, behind its newest event.
    pub async fn interject_in_stream(
        &self,
        id: ConversationId,
        lines: &[String],
    ) -> Result<i64, E> {
        let mut arguments = limits();
        arguments.extend(lines.iter().map(Argument::parameter));
        self.script(scripts::STREAM_INTERJECT, &keys::stream(id), arguments)
            .await
    }

    /// Adds events to a user's feed, in order.
    pub async fn append_to_feed(&self, user: UserId, lines: &[String]) -> Result<i64, E> {
        let mut arguments = limits();
        arguments.extend(lines.iter().map(Argument::parameter));
        self.script(scripts::FEED_APPEND, &keys::feed(user), arguments)
            .await
    }

    /// Leaves a signal for the relay.
    pub async fn add_signal(&self, json: &str) -> Result<(), E> {
        let arguments = args![
            keys::signals(),
            "MAXLEN",
            "~",
            SIGNALS_MAX,
            "*",
            "event",
            json
        ];
        self.command("XADD", arguments).await
    }

    /// The oldest signals, with their ids.
    pub async fn signals(&self, most: usize) -> Result<Vec<(String, String)>, E> {
        // The host flattens the reply: id, "event", value, id, …
        let flat: Vec<String> = self
            .command("XRANGE", args![keys::signals(), "-", "+", "COUNT", most])
            .await?;
        Ok(flat
            .chunks_exact(3)
            .map(|entry| (entry[0].clone(), entry[2].clone()))
            .collect())
    }

    /// Removes signals that were passed on.
    pub async fn remove_signals(&self, ids: &[&str]) -> Result<(), E> {
        let mut arguments = args![keys::signals()];
        arguments.extend(ids.iter().map(|id| id.parameter()));
        self.command("XDEL", arguments).await
    }

    /// Keeps other relays from the signals; whether none was at it.
    pub async fn lease_signals(&self, life: Duration) -> Result<bool, E> {
        self.command(
            "SET",
            args![keys::signals_lease(), "1", "NX", "PX", millis(life)],
        )
        .await
    }
}

fn limits() -> Vec<RedisParameter> {
    args![STREAM_MAX, seconds(STREAM_LIFE)]
}
