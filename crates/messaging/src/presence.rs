//! Presence: who is online, each by their own heartbeats.

use std::time::Duration;

use futures::join;

use crate::ids::UserId;
use crate::redis::{Member, RedisService, Roster, keys};
use crate::{Result, config};

/// Whether a user is online, and when they last were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether they are online now.
    pub online: bool,
    /// Their last heartbeat or sign-off (RFC 3339), if it is remembered.
    pub last_seen: Option<String>,
}

/// A heartbeat; for how long the user is online without another.
pub async fn beat(user: UserId) -> Result<Duration> {
    let life = config::seconds("presence_ttl").await?;
    let (redis, roster) = (RedisService::required(), Roster::online());
    let changes = redis.set_user_online(&roster, user, life).await?;
    redis.follow(&roster, &changes).await;
    Ok(life)
}

/// Signs a user off.
pub async fn sign_off(user: UserId) -> Result<()> {
    let (redis, roster) = (RedisService::required(), Roster::online());
    let changes = redis.set_user_offline(&roster, user).await?;
    redis.follow(&roster, &changes).await;
    let member = Member::Online(user);
    if changes.iter().any(|change| change.member == member) {
        redis.set_last_seen(user).await?;
    }
    Ok(())
}

/// Who is online, in the order of their ids.
pub async fn online() -> Result<Vec<UserId>> {
    let (redis, roster) = (RedisService::required(), Roster::online());
    let (reaped, online) = join!(redis.reap(&roster, None), redis.get_online_users());
    reaped?;
    Ok(online?)
}

/// Whether a user is online.
pub async fn status(user: UserId) -> Result<Status> {
    let (redis, roster) = (RedisService::required(), Roster::online());
    let (member, last_seen) = ([Member::Online(user)], keys::last_seen(user));
    let (reaped, online, last_seen) = join!(
        redis.reap(&roster, None),
        redis.have(&roster, &member),
        redis.get(&last_seen),
    );
    reaped?;
    Ok(Status {
        online: online?.first() == Some(&true),
        last_seen: last_seen?.and_then(|text| String::from_utf8(text).ok()),
    })
}

/// A user's marker expired: they are offline, unless they came back meanwhile.
pub async fn expired(user: UserId) -> Result<()> {
    let redis = RedisService::required();
    Ok(redis
        .reap(&Roster::online(), Some(Member::Online(user)))
        .await?)
}
