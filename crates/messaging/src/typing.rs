//! Typing: who writes in a conversation just now, each by their own indicator.

use futures::join;

use crate::ids::{ConversationId, UserId};
use crate::redis::{Member, RedisService, Roster};
use crate::{Result, config};

/// Sets a user's indicator, or takes it back.
pub async fn set(conversation: ConversationId, user: UserId, is_typing: bool) -> Result<()> {
    let (redis, roster) = (RedisService::required(), Roster::typing());
    let changes = if is_typing {
        let life = config::seconds("typing_ttl").await?;
        redis
            .set_typing_indicator(&roster, conversation, user, life)
            .await?
    } else {
        redis
            .clear_typing_indicator(&roster, conversation, user)
            .await?
    };
    redis.follow(&roster, &changes).await;
    Ok(())
}

/// Who types, in the order of their ids.
pub async fn users(conversation: ConversationId) -> Result<Vec<UserId>> {
    let (redis, roster) = (RedisService::required(), Roster::typing());
    let (reaped, users) = join!(
        redis.reap(&roster, None),
        redis.get_typing_users(conversation)
    );
    reaped?;
    Ok(users?)
}

/// A user's marker expired: they stopped typing, unless they began again meanwhile.
pub async fn expired(conversation: ConversationId, user: UserId) -> Result<()> {
    let member = Member::Typing(conversation, user);
    let redis = RedisService::required();
    Ok(redis.reap(&Roster::typing(), Some(member)).await?)
}
