//! Typing: the users who write in a conversation just now, each by their own indicator.

use std::time::Duration;

use futures::join;
use platform::redis::{RedisError, Repeat};
use platform::{args, config};

use crate::expiring_set::{ExpiringSet, Member};
use crate::ids::{ConversationId, UserId};
use crate::{Error, RedisService, Result, conversations, keys};

/// Sets a participant's indicator, or takes it back.
///
/// The user may leave between the check of their right and this. A leave drops the cached right
/// first and the indicator after that; so either it finds the indicator, or the right is gone here.
pub async fn set(conversation: ConversationId, user: UserId, is_typing: bool) -> Result<()> {
    let ttl = config::seconds("typing_ttl").await?;
    let redis = RedisService::required();
    redis
        .set_typing_indicator(conversation, user, is_typing.then_some(ttl))
        .await?;
    if !is_typing {
        return Ok(());
    }
    let visible = conversations::visible(conversation, Some(user)).await;
    if matches!(visible, Err(Error::NotFound(_))) {
        redis.set_typing_indicator(conversation, user, None).await?;
    }
    visible.map(|_| ())
}

/// A user who leaves a conversation stops typing there.
pub async fn stop(conversation: ConversationId, user: UserId) -> Result<()> {
    RedisService::optional()
        .set_typing_indicator(conversation, user, None)
        .await?;
    Ok(())
}

/// The users that type, in the order of their ids.
pub async fn users(conversation: ConversationId) -> Result<Vec<UserId>> {
    let (redis, set) = (RedisService::required(), ExpiringSet::typing());
    let (reaped, users) = join!(set.reap(redis, None), redis.get_typing_users(conversation));
    reaped?;
    Ok(users?)
}

/// The key of a user's indicator expired: they stopped typing, unless they began again since.
pub async fn expired(conversation: ConversationId, user: UserId) -> Result<()> {
    let member = Member::Typing(conversation, user);
    let redis = RedisService::required();
    Ok(ExpiringSet::typing().reap(redis, Some(member)).await?)
}

/// The user types for `ttl` from now on, or, without one, does not; whether that is a change.
pub async fn set_indicator(
    redis: RedisService,
    conversation: ConversationId,
    user: UserId,
    ttl: Option<Duration>,
) -> Result<bool, RedisError> {
    let (set, member) = (ExpiringSet::typing(), Member::Typing(conversation, user));
    let marker = keys::typing_user(conversation, user);
    let changes = match ttl {
        Some(ttl) => {
            let (changes, marked) = join!(
                set.refresh(redis, member, ttl),
                redis.set(&marker, b"1", Some(ttl)),
            );
            marked.and(changes)?
        }
        None => {
            let (changes, unmarked) = join!(set.remove(redis, member), redis.del(&marker));
            unmarked.and(changes)?
        }
    };
    set.report(redis, &changes).await;
    Ok(changes.concern(member))
}

/// The users that type in a conversation, in the order of their ids.
pub async fn typing_users(
    redis: RedisService,
    conversation: ConversationId,
) -> Result<Vec<UserId>, RedisError> {
    // Another program may have added what is no text.
    let set = args![keys::typing(conversation)];
    let users: Vec<Vec<u8>> = redis.command(Repeat::Safe, "SMEMBERS", set).await?;
    let users = UserId::parse_sorted(&users);
    let members: Vec<Member> = users
        .iter()
        .map(|user| Member::Typing(conversation, *user))
        .collect();
    // The plain set may lag behind by a round trip; the expiring set does not.
    let present = ExpiringSet::typing().contains(redis, &members).await?;
    let users = users.into_iter().zip(present);
    Ok(users
        .filter_map(|(user, present)| present.then_some(user))
        .collect())
}
