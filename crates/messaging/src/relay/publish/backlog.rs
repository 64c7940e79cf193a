//! What a proxy did not take: of each user and conversation the position behind which nothing was
//! published, and notices. The events themselves are in the user's feed, and in the database.

use futures::future::join_all;
use platform::args;
use platform::http::{LastEventId, SseEvent};
use platform::redis::{RedisError, Repeat, Script};

use super::outgoing::{Outgoing, Target, Waiting};
use crate::events::{self, EventPage};
use crate::feeds::{FeedEvent, page_after};
use crate::ids::{ConversationId, UserId};
use crate::{RedisService, Result, keys};

/// Takes some fields out.
const TAKE: Script = Script::once(include_str!("backlog_take.lua"));

/// How many fields one look takes.
const FIELDS: i64 = 100;
/// How many events of a conversation one look takes.
const EVENTS: usize = 50;

/// What there is to publish of a backlog.
#[derive(Default)]
pub struct Pages {
    pub outgoing: Vec<Outgoing>,
    /// What comes behind these positions is left.
    pub rest: Vec<(String, String)>,
}

/// Adds what comes behind these positions. One that is there already is older.
pub async fn add(redis: RedisService, proxy: &str, fields: &[(String, String)]) {
    write(redis, proxy, "HSETNX", fields).await;
}

/// Puts back what was taken, which is older than what was added since.
pub async fn put_back(redis: RedisService, proxy: &str, fields: &[(String, String)]) {
    write(redis, proxy, "HSET", fields).await;
}

async fn write(
    redis: RedisService,
    proxy: &str,
    command: &'static str,
    fields: &[(String, String)],
) {
    let key = keys::backlog(proxy);
    let add = |(field, value): &(String, String)| {
        let arguments = args![key.as_str(), field.as_str(), value.as_str()];
        redis.command::<i64>(Repeat::Safe, command, arguments)
    };
    // A client notices with its next heartbeat, a proxy with the next event, what is in no backlog.
    let added: Result<Vec<i64>, RedisError> =
        join_all(fields.iter().map(add)).await.into_iter().collect();
    if let Err(cause) = added {
        log::warn!("a backlog is not complete: {cause}");
    }
}

/// Takes some fields out of the backlog.
pub async fn take(redis: RedisService, proxy: &str) -> Result<Vec<(String, String)>, RedisError> {
    let taken: Vec<(String, Vec<u8>)> = redis
        .script(TAKE, &keys::backlog(proxy), args![FIELDS])
        .await?;
    let read = |(field, value): (String, Vec<u8>)| {
        String::from_utf8(value).ok().map(|value| (field, value))
    };
    Ok(taken.into_iter().filter_map(read).collect())
}

/// What is behind these positions.
pub async fn read(fields: &[(String, String)]) -> Pages {
    let pages = join_all(fields.iter().map(|(field, position)| page(field, position))).await;
    let mut all = Pages::default();
    for ((field, position), page) in fields.iter().zip(pages) {
        match page {
            Ok(mut page) => {
                all.outgoing.append(&mut page.outgoing);
                all.rest.append(&mut page.rest);
            }
            Err(cause) => {
                log::warn!("the backlog of {field} waits: {cause}");
                all.rest.push((field.clone(), position.clone()));
            }
        }
    }
    all
}

async fn page(field: &str, position: &str) -> Result<Pages> {
    let Ok(waiting) = field.parse() else {
        return Ok(Pages::default());
    };
    match waiting {
        Waiting::Events(target @ (Target::Sockets(user) | Target::Feed(user))) => {
            feed(field, target, user, position).await
        }
        Waiting::Events(Target::Conversation(id)) => conversation(field, id, position).await,
        Waiting::Notice(notice) => Ok(Pages {
            outgoing: vec![Outgoing::Notice(notice)],
            rest: vec![],
        }),
    }
}

async fn feed(field: &str, target: Target, user: UserId, position: &str) -> Result<Pages> {
    let position = position.parse();
    let position = position.map_or(LastEventId::Unknown, LastEventId::After);
    let page = page_after(user, position).await?;
    let resync = page.resync.then(|| resync(&page.last));
    let events = resync.into_iter().chain(page.events);
    let rest = page.more.then_some((field.to_owned(), page.last));
    Ok(Pages {
        outgoing: events.map(|event| Outgoing::Event(target, event)).collect(),
        rest: Vec::from_iter(rest),
    })
}

/// The feed no longer reaches back to the position: the client fetches its state anew.
fn resync(position: &str) -> FeedEvent {
    FeedEvent {
        id: position.to_owned(),
        previous: position.to_owned(),
        json: SseEvent::resync(position).data,
    }
}

async fn conversation(field: &str, id: ConversationId, position: &str) -> Result<Pages> {
    let after = position.parse().unwrap_or_default();
    let Some(page) = events::page_after(id, None, after, EVENTS).await? else {
        return Ok(Pages::default());
    };
    let EventPage { events, newest, .. } = page;
    let last = events.last().map_or(newest, |event| event.seq.get());
    let target = Target::Conversation(id);
    let outgoing = events.iter().map(|event| {
        let seq = event.seq.get();
        let event = FeedEvent {
            id: seq.to_string(),
            previous: (seq - 1).to_string(),
            json: event.to_json(),
        };
        Outgoing::Event(target, event)
    });
    Ok(Pages {
        outgoing: outgoing.collect(),
        rest: Vec::from_iter((last < newest).then(|| (field.to_owned(), last.to_string()))),
    })
}
