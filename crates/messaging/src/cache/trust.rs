//! Whether cached values may be used now.
//!
//! A Redis that takes reads and refuses writes would show what it has for as long as that lasts: a
//! post that it did not take is missing, a deleted text is there. So using the cache takes a lease,
//! and only a host that finds no change missing renews it. A writer whose change Redis did not take
//! records that in PostgreSQL, where every host looks before it renews, and responds after every
//! lease has expired. The relay takes the record back once Redis has the change.

use std::cell::Cell;
use std::time::Duration;

use platform::args;
use platform::batcher::Batcher;
use platform::clock::{self, Instant};
use platform::postgres::{PgFailure, Repeat, query_one};
use platform::redis::{RedisError, Repeat::Safe, millis};

use super::epoch::{Epoch, epoch};
use crate::{RedisService, Result, keys, relay};

/// The TTL of a lease: how long after a refused write another host may still use the cache.
const LEASE: Duration = Duration::from_secs(1);
/// How much later than it was asked for a lease may be written.
const MARGIN: Duration = Duration::from_millis(600);

/// How long a request waits for the look at PostgreSQL.
const LOOK: Duration = Duration::from_millis(500);

thread_local! {
    /// Until when this instance holds the lease, and on which connection it learned of it.
    static HELD: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
    static DISTRUST: Batcher<(), Result<bool, PgFailure>> = const { Batcher::new() };
}

/// The epoch whose cached values may be used now; `None` if none may.
pub async fn trusted() -> Option<Epoch> {
    let epoch = epoch().await.ok()?;
    let now = Instant::now();
    let number = platform::redis::connections_opened();
    if HELD
        .get()
        .is_some_and(|(until, known)| now < until && known == number)
    {
        return Some(epoch);
    }
    let redis = RedisService::optional();
    let (left, time) = lease(redis, &epoch).await.ok()?;
    let left = match left {
        Some(left) => left,
        None => renew(redis, &epoch, now, time).await?,
    };
    HELD.set(Some((now + left, number)));
    Some(epoch)
}

/// How long the present lease is valid, if it is of this epoch; and the time of Redis (Unix ms).
async fn lease(redis: RedisService, epoch: &Epoch) -> Result<(Option<Duration>, i64), RedisError> {
    let key = keys::cache_lease();
    let (value, left, time) = futures::join!(redis.get(key), redis.ttl(key), redis.time());
    let held = value?.is_some_and(|value| value == epoch.as_str().as_bytes());
    let left = left?.filter(|left| held && !left.is_zero());
    Ok((left, time?))
}

/// Renews the lease, unless a change is missing in Redis; for how long. `now` and `time`, that of
/// Redis, are from before the look: a Redis that is frozen for a while and then takes the command
/// takes a lease that has expired.
async fn renew(redis: RedisService, epoch: &Epoch, now: Instant, time: i64) -> Option<Duration> {
    const STATE: &str = "
        select exists (select from cache_distrust),
            exists (select from conversations where unrelayed)";
    let state = clock::timeout(LOOK, query_one(Repeat::Safe, STATE, vec![])).await;
    let hangs = |clock::Elapsed| Err(PgFailure::Unavailable("no result in time".into()));
    match state.unwrap_or_else(hangs) {
        Ok(Some(mut row)) => {
            let (distrusted, unrelayed): (bool, bool) = (row.take().ok()?, row.take().ok()?);
            relay::wake_up_if(unrelayed).await;
            if distrusted {
                relay::request_restore().await;
                return None;
            }
        }
        Ok(None) => return None,
        // Without PostgreSQL nothing changes that could be missing.
        Err(PgFailure::Unavailable(_)) => {}
        Err(_) => return None,
    }
    let left = LEASE.checked_sub(now.elapsed())?;
    let arguments = args![
        keys::cache_lease(),
        epoch.as_str(),
        "PXAT",
        time + millis(LEASE)
    ];
    redis.command::<()>(Safe, "SET", arguments).await.ok()?;
    Some(left)
}

/// Records that Redis lacks a change, and waits until no host trusts the cache any more.
pub async fn distrust() {
    HELD.set(None);
    let recorded = Batcher::submit(&DISTRUST, (), record).await;
    match recorded {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => clock::sleep(LEASE + MARGIN).await,
        // The change itself is committed; without PostgreSQL no host renews for long.
        Ok(Err(failure)) => log::warn!("a change is missing in Redis and not recorded: {failure}"),
        Err(_) => log::warn!("a change is missing in Redis and not recorded"),
    }
}

/// Whether the cache has been distrusted for longer than a lease.
async fn record(requests: Vec<()>) -> Vec<Result<bool, PgFailure>> {
    const RECORD: &str = "
        insert into cache_distrust (since, newest) values (clock_timestamp(), clock_timestamp())
        on conflict (id) do update set newest = clock_timestamp()
        returning since < clock_timestamp() - interval '1600 milliseconds'";
    let recorded = match query_one(Repeat::Safe, RECORD, vec![]).await {
        Ok(Some(mut row)) => row.take(),
        Ok(None) => Ok(false),
        Err(failure) => Err(failure),
    };
    requests.iter().map(|()| recorded.clone()).collect()
}

/// Takes the record back once every change that is older than it has been delivered. The relay calls
/// this when nothing is left to deliver.
pub async fn restore() -> Result<()> {
    // What is recorded while this runs may be of a change that this does not see. Of a revocation that
    // Redis did not take there is no event: what was cached before it counts for 60 s (`sessions`), and
    // for as long as the request that cached it took.
    const RESTORE: &str = "
        delete from cache_distrust d where d.newest < statement_timestamp() and not exists (
            select from conversations c
            left join relay_progress r on r.conversation_id = c.id
            join events e on e.conversation_id = c.id
                and e.seq = greatest(coalesce(r.relayed_seq, 0), c.relayed_seq) + 1
            where c.unrelayed and e.created_at <= d.newest)
        and not exists (
            select from revocations r where r.changed_at > statement_timestamp() - interval '80 seconds')
        and not exists (
            select from ended_sessions s where s.ended_at > statement_timestamp() - interval '80 seconds')
        returning 1::bigint";
    if query_one(Repeat::Safe, RESTORE, vec![]).await?.is_some() {
        log::info!("the cache is trusted again: Redis has every change");
    }
    Ok(())
}
