//! The work of passing events on.

use crate::Result;
use crate::postgres::{Repeat, query_one};

/// How many events no relay has passed on yet.
pub async fn backlog() -> Result<i64> {
    const BACKLOG: &str = "
        select coalesce(sum(event_seq - relayed_seq), 0)::bigint
        from conversations where relayed_seq < event_seq";
    let row = query_one(Repeat::Safe, BACKLOG, vec![]).await?;
    Ok(row.map(|mut row| row.next()).transpose()?.unwrap_or(0))
}
