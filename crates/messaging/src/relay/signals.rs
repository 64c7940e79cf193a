//! Signals: changes of presence and typing on their way to streams and feeds.
//!
//! The scripts of an expiring set add them in the step that makes the change. They are not durable,
//! but a relay that dies does not lose them either: a signal is removed after it was delivered, and a
//! feed refuses one that it has. One relay at a time works on the signals of a set.

use std::time::Duration;

use futures::future::join_all;
use futures::join;
use platform::args;
use platform::clock::Instant;
use platform::redis::{Argument, RedisError, Repeat::Safe, Script, millis};

use super::deliver::WINDOW;
use super::publish::Publisher;
use crate::expiring_set::{Change, ExpiringSet, Member};
use crate::feeds::streams::{self, interject};
use crate::ids::{ConversationId, UserId};
use crate::{Error, RedisService, Result, conversations, presence};

/// Takes the lease on the signals.
const ACQUIRE_LEASE: Script = Script::once(include_str!("signals_lease.lua"));
/// Lists the oldest signals.
const OLDEST: Script = Script::idempotent(include_str!("signals_oldest.lua"));

/// How many signals one pass takes.
const BATCH: usize = 200;
/// How long the lease of a relay that died keeps others from the signals.
const LEASE: Duration = Duration::from_secs(5);
/// How long a pass over the signals of one set takes at the most, so that many of them do not keep
/// events waiting.
const BUDGET: Duration = Duration::from_millis(250);

/// A signal that waits.
struct Signal {
    /// Its entry.
    id: String,
    /// The event for clients, one line of JSON.
    event: String,
    change: Change,
}

/// What is the same for all changes of one user, in one conversation where it is about typing.
fn subject(signal: &Signal) -> Member {
    signal.change.member
}

/// Delivers signals; whether none is left for this relay.
pub(super) async fn deliver(redis: RedisService, publisher: &Publisher) -> Result<bool> {
    let (typing, online) = (ExpiringSet::typing(), ExpiringSet::online());
    let (typing, online) = join!(
        deliver_of(redis, &typing, publisher),
        deliver_of(redis, &online, publisher)
    );
    Ok(typing? && online?)
}

/// Delivers the signals of a set, unless another relay has the lease on them.
async fn deliver_of(redis: RedisService, set: &ExpiringSet, publisher: &Publisher) -> Result<bool> {
    let deadline = Instant::now() + BUDGET;
    while Instant::now() < deadline {
        if waiting(redis, set).await? == 0 || !acquire_lease(redis, set).await? {
            return Ok(true);
        }
        let delivered = deliver_batch(redis, set, deadline, publisher).await;
        redis.del(set.signals_lease()).await?;
        delivered?;
    }
    Ok(false)
}

async fn waiting(redis: RedisService, set: &ExpiringSet) -> Result<i64, RedisError> {
    redis.command(Safe, "XLEN", args![set.signals()]).await
}

/// The oldest signals. What another program wrote between them is removed.
async fn oldest(redis: RedisService, set: &ExpiringSet) -> Result<Vec<Signal>, RedisError> {
    // The host flattens the reply: id, event, id, …
    let flat: Vec<Vec<u8>> = redis.script(OLDEST, set.signals(), args![BATCH]).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut signals, mut foreign) = (Vec::new(), Vec::new());
    for entry in flat.chunks_exact(2) {
        let (id, event) = (text(&entry[0]), text(&entry[1]));
        match set.change(&event) {
            Some(change) => signals.push(Signal { id, event, change }),
            None => foreign.push(id),
        }
    }
    if !foreign.is_empty() {
        log::warn!("removed from {}: what is no signal", set.signals());
        remove(redis, set, &foreign).await?;
    }
    Ok(signals)
}

async fn remove(redis: RedisService, set: &ExpiringSet, ids: &[String]) -> Result<(), RedisError> {
    let mut arguments = args![set.signals()];
    arguments.extend(ids.iter().map(Argument::parameter));
    redis.command(Safe, "XDEL", arguments).await
}

