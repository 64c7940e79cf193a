//! Reading one stream as it grows, on a connection of its own: a command that blocks holds up every
//! other command of its connection.

use std::fmt;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use spin_sdk::redis::{RedisParameter, RedisResult};

use super::connection::run_id;
use super::reply::FromReply;
use super::{DedicatedConnection, RedisError, Script, millis};
use crate::{args, clock};

/// How many entries one read takes at the most: for a client that does not read, they wait in memory.
const BATCH: i64 = 50;
/// How long Redis may take to reply, beyond the time that a read blocks.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);

/// An entry's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    /// The part before the dash.
    pub major: u64,
    /// The part behind it.
    pub minor: u64,
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.major, self.minor)
    }
}

/// A text is not an entry's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidStreamId;

impl FromStr for StreamId {
    type Err = InvalidStreamId;

    fn from_str(text: &str) -> Result<Self, InvalidStreamId> {
        let part = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten()
        };
        let (major, minor) = text.split_once('-').ok_or(InvalidStreamId)?;
        match (part(major), part(minor)) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(InvalidStreamId),
        }
    }
}

/// An entry of a stream with its one field, `event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry {
    /// Its position in the stream.
    pub id: StreamId,
    /// One line of JSON.
    pub event: String,
}

/// A reader of one stream. It connects when it has to, and drops a connection that broke or does
/// not reply.
pub struct StreamReader {
    key: String,
    connection: Option<DedicatedConnection>,
}

impl StreamReader {
    /// A reader of the stream under a key, not yet connected.
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self {
            key,
            connection: None,
        }
    }

    /// Whether the connection is the one of the last read.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// The entries after an id; blocks until there is one, and gives none if none comes in time.
    pub async fn read(
        &mut self,
        after: StreamId,
        wait: Duration,
    ) -> Result<Vec<StreamEntry>, RedisError> {
        // Redis takes 0 for ever.
        let block = millis(wait).max(1);
        let arguments = args![
            "COUNT",
            BATCH,
            "BLOCK",
            block,
            "STREAMS",
            self.key.as_str(),
            after.to_string()
        ];
        let reply = self.execute("XREAD", arguments, wait).await?;
        // The host flattens the reply: key, id, "event", value, id, …
        entries(reply.into_iter().skip(1))
    }

    /// The newest entry's id; `None` of a stream that is empty or not there.
    pub async fn newest(&mut self) -> Result<Option<StreamId>, RedisError> {
        let arguments = args![self.key.as_str(), "+", "-", "COUNT", 1_i64];
        let reply = self.execute("XREVRANGE", arguments, Duration::ZERO).await?;
        Ok(entries(reply.into_iter())?.first().map(|entry| entry.id))
    }

    /// The identity of the server behind the present connection, or a new one; `None` where the
    /// server does not say, for want of a privilege.
    pub async fn server(&mut self) -> Result<Option<Rc<str>>, RedisError> {
        match self.execute("INFO", args!["server"], Duration::ZERO).await {
            Ok(reply) => Ok(run_id(&String::from_reply(reply)?)),
            Err(RedisError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs a script on the stream.
    pub async fn script<T: FromReply>(
        &mut self,
        script: Script,
        arguments: Vec<RedisParameter>,
    ) -> Result<T, RedisError> {
        let mut all = args![script.source, 1_i64, self.key.as_str()];
        all.extend(arguments);
        T::from_reply(self.execute("EVAL", all, Duration::ZERO).await?)
    }

    async fn execute(
        &mut self,
        command: &'static str,
        arguments: Vec<RedisParameter>,
        wait: Duration,
    ) -> Result<Vec<RedisResult>, RedisError> {
        let reply = self.execute_once(command, arguments.clone(), wait).await;
        if !matches!(reply, Err(RedisError::WrongType(_))) {
            return reply;
        }
        // A value of another type under a key of ours is not ours: it counts as absent.
        log::warn!("deleted a key of ours that held a value of another type ({command})");
        let key = args![self.key.as_str()];
        self.execute_once("DEL", key, Duration::ZERO).await?;
        self.execute_once(command, arguments, wait).await
    }

    async fn execute_once(
        &mut self,
        command: &'static str,
        arguments: Vec<RedisParameter>,
        wait: Duration,
    ) -> Result<Vec<RedisResult>, RedisError> {
        let reply = clock::timeout(wait + REPLY_TIMEOUT, async {
            // Taken out until the reply is there: a read that is given up leaves no connection on
            // which an old reply may come in.
            let connection = match self.connection.take() {
                Some(connection) => connection,
                None => DedicatedConnection::open().await?,
            };
            let reply = connection.execute(command, arguments).await;
            if !matches!(reply, Err(RedisError::Disconnected(_))) {
                self.connection = Some(connection);
            }
            reply
        });
        reply.await.unwrap_or_else(|clock::Elapsed| {
            Err(RedisError::Disconnected("no reply in time".into()))
        })
    }
}

/// Reads entries: id, "event", value, id, …; nil stands for none.
fn entries(flat: impl Iterator<Item = RedisResult>) -> Result<Vec<StreamEntry>, RedisError> {
    let mut flat = flat.filter(|value| !matches!(value, RedisResult::Nil));
    let mut entries = Vec::new();
    while let Some(id) = flat.next() {
        let (_name, event) = (flat.next(), flat.next());
        let id = String::from_reply(vec![id])?;
        let id = id
            .parse()
            .map_err(|InvalidStreamId| RedisError::Refused("reply holds no entry's id".into()))?;
        let event = String::from_reply(event.into_iter().collect())?;
        entries.push(StreamEntry { id, event });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bulk(text: &str) -> RedisResult {
        RedisResult::Binary(text.as_bytes().to_vec())
    }

    proptest! {
        #[test]
        fn an_id_survives_its_text_and_keeps_its_order(a: (u64, u64), b: (u64, u64)) {
            let id = |(major, minor)| StreamId { major, minor };
            prop_assert_eq!(id(a).to_string().parse(), Ok(id(a)));
            prop_assert_eq!(id(a) < id(b), a < b);
        }

        #[test]
        fn any_text_is_an_id_or_refused(text in "\\PC*") {
            let _ = text.parse::<StreamId>();
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "-",
            "5",
            "5-",
            "-5",
            "+5-1",
            "5-1-1",
            " 5-1",
            "99999999999999999999-0",
        ] {
            assert_eq!(text.parse::<StreamId>(), Err(InvalidStreamId), "{text:?}");
        }
    }

    #[test]
    fn flat_replies_are_entries_again() {
        let flat = ["7-0", "event", "{}", "7-1", "event", "7-2"].map(bulk);
        let found = entries(flat.into_iter()).unwrap();
        let ids: Vec<_> = found.iter().map(|entry| entry.id.to_string()).collect();
        assert_eq!(ids, ["7-0", "7-1"]);
        assert_eq!(found[1].event, "7-2");
        assert_eq!(entries([RedisResult::Nil].into_iter()).unwrap(), []);
        assert!(entries([bulk("7-0"), bulk("event")].into_iter()).is_err());
    }
}
