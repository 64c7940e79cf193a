//! Presence: the users online, each by their own heartbeats. Users see the presence of those with whom
//! they share a conversation, services see all.

mod contacts;

use std::time::Duration;

use futures::join;
use platform::postgres::parameters::numbers;
use platform::postgres::{Repeat, query};
use platform::redis::RedisError;
use platform::redis::Repeat::Safe;
use platform::{args, clock, config};

pub use contacts::audience;

use crate::content::DeviceId;
use crate::expiring_set::{Changes, ExpiringSet, Member};
use crate::ids::UserId;
use crate::{RedisService, Result, keys};

/// Whether a user is online, and when they last were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether they are online now.
    pub online: bool,
    /// Their last heartbeat or sign-off (RFC 3339), if it is remembered.
    pub last_seen: Option<String>,
}

impl Status {
    /// What is said of a user who was never online, and of one whom the viewer may not see.
    const UNKNOWN: Self = Self {
        online: false,
        last_seen: None,
    };
}

/// A heartbeat of a device; for how long the user is online without another.
pub async fn heartbeat(user: UserId, device: &DeviceId) -> Result<Duration> {
    let ttl = config::seconds("presence_ttl").await?;
    if set_online(RedisService::required(), user, device, ttl).await? {
        mark_seen(user).await;
    }
    Ok(ttl)
}

/// Signs a device off, or without one all of the user's.
pub async fn sign_off(user: UserId, device: Option<&DeviceId>) -> Result<()> {
    let (redis, set) = (RedisService::required(), ExpiringSet::online());
    let changes = match device {
        Some(device) => {
            let ttl = config::seconds("presence_ttl").await?;
            set.remove_device(redis, user, device, ttl).await?
        }
        None => set.remove_devices(redis, user).await?,
    };
    signed_off(redis, user, &changes).await?;
    Ok(())
}

/// The users online that a viewer may see, in the order of their ids; a service sees all.
pub async fn online(viewer: Option<UserId>) -> Result<Vec<UserId>> {
    let redis = RedisService::required();
    let set = ExpiringSet::online();
    let visible = async {
        let online = online_users(redis).await?;
        match viewer {
            Some(viewer) => contacts::among(viewer, online).await,
            None => Ok(online),
        }
    };
    let (reaped, visible) = join!(set.reap(redis, None), visible);
    reaped?;
    visible
}

/// How many users are online.
pub async fn count_online() -> Result<i64> {
    let redis = RedisService::required();
    let now = redis.time().await?;
    let after_now = args![keys::users_online_by_expiry(), format!("({now}"), "+inf"];
    Ok(redis.command(Safe, "ZCOUNT", after_now).await?)
}

/// Whether a user is online; unknown if the viewer may not see that. A service sees all.
pub async fn status(user: UserId, viewer: Option<UserId>) -> Result<Status> {
    let (visible, status) = join!(is_visible(user, viewer), full_status(user));
    let status = status?;
    Ok(if visible? { status } else { Status::UNKNOWN })
}

async fn is_visible(user: UserId, viewer: Option<UserId>) -> Result<bool> {
    match viewer {
        Some(viewer) if viewer != user => contacts::share_a_conversation(viewer, user).await,
        _ => Ok(true),
    }
}

async fn full_status(user: UserId) -> Result<Status> {
    let (redis, set) = (RedisService::required(), ExpiringSet::online());
    let member = [Member::Online(user)];
    let (reaped, online, last_seen) = join!(
        set.reap(redis, None),
        set.contains(redis, &member),
        last_seen(redis, user),
    );
    reaped?;
    Ok(Status {
        online: online?.first() == Some(&true),
        last_seen: last_seen?,
    })
}

/// When the user was last online, if that is remembered.
async fn last_seen(redis: RedisService, user: UserId) -> Result<Option<String>, RedisError> {
    let arguments = args![keys::last_seen(), user.get()];
    let score: Option<Vec<u8>> = redis.command(Safe, "ZSCORE", arguments).await?;
    let at = score.and_then(|score| str::from_utf8(&score).ok()?.parse().ok());
    Ok(at.and_then(clock::rfc3339_of_unix_ms))
}

