//! Revisions.

use platform::postgres::parameters::{number, optional_number};
use platform::postgres::{Repeat, query_one};

use crate::Result;
use crate::ids::{MessageId, UserId};
use crate::messages;
use crate::sealing::{self, Binding};

/// The texts of a message as a JSON array, the present one first. A viewer has to take part, and sees
/// nothing of a deleted message; without one everything is seen.
pub async fn revisions(id: MessageId, viewer: Option<UserId>) -> Result<String> {
    const REVISIONS: &str = "
        select revisions_json(m.id, $2::bigint is null), m.conversation_id, m.sender_id from messages m
        where m.id = $1 and ($2::bigint is null or takes_part(m.conversation_id, $2::bigint))";
    let viewer = optional_number(viewer.map(UserId::get));
    let row = query_one(Repeat::Safe, REVISIONS, vec![number(id.get()), viewer]).await?;
    let mut row = row.ok_or_else(messages::not_found)?;
    let json: Option<String> = row.take()?;
    let binding = Binding::Content(row.take()?, row.take()?);
    let json = json.ok_or_else(messages::not_found)?;
    Ok(sealing::keys().await?.open_in(json, binding))
}
