//! The work of passing events on: from the database to unread counts, streams
//! and feeds.
//!
//! A drain claims conversations with events that were not passed on, by a lease
//! in the database, so that any number of relays share the work; passes the
//! events on; and notes how far it came. Whoever dies half way leaves a lease
//! that runs out, and the next drain does it again: every effect is absolute
//! (an unread count), refused by Redis when repeated (a stream's seq), or
//! recognisable by its reader (a feed's conversation and seq).

mod claim;
mod deliver;
mod signals;

mod wake_up;

use std::time::Duration;

use platform::clock::{self, Instant};
use platform::config;
use platform::postgres::{Repeat, query_one};

use crate::{RedisService, Result, expiring_set, keys};

use claim::{Batch, Claimed};
pub use signals::add as add_signal;
pub use wake_up::wake_up;

/// How much longer a drain rests than it worked when it has caught up: what comes
/// in meanwhile is passed on together, so a busy service spends less on an event.
const REST: u32 = 3;
/// The longest rest: nobody waits longer for an event.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// The most claims of one drain. What is left then is a new ring.
const MAX_CLAIMS: usize = 200;

/// Passes on all that waits to be passed on; how many events that were.
///
/// The bell is cleared first: a change that comes in later rings again.
pub async fn drain() -> Result<usize> {
    let redis = RedisService::required();
    redis.del(keys::relay_flag()).await?;
    let mut relayed = 0;
    for _ in 0..MAX_CLAIMS {
        let start = Instant::now();
        expiring_set::reap_all(redis).await?;
        signals::pass_on(redis).await?;
        let claimed = claim::claim().await?;
        if claimed.is_empty() {
            return Ok(relayed);
        }
        let batches = pass_on(redis, &claimed).await?;
        relayed += batches
            .iter()
            .map(|batch| batch.events.len())
            .sum::<usize>();
        if claim::is_all(&batches) {
            clock::sleep((start.elapsed() * REST).min(LONGEST_REST)).await;
        }
    }
    wake_up(redis).await?;
    Ok(relayed)
}

async fn pass_on(redis: RedisService, claimed: &[Claimed]) -> Result<Vec<Batch>> {
    fault(1).await;
    let batches = claim::read(claimed).await?;
    fault(2).await;
    deliver::deliver(redis, &batches).await?;
    fault(3).await;
    claim::finish(claimed, &batches).await?;
    fault(4).await;
    Ok(batches)
}

/// How many events no relay has passed on yet. Whoever asks also rings for them:
/// a relay that died may have left them behind.
pub async fn backlog() -> Result<i64> {
    const BACKLOG: &str = "
        select coalesce(sum(event_seq - relayed_seq), 0)::bigint
        from conversations where unrelayed";
    let row = query_one(Repeat::Safe, BACKLOG, vec![]).await?;
    let backlog = row.map(|mut row| row.take()).transpose()?.unwrap_or(0);
    wake_up_if(backlog > 0).await;
    Ok(backlog)
}

/// Rings the relay where a request came upon work that waits.
pub async fn wake_up_if(waiting: bool) {
    if waiting {
        // With Redis away there is nobody to hear it.
        let _ = wake_up(RedisService::optional()).await;
    }
}

/// Stops for good behind a step, if the operator's `relay_stop_after` says so:
/// for fault tests, which then kill the host there.
async fn fault(step: u64) {
    if config::number("relay_stop_after")
        .await
        .is_ok_and(|stop| stop == step)
    {
        log::warn!("relay stops after step {step}");
        clock::sleep(Duration::from_secs(3600)).await;
    }
}
