//! The figures of the newest hours and days in Redis.
//!
//! They are counted in PostgreSQL and set, never incremented: so a batch that the relay repeats, a lost
//! acknowledgement and a second relay count nothing twice, and a figure that was lost or came back older
//! is right after the next count. A count takes what was written since the one before; under another
//! Redis server, the last two days. `live_figures` in PostgreSQL lets one relay count at a time, every few
//! seconds at the most, so that its cost does not grow with the events.

use std::time::Duration;

use futures::future::try_join_all;
use platform::args;
use platform::clock::Instant;
use platform::postgres::parameters::{flag, number, optional_number};
use platform::postgres::{Repeat, query, query_one};
use platform::redis::{Repeat::Safe, Script, millis};

use crate::cache::{self, Epoch};
use crate::{Error, RedisService, Result, keys};

/// Sets a count that only grows.
const RAISE: Script = Script::idempotent(include_str!("lua/figure_raise.lua"));

/// The shortest time between two counts.
const PAUSE: Duration = Duration::from_secs(5);
/// How many times as long as a count takes the pause after it is at the least.
const PAUSE_FACTOR: u32 = 50;
/// How long a figure stays.
const TTL: Duration = Duration::from_secs(2 * 24 * 3600);
/// How much before the count before this one begins: what was being written then was not visible.
const OVERLAP: Duration = Duration::from_secs(60);
/// How many users one command adds.
const USERS: usize = 500;

/// What was counted last, as the key of the figures says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    /// Up to when, in Unix milliseconds.
    at: i64,
    /// When the newest message or reading was, in Unix milliseconds.
    newest: i64,
}

/// Figures, by the hour and the day that their keys name.
struct Figures {
    counted: Counted,
    messages: Vec<(String, i64)>,
    active: Vec<(String, i64)>,
}

/// Counts the live figures, unless another relay does or has just done so and they are not `lost`. What
/// goes wrong is made good by the next count.
pub async fn count_live(redis: RedisService, lost: bool) {
    if let Err(error) = count(redis, lost).await {
        log::warn!("the live figures are not counted: {error}");
    }
}

async fn count(redis: RedisService, lost: bool) -> Result<()> {
    if !claim(lost).await? {
        return Ok(());
    }
    let start = Instant::now();
    let epoch = cache::epoch().await?;
    // If this relay dies, the key still wakes another one.
    redis.set(keys::figures_due(), b"1", Some(PAUSE)).await?;
    let marker = redis.get(keys::figures_counted()).await?;
    let before = Counted::parse(marker.as_deref(), &epoch);
    let figures = read(before).await?;
    write(redis, &figures).await?;
    if !epoch.is_current() {
        return Ok(());
    }
    let counted = figures.counted;
    let value = counted.to_value(&epoch);
    redis
        .set(keys::figures_counted(), value.as_bytes(), None)
        .await?;
    if before.is_some_and(|before| before.newest == counted.newest) {
        // Nothing was written since: the next event makes it due.
        redis.del(keys::figures_due()).await?;
    }
    let pause = start.elapsed() * PAUSE_FACTOR;
    if pause > PAUSE {
        lengthen(pause).await?;
        redis.expire(keys::figures_due(), pause).await?;
    }
    Ok(())
}

/// Whether it is this relay that counts now.
async fn claim(lost: bool) -> Result<bool> {
    const CLAIM: &str = "
        update live_figures set due_at = clock_timestamp() + $1::bigint * interval '1 millisecond'
        where due_at <= now() or $2 returning 1::bigint";
    let parameters = vec![number(millis(PAUSE)), flag(lost)];
    let row = query_one(Repeat::Unsafe, CLAIM, parameters).await?;
    Ok(row.is_some())
}

/// Makes the pause longer, after a count that took long.
async fn lengthen(pause: Duration) -> Result<()> {
    const LONGER: &str = "
        update live_figures
        set due_at = greatest(due_at, clock_timestamp() + $1::bigint * interval '1 millisecond')";
    query(Repeat::Safe, LONGER, vec![number(millis(pause))]).await?;
    Ok(())
}

async fn read(before: Option<Counted>) -> Result<Figures> {
    // An hour is counted from its beginning; users are added to those that the set has.
    const READ: &str = "
        with bounds as (
            select greatest(timestamptz 'epoch' + $1::bigint * interval '1 millisecond',
                now() - interval '47 hours') as since
        ), hours as (
            select to_char(m.created_at at time zone 'UTC', 'YYYYMMDDHH24') as hour, count(*) as messages
            from messages m
            where m.created_at >= date_trunc('hour', (select since from bounds), 'UTC')
            group by 1
        ), actions as (
            select m.created_at as at, m.sender_id as user_id from messages m
            where m.created_at >= (select since from bounds)
            union all
            select r.read_at, r.user_id from reads r where r.read_at >= (select since from bounds)
        ), active as (
            select distinct to_char(a.at at time zone 'UTC', 'YYYYMMDD') as day, a.user_id from actions a
            where a.user_id is not null
        )
        select (extract(epoch from now()) * 1000)::bigint,
            coalesce((select (extract(epoch from max(a.at)) * 1000)::bigint from actions a), 0),
            coalesce((select array_agg(h.hour order by h.hour) from hours h), '{}'),
            coalesce((select array_agg(h.messages order by h.hour) from hours h), '{}'),
            coalesce((select array_agg(a.day order by a.day, a.user_id) from active a), '{}'),
            coalesce((select array_agg(a.user_id order by a.day, a.user_id) from active a), '{}')";
    let since = before.map(|before| before.at - millis(OVERLAP));
    let row = query_one(Repeat::Safe, READ, vec![optional_number(since)]).await?;
    let mut row = row.ok_or_else(|| Error::internal("no figures"))?;
    let (at, newest): (i64, i64) = (row.take()?, row.take()?);
    let (hours, messages): (Vec<String>, Vec<i64>) = (row.take()?, row.take()?);
    let (days, users): (Vec<String>, Vec<i64>) = (row.take()?, row.take()?);
    // Of nothing that is in sight the newest is where it was.
    let newest = newest.max(before.map_or(0, |before| before.newest));
    Ok(Figures {
        counted: Counted { at, newest },
        messages: hours.into_iter().zip(messages).collect(),
        active: days.into_iter().zip(users).collect(),
    })
}

async fn write(redis: RedisService, figures: &Figures) -> Result<()> {
    let hours = figures.messages.iter().map(|(hour, count)| async move {
        let arguments = args![*count, millis(TTL)];
        let key = keys::stats_messages(hour);
        redis.script::<()>(RAISE, &key, arguments).await
    });
    try_join_all(hours).await?;
    for of_day in figures.active.chunk_by(|one, next| one.0 == next.0) {
        let key = keys::stats_active(&of_day[0].0);
        for some in of_day.chunks(USERS) {
            let mut arguments = args![&key];
            arguments.extend(some.iter().flat_map(|(_, user)| args![*user]));
            redis.command::<i64>(Safe, "SADD", arguments).await?;
        }
        redis.expire(&key, TTL).await?;
    }
    Ok(())
}

impl Counted {
    /// Nothing that was counted for another server counts.
    fn parse(value: Option<&[u8]>, epoch: &Epoch) -> Option<Self> {
        let text = std::str::from_utf8(value?).ok()?;
        let mut parts = text.split(' ');
        let server = parts.next()?;
        let (at, newest) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (server == epoch.as_str()).then_some(Self { at, newest })
    }

    fn to_value(self, epoch: &Epoch) -> String {
        format!("{} {} {}", epoch.as_str(), self.at, self.newest)
    }
}
