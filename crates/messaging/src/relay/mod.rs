//! The relay: how changes get from the database to unread counts, streams and feeds in Redis.
//!
//! A drain claims conversations with events that were not delivered, by a lease in the database, so
//! that any number of relays share the work; delivers the events; and records how far it came. When
//! a relay dies in between, its lease expires and the next drain delivers again: every effect is
//! absolute (an unread count) or refused by Redis when repeated (the seq of a stream, of a feed).
//! At least once between PostgreSQL and Redis, once for readers.
//!
//! # Layout
//!
//! - [`mod@wake_up`]: how a change wakes the relay.
//! - `claim`: the lease, what there is to deliver, and how far it came.
//! - `deliver`: the commands to Redis, in windows.
//! - `publish`: what was added, to the proxies that hold sockets and event streams.
//! - `signals`: what is not durable: presence and typing.
//! - `unread_keys`: unread counts in a Redis that lost them or came back older.

mod claim;
mod deliver;
mod publish;
mod signals;
mod unread_keys;
mod wake_up;

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use platform::clock::{self, Instant};
use platform::postgres::{Repeat, query_one};
use platform::{config, random};

use crate::cache::{self, trust};
use crate::{RedisService, Result, analytics, expiring_set, keys, records, webhooks};

use claim::{Claimed, Due, Progress};
use deliver::{Delivered, Until};
use publish::Publisher;
pub use wake_up::wake_up;

/// How much longer than it worked a drain waits when it has caught up (debounce): what comes in
/// between is delivered together, so a busy service spends less on an event.
const DEBOUNCE: u32 = 3;
/// The longest such wait: it delays an event.
const LONGEST_DEBOUNCE: Duration = Duration::from_millis(50);

/// How long a drain works at the most. On Spin, what comes on other channels of the same Redis waits
/// for it.
const BUDGET: Duration = Duration::from_secs(1);

/// How long a drain waits for proxies before it records what it delivered.
const SETTLE: Duration = Duration::from_millis(100);

/// The payload of a wake-up after a change was missing in Redis.
pub const RESTORE: &str = "restore";
/// The payload of a wake-up because a step of retention is due.
pub const RETAIN: &str = "retain";
/// How many drains there are, on average, for one that looks whether a step of retention is due.
const DRAINS_PER_RETENTION: u64 = 64;

/// Delivers what waits to be delivered; how many events that were. What is left when the budget is
/// spent is a new wake-up.
///
/// The relay deletes the flag before it claims: a change that comes in later wakes it again.
pub async fn drain(payload: &[u8]) -> Result<usize> {
    let redis = RedisService::required();
    let (publisher, worker) = publish::start(redis).await?;
    let mut due = Due::default();
    let drained = async {
        let drained = deliver_waiting(redis, payload, &publisher, &mut due).await;
        publisher.finish().await;
        if due.figures || due.is_lost {
            analytics::count_live(redis, due.is_lost).await;
        }
        drained
    };
    match select(pin!(drained), pin!(worker.run())).await {
        Either::Left((drained, _)) => drained,
        Either::Right((never, _)) => match never {},
    }
}

async fn deliver_waiting(
    redis: RedisService,
    payload: &[u8],
    publisher: &Publisher,
    due: &mut Due,
) -> Result<usize> {
    let deadline = Instant::now() + BUDGET;
    let (flag, marker, time, epoch) = futures::join!(
        redis.del(keys::relay_flag()),
        redis.get(keys::unread_restored()),
        redis.time(),
        cache::epoch(),
    );
    flag?;
    publisher.take_notices(redis).await?;
    let until = Until::of_drain(time?);
    let (marker, epoch) = (marker?, epoch?);
    due.is_lost = unread_keys::is_lost(&marker, &epoch);
    let all_unread = unread_keys::restore(redis, marker, &epoch, until).await?;
    let mut delivered = 0;
    while Instant::now() < deadline {
        let start = Instant::now();
        let signals_wait = expiring_set::reap_all(redis).await?;
        let all_signals = !signals_wait || signals::deliver(redis, publisher).await?;
        let claimed = claim::claim().await?;
        if claimed.is_empty() && !all_signals {
            continue;
        }
        if claimed.is_empty() && !publisher.is_idle() {
            // A proxy that is slow holds up no other delivery.
            publisher.pause().await;
            continue;
        }
        if claimed.is_empty() {
            if payload == RESTORE.as_bytes() {
                trust::restore().await?;
            }
            if !all_unread {
                wake_up(redis).await?;
            }
            if payload == RETAIN.as_bytes() || random::number().is_multiple_of(DRAINS_PER_RETENTION)
            {
                records::retain_in_passing().await?;
            }
            return Ok(delivered);
        }
        let worked = work_on(redis, &claimed, deadline, until, publisher).await?;
        delivered += worked.count;
        due.figures |= worked.due.figures;
        if let Err(cause) = webhooks::enqueue(redis, &worked.due.webhooks).await {
            // They stay due: the next claim that ends finds them.
            log::warn!("the notifier is not woken: {cause}");
        }
        if worked.all {
            clock::sleep((start.elapsed() * DEBOUNCE).min(LONGEST_DEBOUNCE)).await;
        }
    }
    wake_up(redis).await?;
    Ok(delivered)
}