/// Takes the lease on the signals; whether no other relay had it.
async fn acquire_lease(redis: RedisService, set: &ExpiringSet) -> Result<bool, RedisError> {
    let lease = set.signals_lease();
    redis
        .script(ACQUIRE_LEASE, lease, args![millis(LEASE)])
        .await
}

/// Delivers signals in their order, each by itself. One that fails for a reason of its own is
/// dropped: it is for now or never.
async fn deliver_batch(
    redis: RedisService,
    set: &ExpiringSet,
    deadline: Instant,
    publisher: &Publisher,
) -> Result<()> {
    let signals = oldest(redis, set).await?;
    follow(redis, set, &signals).await?;
    let mut done = Vec::new();
    let mut outage = None;
    for group in signals.chunk_by(|one, next| subject(one) == subject(next)) {
        if Instant::now() >= deadline && !done.is_empty() {
            break;
        }
        match deliver_group(redis, set, group, publisher).await {
            Err(error @ Error::Unavailable(..)) => {
                outage = Some(error);
                break;
            }
            Err(error) => log::warn!("a signal is dropped: {error}"),
            Ok(()) => {}
        }
        done.extend(group.iter().map(|signal| signal.id.clone()));
    }
    if !done.is_empty() {
        remove(redis, set, &done).await?;
    }
    outage.map_or(Ok(()), Err)
}

/// What the request that made a change does too, if it receives the reply: the plain set follows, and
/// a user who is online is marked as seen.
async fn follow(redis: RedisService, set: &ExpiringSet, signals: &[Signal]) -> Result<()> {
    let changes: Vec<Change> = signals.iter().map(|signal| signal.change).collect();
    let online = changes.iter().filter_map(|change| match change {
        Change {
            member: Member::Online(user),
            present: true,
        } => Some(*user),
        _ => None,
    });
    let online: Vec<UserId> = online.collect();
    let (mirrored, ()) = join!(
        set.mirror(redis, &changes),
        presence::mark_all_seen(&online)
    );
    match mirrored {
        Err(outage) if outage.is_outage() => Err(outage.into()),
        Err(cause) => {
            log::warn!("a plain set does not follow {}: {cause}", set.signals());
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Delivers signals about the same user and conversation, which have the same audience.
async fn deliver_group(
    redis: RedisService,
    set: &ExpiringSet,
    group: &[Signal],
    publisher: &Publisher,
) -> Result<()> {
    let Some(member) = group.first().map(subject) else {
        return Ok(());
    };
    let entries: Vec<(&str, &str)> = group.iter().map(|s| (&*s.id, &*s.event)).collect();
    let audience = match member {
        Member::Typing(conversation, _) => {
            let added = interject(redis, conversation, &entries).await?;
            for (_, event) in entries
                .iter()
                .filter(|(id, _)| added.iter().any(|a| a == id))
            {
                publisher.take_signal(conversation, event);
            }
            participants(conversation).await?
        }
        Member::Online(user) => presence::audience(user).await?,
    };
    let others = audience.into_iter().filter(|user| *user != member.user());
    let others: Vec<UserId> = others.collect();
    for window in others.chunks(WINDOW) {
        let added = window
            .iter()
            .map(|user| streams::signal(redis, *user, set.signals(), &entries));
        for (user, added) in window.iter().zip(join_all(added).await) {
            match added {
                Err(outage) if outage.is_outage() => return Err(outage.into()),
                Err(cause) => log::warn!("the feed of user {user} takes no signal: {cause}"),
                Ok(added) => publisher.take(*user, &added, |at| entries[at].1),
            }
        }
    }
    Ok(())
}

async fn participants(id: ConversationId) -> Result<Vec<UserId>> {
    match conversations::visible(id, None).await {
        Ok(found) => Ok(found.participants().to_vec()),
        Err(Error::NotFound(_)) => Ok(vec![]),
        Err(error) => Err(error),
    }
}
