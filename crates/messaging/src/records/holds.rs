//! Holds.

use platform::postgres::parameters::{number, text};
use platform::postgres::{Repeat, query_one};
use platform::random;

use super::Actor;
use crate::content::{InvalidText, Title};
use crate::conversations::not_found;
use crate::ids::{ConversationId, HoldId};
use crate::{Error, Result};

/// Why a hold is placed: one line, as long as a title may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Parses a reason.
    pub fn parse(text: String) -> Result<Self, InvalidText> {
        Title::parse(text).map(|text| Self(text.into_string()))
    }
}

/// Places a hold on a conversation. Its JSON.
pub async fn place_hold(id: ConversationId, reason: Reason, actor: &Actor) -> Result<String> {
    const PLACE: &str = "select place_hold($1, $2::text, $3::text, $4::text, $5::text)";
    let [name, request] = actor.parameters();
    let parameters = vec![
        number(id.get()),
        text(reason.0),
        // Names this request, so that its repetition finds its own hold.
        text(random::secret()),
        name,
        request,
    ];
    let row = query_one(Repeat::Safe, PLACE, parameters).await?;
    let placed: Option<String> = row.map_or(Ok(None), |mut row| row.take())?;
    placed.ok_or_else(not_found)
}

/// Releases a hold. One that was released stays so.
pub async fn release_hold(id: ConversationId, hold: HoldId, actor: &Actor) -> Result<()> {
    const RELEASE: &str = "select release_hold($1, $2, $3::text, $4::text)";
    let [name, request] = actor.parameters();
    let parameters = vec![number(id.get()), number(hold.get()), name, request];
    let row = query_one(Repeat::Safe, RELEASE, parameters).await?;
    if row.map_or(Ok(false), |mut row| row.take())? {
        return Ok(());
    }
    Err(Error::NotFound("There is no such hold."))
}

/// The holds that stand on a conversation, each as JSON, the oldest first.
pub async fn holds(id: ConversationId) -> Result<Vec<String>> {
    const HOLDS: &str = "
        select coalesce((
            select array_agg(hold_json(h) order by h.id) from holds h
            where h.conversation_id = c.id and h.released_at is null), '{}')
        from conversations c where c.id = $1";
    let row = query_one(Repeat::Safe, HOLDS, vec![number(id.get())]).await?;
    let mut row = row.ok_or_else(not_found)?;
    Ok(row.take()?)
}