/// What a drain did with one claim.
struct Worked {
    /// How many events were delivered.
    count: usize,
    /// Whether those were all that waited.
    all: bool,
    due: Due,
}

/// Delivers what was claimed.
async fn work_on(
    redis: RedisService,
    claimed: &[Claimed],
    deadline: Instant,
    until: Until,
    publisher: &Publisher,
) -> Result<Worked> {
    fault(1).await;
    let (batches, unreadable) = claim::read(claimed).await?;
    fault(2).await;
    let delivered: Delivered =
        deliver::deliver(redis, &batches, deadline, until, publisher).await?;
    // Until it is recorded that they are delivered, events of a relay that dies are delivered again, and
    // so published. A proxy that is slow is not waited for.
    let _late = clock::timeout(SETTLE, publisher.finish()).await;
    fault(3).await;
    let progress = |conversation| {
        if unreadable.contains(&conversation) {
            Progress::Failed
        } else if batches.iter().any(|b| b.conversation == conversation) {
            delivered.progress(conversation)
        } else {
            // There was nothing to deliver.
            Progress::Delivered(0)
        }
    };
    let due = claim::finish(claimed, progress).await?;
    fault(4).await;
    if let Some(outage) = delivered.outage {
        return Err(outage.into());
    }
    let done = |batch: &&claim::Batch| {
        matches!(
            delivered.progress(batch.conversation),
            Progress::Delivered(_)
        )
    };
    let count = batches.iter().filter(done).map(|batch| batch.events.len());
    Ok(Worked {
        count: count.sum(),
        all: claim::is_all(&batches),
        due,
    })
}

/// The state of the relay.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayState {
    /// How many events are not delivered yet.
    pub backlog: i64,
    /// The age of the oldest of them, in seconds; 0 if there is none.
    pub oldest_seconds: f64,
    /// How many conversations are set aside after many failures: an operator has to look.
    pub set_aside: i64,
}

/// The state of the relay. Asking wakes it, and the notifier, if there is work: one that died may have
/// left it.
pub async fn state() -> Result<RelayState> {
    const STATE: &str = "
        select coalesce(sum(c.event_seq - p.seq), 0)::bigint,
            coalesce(extract(epoch from clock_timestamp() - min(e.created_at)), 0)::float8,
            count(*) filter (where p.failures >= 10)
        from conversations c
        left join relay_progress r on r.conversation_id = c.id
        cross join lateral (
            select greatest(c.relayed_seq, r.relayed_seq) as seq, coalesce(r.failures, 0) as failures
        ) p
        left join events e on e.conversation_id = c.id and e.seq = p.seq + 1
        where c.unrelayed and c.event_seq > p.seq";
    let row = query_one(Repeat::Safe, STATE, vec![]).await?;
    let Some(mut row) = row else {
        return Err(crate::Error::internal("no state of the relay"));
    };
    let state = RelayState {
        backlog: row.take()?,
        oldest_seconds: row.take()?,
        set_aside: row.take()?,
    };
    wake_up_if(state.backlog > 0).await;
    webhooks::wake_up_if_due().await;
    Ok(state)
}

/// Looks whether events wait to be delivered, in the service or outside of it, and wakes the relay or the
/// notifier if they do.
pub async fn wake_up_if_waiting() -> Result<()> {
    const WAITING: &str = "
        select exists (select from conversations where unrelayed),
            exists (select from retention_progress p where p.next_at < clock_timestamp())";
    let Some(mut row) = query_one(Repeat::Safe, WAITING, vec![]).await? else {
        return Ok(());
    };
    wake_up_if(row.take()?).await;
    if row.take()? {
        request(RETAIN).await;
    }
    webhooks::wake_up_if_due().await;
    Ok(())
}

/// Wakes the relay where a request found work that waits.
pub async fn wake_up_if(waiting: bool) {
    if waiting {
        // With Redis away there is no relay to receive it.
        let _ = wake_up(RedisService::optional()).await;
    }
}

/// Wakes the relay to look whether Redis has every change again.
pub async fn request_restore() {
    request(RESTORE).await;
}

async fn request(payload: &str) {
    let redis = RedisService::optional();
    let _ = redis.publish(keys::RELAY_CHANNEL, payload.as_bytes()).await;
}

/// Stops for good behind a step, if the operator's `relay_stop_after` says so: for fault tests,
/// which then kill the host there.
async fn fault(step: u64) {
    if config::number("relay_stop_after")
        .await
        .is_ok_and(|stop| stop == step)
    {
        log::warn!("relay stops after step {step}");
        clock::sleep(Duration::from_secs(3600)).await;
    }
}
