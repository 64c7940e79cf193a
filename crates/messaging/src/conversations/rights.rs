//! A conversation as the cache and the database give it, and who may read it.
//!
//! As a proof of who may read it, a cached conversation counts for a minute at the most after it was
//! confirmed, and only under the epoch in which it was written.

use std::time::Duration;

use platform::postgres::parameters::number;
use platform::postgres::{Repeat, query_one};
use platform::redis::{RedisError, Script, millis, seconds};
use platform::{args, random};
use serde::Deserialize;

use super::not_found;
use super::viewed::{Viewed, viewed};
use crate::cache::{self, Epoch, UNCONFIRMED_TTL, trust};
use crate::ids::{ConversationId, UserId};
use crate::{RedisService, Result, keys};

/// Fills the cached rights of a conversation.
const RIGHTS_FILL: Script = Script::idempotent(include_str!("lua/rights_fill.lua"));
/// Confirms what was filled.
const RIGHTS_CONFIRM: Script = Script::idempotent(include_str!("lua/rights_confirm.lua"));

/// How long a cached right counts after it was confirmed.
const RIGHTS_TTL: Duration = Duration::from_secs(60);

/// A conversation with its participants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The JSON for clients.
    pub json: String,
    participants: Vec<UserId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Participants {
    participant_ids: Vec<UserId>,
}

impl Conversation {
    pub(super) fn parse(json: String) -> Option<Self> {
        let Participants { participant_ids } = serde_json::from_str(&json).ok()?;
        Some(Self {
            json,
            participants: participant_ids,
        })
    }

    /// Whether the viewer may see it: a participant, or a service.
    #[must_use]
    pub fn is_visible_to(&self, viewer: Option<UserId>) -> bool {
        viewer.is_none_or(|viewer| self.participants.contains(&viewer))
    }

    /// The participants.
    #[must_use]
    pub fn participants(&self) -> &[UserId] {
        &self.participants
    }
}

/// What the cache holds of a conversation.
pub async fn cached(id: ConversationId, epoch: &Epoch) -> Result<Option<Conversation>, RedisError> {
    let value = RedisService::optional().get(&keys::rights(id)).await?;
    let confirmed = format!("{} confirmed\n", epoch.as_str());
    Ok(value
        .and_then(|value| String::from_utf8(value).ok())
        .and_then(|value| value.strip_prefix(&confirmed).map(str::to_owned))
        .and_then(Conversation::parse))
}

/// A conversation from the database, unless it is not there.
pub async fn read(id: ConversationId) -> Result<Option<Conversation>> {
    const READ: &str = "select conversation_json(c) from conversations c where c.id = $1";
    let row = query_one(Repeat::Safe, READ, vec![number(id.get())]).await?;
    let json: Option<String> = row.map(|mut row| row.take()).transpose()?;
    Ok(json.and_then(Conversation::parse))
}

/// A conversation that the viewer may see, or 404: from the cache, else from the database, and then
/// cached for the next reader.
///
/// A cached "no" is not used: the viewer may have just joined.
pub async fn visible(id: ConversationId, viewer: Option<UserId>) -> Result<Conversation> {
    if let Some(epoch) = trust::trusted().await
        && let Ok(Some(conversation)) = cached(id, &epoch).await
        && epoch.is_current()
        && conversation.is_visible_to(viewer)
    {
        return Ok(conversation);
    }
    let conversation = read(id).await?.filter(|found| found.is_visible_to(viewer));
    let conversation = conversation.ok_or(not_found())?;
    // Redis may be away; the next reader fills it.
    let _ = fill(id, &conversation).await;
    Ok(conversation)
}

/// Caches a conversation that was read from the database.
async fn fill(id: ConversationId, conversation: &Conversation) -> Result<()> {
    let (redis, json) = (RedisService::optional(), &conversation.json);
    let epoch = cache::epoch().await?;
    let token = format!("{:016x}", random::number());
    let rights = keys::rights(id);
    let arguments = args![epoch.as_str(), &token, millis(UNCONFIRMED_TTL), json];
    if !redis
        .script::<bool>(RIGHTS_FILL, &rights, arguments)
        .await?
    {
        return Ok(());
    }
    if read(id).await?.as_ref() != Some(conversation) {
        redis.del(&rights).await?;
        return Ok(());
    }
    let ttl = cache::conversation_ttl().await?;
    let (rights_ttl, ttl) = (millis(RIGHTS_TTL.min(ttl)), seconds(ttl));
    let arguments = args![epoch.as_str(), &token, rights_ttl, ttl, json];
    redis
        .script_on::<bool>(
            RIGHTS_CONFIRM,
            &[&rights, &keys::conversation(id)],
            arguments,
        )
        .await?;
    Ok(())
}

/// Drops what the cache holds of a conversation.
pub async fn drop_cached(redis: RedisService, id: ConversationId) -> Result<(), RedisError> {
    let (rights, conversation) = (keys::rights(id), keys::conversation(id));
    let keys = args![rights, conversation];
    redis
        .command(platform::redis::Repeat::Safe, "DEL", keys)
        .await
}

/// Gives a row for a conversation.
pub(crate) const VISIBLE: Viewed = viewed!(
    "select 1::bigint from conversations c where c.id = $1",
    "c.id",
    "$2"
);

/// Whether the database has the conversation and the viewer may see it.
pub async fn is_visible(id: ConversationId, viewer: Option<UserId>) -> Result<bool> {
    let row = VISIBLE.query_one(viewer, vec![number(id.get())]).await?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_participants_and_services_see_a_conversation() {
        let conversation =
            Conversation::parse(r#"{"id":1,"participantIds":[1,2]}"#.into()).unwrap();
        let user = |id| Some(UserId::try_from(id).unwrap());
        assert!(conversation.is_visible_to(user(2)));
        assert!(!conversation.is_visible_to(user(3)));
        assert!(conversation.is_visible_to(None));
    }
}
