//! Typing: who writes in a conversation just now, each by their own indicator.

use std::time::Duration;

use futures::join;

use crate::ids::{ConversationId, UserId};
use crate::redis::{RedisService, Roster};
use crate::{Result, config};

async fn life() -> Result<Duration> {
    config::seconds("typing_ttl").await
}

/// Sets or ends a user's indicator.
pub async fn set(conversation: ConversationId, user: UserId, is_typing: bool) -> Result<()> {
    let (redis, life) = (RedisService::required(), life().await?);
    let changes = redis
        .set_typing_indicator(conversation, user, is_typing, life)
        .await?;
    redis
        .follow(&Roster::typing(conversation, life), &changes)
        .await;
    Ok(())
}

/// Who types, in the order of their ids.
pub async fn users(conversation: ConversationId) -> Result<Vec<UserId>> {
    let redis = RedisService::required();
    let roster = Roster::typing(conversation, life().await?);
    let (reaped, users) = join!(
        redis.reap(&roster, None),
        redis.get_typing_users(conversation),
    );
    redis.follow(&roster, &reaped?).await;
    Ok(users?)
}

/// A user's marker expired: they stopped typing, unless they began again meanwhile.
pub async fn expired(conversation: ConversationId, user: UserId) -> Result<()> {
    let redis = RedisService::required();
    let roster = Roster::typing(conversation, life().await?);
    let reaped = redis.reap(&roster, Some(user)).await?;
    redis.follow(&roster, &reaped).await;
    Ok(())
}
