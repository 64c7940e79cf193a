//! Exact figures, from PostgreSQL. An index on the time has all that is counted.

use platform::postgres::parameters::{number, text};
use platform::postgres::{Repeat, Row, query, query_one};
use serde::Serialize;

use super::{Bucket, Range, Window};
use crate::{Error, Result};

/// What was written in one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Messages {
    /// When the bucket begins.
    pub at: String,
    /// Messages, those of the system and tombstones included.
    pub messages: i64,
    /// Users who wrote some of them.
    pub senders: i64,
    /// Conversations in which they were written.
    pub conversations: i64,
}

/// The parameters are the bounds in Unix milliseconds, and the bucket.
pub(crate) const MESSAGES: &str = "
    with bounds as (
        select timestamptz 'epoch' + $1::bigint * interval '1 millisecond' as first,
            timestamptz 'epoch' + $2::bigint * interval '1 millisecond' as behind,
            $3::text as bucket
    )
    select rfc3339(b.at), coalesce(m.messages, 0), coalesce(m.senders, 0), coalesce(m.conversations, 0)
    from bounds
    cross join lateral generate_series(
        date_trunc(bucket, first, 'UTC'), behind - interval '1 millisecond',
        case bucket when 'day' then interval '24 hours' else interval '1 hour' end) b (at)
    left join (
        select date_trunc($3::text, m.created_at, 'UTC') as at, count(*) as messages,
            count(distinct m.sender_id) as senders, count(distinct m.conversation_id) as conversations
        from messages m
        where m.created_at >= timestamptz 'epoch' + $1::bigint * interval '1 millisecond'
            and m.created_at < timestamptz 'epoch' + $2::bigint * interval '1 millisecond'
        group by 1
    ) m on m.at = b.at
    order by b.at";

/// What was written in a range, one entry for each bucket. Of the first and the last it is the part
/// that is in the range.
pub async fn messages(range: Range, bucket: Bucket) -> Result<Vec<Messages>> {
    if range.from == range.to {
        return Ok(vec![]);
    }
    let parameters = vec![
        number(range.from),
        number(range.to),
        text(bucket.name().into()),
    ];
    let rows = query(Repeat::Safe, MESSAGES, parameters).await?;
    rows.into_iter().map(of_bucket).collect()
}

fn of_bucket(mut row: Row) -> Result<Messages> {
    Ok(Messages {
        at: row.take()?,
        messages: row.take()?,
        senders: row.take()?,
        conversations: row.take()?,
    })
}

/// The parameter is the number of days.
pub(crate) const ACTIVE: &str = "
    select count(*) from (
        select m.sender_id from messages m
        where m.created_at >= now() - $1::bigint * interval '24 hours' and m.sender_id is not null
        union
        select r.user_id from reads r where r.read_at >= now() - $1::bigint * interval '24 hours'
    ) active";

/// How many users wrote or read within a window.
pub async fn active_users(window: Window) -> Result<i64> {
    let row = query_one(Repeat::Safe, ACTIVE, vec![number(window.days())]).await?;
    let mut row = row.ok_or_else(|| Error::internal("no count of active users"))?;
    Ok(row.take()?)
}
