//! What a proxy did not take: of each user the position behind which nothing was published. The events
//! themselves are in the user's feed.

use futures::future::join_all;
use platform::args;
use platform::http::{LastEventId, SseEvent};
use platform::redis::{RedisError, Repeat, Script};

use crate::feeds::{FeedEvent, FeedPage, page_after};
use crate::ids::UserId;
use crate::{RedisService, Result, keys};

/// Takes some users out.
const TAKE: Script = Script::once(include_str!("backlog_take.lua"));

/// How many users one look takes.
const USERS: i64 = 100;

/// What there is to publish for users of a backlog.
pub struct Pages {
    pub events: Vec<(UserId, FeedEvent)>,
    /// What comes behind these positions is left.
    pub rest: Vec<(UserId, String)>,
}

/// Adds what comes behind these positions. One that is there already is older.
pub async fn add(redis: RedisService, proxy: &str, starts: &[(UserId, String)]) {
    write(redis, proxy, "HSETNX", starts).await;
}

/// Puts back what was taken, which is older than what was added since.
pub async fn put_back(redis: RedisService, proxy: &str, starts: &[(UserId, String)]) {
    write(redis, proxy, "HSET", starts).await;
}

async fn write(
    redis: RedisService,
    proxy: &str,
    command: &'static str,
    starts: &[(UserId, String)],
) {
    let key = keys::backlog(proxy);
    let add = |(user, position): &(UserId, String)| {
        let arguments = args![key.as_str(), user.get(), position.as_str()];
        redis.command::<i64>(Repeat::Safe, command, arguments)
    };
    // A client notices with its next heartbeat what is in no backlog.
    let added: Result<Vec<i64>, RedisError> =
        join_all(starts.iter().map(add)).await.into_iter().collect();
    if let Err(cause) = added {
        log::warn!("a backlog is not complete: {cause}");
    }
}

/// Takes some users out of the backlog.
pub async fn take(redis: RedisService, proxy: &str) -> Result<Vec<(UserId, String)>, RedisError> {
    let taken: Vec<(String, Vec<u8>)> = redis
        .script(TAKE, &keys::backlog(proxy), args![USERS])
        .await?;
    let read = |(user, position): (String, Vec<u8>)| {
        Some((user.parse().ok()?, String::from_utf8(position).ok()?))
    };
    Ok(taken.into_iter().filter_map(read).collect())
}

/// What their feeds hold.
pub async fn read(users: &[(UserId, String)]) -> Pages {
    let pages = users.iter().map(|(user, position)| {
        let position = position.parse();
        page_after(
            *user,
            position.map_or(LastEventId::Unknown, LastEventId::After),
        )
    });
    let mut all = Pages {
        events: vec![],
        rest: vec![],
    };
    for ((user, position), page) in users.iter().zip(join_all(pages).await) {
        match page {
            Ok(page) => all.add(*user, page),
            Err(cause) => {
                log::warn!("the backlog of user {user} waits: {cause}");
                all.rest.push((*user, position.clone()));
            }
        }
    }
    all
}

impl Pages {
    fn add(&mut self, user: UserId, page: FeedPage) {
        if page.resync {
            self.events.push((user, resync(&page.last)));
        }
        self.events
            .extend(page.events.into_iter().map(|event| (user, event)));
        if page.more {
            self.rest.push((user, page.last));
        }
    }
}

/// The feed no longer reaches back to the position: the client fetches its state anew.
fn resync(position: &str) -> FeedEvent {
    FeedEvent {
        id: position.to_owned(),
        previous: position.to_owned(),
        json: SseEvent::resync(position).data,
    }
}