/// The key of a user's presence expired: they are offline, unless a heartbeat came since.
pub async fn expired(user: UserId) -> Result<()> {
    let redis = RedisService::required();
    let member = Some(Member::Online(user));
    Ok(ExpiringSet::online().reap(redis, member).await?)
}

/// The user is online by this device for `ttl` from now on; whether they were offline.
pub async fn set_online(
    redis: RedisService,
    user: UserId,
    device: &DeviceId,
    ttl: Duration,
) -> Result<bool, RedisError> {
    let (set, marker) = (ExpiringSet::online(), keys::online(user));
    // The set first: its member is then due when its marker expires.
    let (changes, marked) = join!(
        set.refresh_device(redis, user, device, ttl),
        redis.set(&marker, b"1", Some(ttl)),
    );
    let changes = marked.and(changes)?;
    set.report(redis, &changes).await;
    Ok(changes.concern(Member::Online(user)))
}

/// The user is offline from now on, on all devices; whether they were online.
pub async fn set_offline(redis: RedisService, user: UserId) -> Result<bool, RedisError> {
    let changes = ExpiringSet::online().remove_devices(redis, user).await?;
    signed_off(redis, user, &changes).await
}

/// What follows a sign-off; whether the user is offline by it.
async fn signed_off(
    redis: RedisService,
    user: UserId,
    changes: &Changes,
) -> Result<bool, RedisError> {
    let set = ExpiringSet::online();
    let (followed, ()) = join!(
        follow(redis, user, changes.remaining),
        set.report(redis, changes)
    );
    followed?;
    Ok(changes.concern(Member::Online(user)) && changes.remaining.is_none())
}

/// How often a sign-off looks for changes that came in between.
const LOOKS: usize = 3;

/// Makes the user's marker follow the expiring set, which has the user for so much longer. A change
/// that came in between is found by a look behind each write.
async fn follow(
    redis: RedisService,
    user: UserId,
    mut remaining: Option<Duration>,
) -> Result<(), RedisError> {
    let (set, member) = (ExpiringSet::online(), [Member::Online(user)]);
    for _ in 0..LOOKS {
        let (written, found) = join!(
            write_marker(redis, user, remaining),
            set.remaining(redis, &member),
        );
        written?;
        let found = found?.first().copied().flatten();
        if found <= remaining && found.is_some() == remaining.is_some() {
            break;
        }
        remaining = found;
    }
    Ok(())
}

async fn write_marker(
    redis: RedisService,
    user: UserId,
    remaining: Option<Duration>,
) -> Result<(), RedisError> {
    let marker = keys::online(user);
    match remaining {
        Some(remaining) => redis.set(&marker, b"1", Some(remaining)).await,
        None => redis.del(&marker).await.map(|_| ()),
    }
}

async fn online_users(redis: RedisService) -> Result<Vec<UserId>, RedisError> {
    let members = ExpiringSet::online().members(redis).await?;
    let mut users: Vec<UserId> = members.into_iter().map(Member::user).collect();
    users.sort_unstable();
    Ok(users)
}

/// Marks a user as one that has been seen, for good.
pub async fn mark_seen(user: UserId) {
    mark_all_seen(&[user]).await;
}

/// Marks users as ones that have been seen, for good.
pub async fn mark_all_seen(users: &[UserId]) {
    const MARK: &str = "
        with s as (
            insert into seen_users (user_id) select distinct unnest($1::bigint[]) order by 1
            on conflict do nothing returning user_id
        )
        update participants p set seen = true from s where p.user_id = s.user_id and not p.seen";
    if users.is_empty() {
        return;
    }
    let users = numbers(users.iter().map(|user| user.get()));
    let marked = query(Repeat::Safe, MARK, vec![users]).await;
    if let Err(cause) = marked {
        log::warn!("users are not marked as seen: {cause}");
    }
}
