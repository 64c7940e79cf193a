//! All events, in the order of their commits: for services that follow everything.
//!
//! An event is given once every transaction that began before its own is over. So nothing appears behind a
//! reader who has gone on, whatever transactions overlap; one that stays open holds the log back.

use std::fmt;
use std::str::FromStr;

use platform::postgres::parameters::{number, text};
use platform::postgres::{PgFailure, Repeat, Row, query};

use super::{Event, EventType};
use crate::{Result, sealing};

/// A place in the log: the transaction, the conversation and the seq of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCursor {
    transaction: u64,
    conversation: i64,
    seq: i64,
}

/// The text is none that the log gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor")]
pub struct InvalidCursor;

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.transaction, self.conversation, self.seq)
    }
}

impl FromStr for LogCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        fn digits<T: FromStr>(part: Option<&str>) -> Result<T, InvalidCursor> {
            let part = part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            part.and_then(|part| part.parse().ok()).ok_or(InvalidCursor)
        }
        let mut parts = text.split('-');
        let cursor = Self {
            transaction: digits(parts.next())?,
            conversation: digits(parts.next())?,
            seq: digits(parts.next())?,
        };
        parts.next().map_or(Ok(cursor), |_| Err(InvalidCursor))
    }
}

/// The events after a place, at most `limit`, and the place of the last of them.
pub async fn committed_after(
    mut cursor: LogCursor,
    limit: usize,
) -> Result<(Vec<Event>, LogCursor)> {
    const AFTER: &str = "
        select e.xact::text, e.conversation_id, e.seq, e.type::text, e.message_id, e.user_id, message_json(m)
        from events e left join messages m on m.id = e.message_id
        where (e.xact, e.conversation_id, e.seq) > ($1::text::xid8, $2, $3)
            and e.xact < pg_snapshot_xmin(pg_current_snapshot())
        order by e.xact, e.conversation_id, e.seq limit $4";
    let parameters = vec![
        text(cursor.transaction.to_string()),
        number(cursor.conversation),
        number(cursor.seq),
        number(limit as i64),
    ];
    let keys = sealing::keys().await?;
    let rows = query(Repeat::Safe, AFTER, parameters).await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let (at, mut event) = read(row)?;
        cursor = at;
        event.message = event.message.map(|message| keys.open(message));
        events.push(event);
    }
    Ok((events, cursor))
}

fn read(mut row: Row) -> Result<(LogCursor, Event), PgFailure> {
    let wrong = || PgFailure::Failed("an event's columns are not as they should be".into());
    let transaction: String = row.take()?;
    let (conversation, seq): (crate::ids::ConversationId, crate::ids::Seq) =
        (row.take()?, row.take()?);
    let name: String = row.take()?;
    let cursor = LogCursor {
        transaction: transaction.parse().map_err(|_| wrong())?,
        conversation: conversation.get(),
        seq: seq.get(),
    };
    let event = Event {
        event_type: EventType::from_name(&name).ok_or_else(wrong)?,
        conversation,
        seq,
        message_id: row.take()?,
        user: row.take()?,
        message: row.take()?,
    };
    Ok((cursor, event))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_back(transaction: u64, conversation in 0..i64::MAX, seq in 0..i64::MAX) {
            let cursor = LogCursor { transaction, conversation, seq };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "1--3",
            "+1-2-3",
            "1-2-x",
            "99999999999999999999-1-1",
        ] {
            assert_eq!(text.parse::<LogCursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
