//! Revisions.

use platform::postgres::parameters::{number, optional_number};
use platform::postgres::{Repeat, query_one};

use crate::Result;
use crate::ids::{MessageId, UserId};
use crate::messages;

/// The texts of a message as a JSON array, the present one first. A viewer has to take part, and sees
/// nothing of a deleted message; without one everything is seen.
pub async fn revisions(id: MessageId, viewer: Option<UserId>) -> Result<String> {
    const REVISIONS: &str = "
        select revisions_json(m.id, $2::bigint is null) from messages m
        where m.id = $1 and ($2::bigint is null or takes_part(m.conversation_id, $2::bigint))";
    let viewer = optional_number(viewer.map(UserId::get));
    let row = query_one(Repeat::Safe, REVISIONS, vec![number(id.get()), viewer]).await?;
    let json: Option<String> = row.map_or(Ok(None), |mut row| row.take())?;
    json.ok_or_else(messages::not_found)
}
