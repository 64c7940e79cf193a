//! Unread counts in a Redis that lost them or came back with older ones. They have no TTL, so without
//! this they stayed wrong until the next event of their conversation.
//!
//! A key says for which Redis server they are complete, or up to which conversation. It is absent
//! after a loss, and names another server after a restart, from any snapshot.

use futures::future::join_all;
use platform::postgres::parameters::{number, numbers};
use platform::postgres::{Repeat, Row, query};
use platform::redis::RedisError;

use super::claim::user_ids;
use super::deliver::{Command, Until, WINDOW, delete_unread, set_unread};
use crate::cache::Epoch;
use crate::ids::{ConversationId, UserId};
use crate::{RedisService, Result, keys};

/// How many conversations one drain restores.
const PAGE: usize = 64;
/// How often a conversation is written again that changes at the same time. After that its next event
/// corrects it.
const ATTEMPTS: usize = 5;

/// How far the counts of a Redis server are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restored {
    UpTo(i64),
    All,
}

/// The counts of a conversation at one moment.
struct Counts {
    conversation: ConversationId,
    event_seq: i64,
    /// Participants who have been seen.
    unread: Vec<(UserId, i64)>,
    /// Users who left: they have no count.
    gone: Vec<UserId>,
}

/// What the drain's first round trip read of the key.
pub type Marker = Option<Vec<u8>>;

/// Whether this Redis server lost what it had, or is another one.
pub fn is_lost(marker: &Marker, epoch: &Epoch) -> bool {
    Restored::of(marker.as_deref(), epoch) == Restored::UpTo(0)
}

/// Restores the counts of some conversations, if this Redis server lacks any; whether it has all now.
pub async fn restore(
    redis: RedisService,
    marker: Marker,
    epoch: &Epoch,
    until: Until,
) -> Result<bool> {
    let after = match Restored::of(marker.as_deref(), epoch) {
        Restored::All => return Ok(true),
        Restored::UpTo(id) => id,
    };
    let page = ids_after(after).await?;
    let mut rest = page.clone();
    for _ in 0..ATTEMPTS {
        let counts = read(&rest).await?;
        write(redis, until, &counts).await?;
        rest = changed_since(&counts).await?;
        if rest.is_empty() {
            break;
        }
    }
    if !epoch.is_current() {
        return Ok(false);
    }
    let restored = match page.last() {
        Some(last) if page.len() == PAGE => Restored::UpTo(*last),
        _ => {
            log::info!("Redis has every unread count again");
            Restored::All
        }
    };
    let value = restored.value(epoch);
    redis
        .set(keys::unread_restored(), value.as_bytes(), None)
        .await?;
    Ok(restored == Restored::All)
}

impl Restored {
    /// By the value of the key; nothing of another server counts.
    fn of(value: Option<&[u8]>, epoch: &Epoch) -> Self {
        let text = value.and_then(|value| std::str::from_utf8(value).ok());
        match text.and_then(|text| text.split_once(' ')) {
            Some((server, "all")) if server == epoch.as_str() => Self::All,
            Some((server, id)) if server == epoch.as_str() => Self::UpTo(id.parse().unwrap_or(0)),
            _ => Self::UpTo(0),
        }
    }

    fn value(self, epoch: &Epoch) -> String {
        let server = epoch.as_str();
        match self {
            Self::UpTo(id) => format!("{server} {id}"),
            Self::All => format!("{server} all"),
        }
    }
}

async fn ids_after(id: i64) -> Result<Vec<i64>> {
    const IDS: &str = "select id from conversations where id > $1 order by id limit $2";
    let rows = query(Repeat::Safe, IDS, vec![number(id), number(PAGE as i64)]).await?;
    rows.into_iter().map(|mut row| Ok(row.take()?)).collect()
}

async fn read(ids: &[i64]) -> Result<Vec<Counts>> {
    const READ: &str = "
        select c.id, c.event_seq, p.users, p.counts, f.users
        from unnest($1::bigint[]) as k (id) join conversations c using (id)
        cross join lateral (
            select coalesce(array_agg(p.user_id), '{}') as users,
                coalesce(array_agg(u.count), '{}') as counts
            from participants p join unread u using (conversation_id, user_id)
            where p.conversation_id = c.id and p.seen
        ) p
        cross join lateral (
            select coalesce(array_agg(f.user_id), '{}') as users from former_participants f
            where f.conversation_id = c.id
        ) f";
    let rows = query(Repeat::Safe, READ, vec![numbers(ids.iter().copied())]).await?;
    rows.into_iter().map(counts).collect()
}

fn counts(mut row: Row) -> Result<Counts> {
    let (conversation, event_seq) = (row.take()?, row.take()?);
    let (users, counts): (Vec<i64>, Vec<i64>) = (row.take()?, row.take()?);
    let gone: Vec<i64> = row.take()?;
    Ok(Counts {
        conversation,
        event_seq,
        unread: user_ids(users).zip(counts).collect(),
        gone: user_ids(gone).collect(),
    })
}

async fn write(redis: RedisService, until: Until, counts: &[Counts]) -> Result<(), RedisError> {
    let mut commands: Vec<Command<'static>> = Vec::new();
    for of_one in counts {
        for (user, count) in &of_one.unread {
            commands.push(set_unread(redis, until, of_one.conversation, *user, *count));
        }
        for user in &of_one.gone {
            commands.push(delete_unread(redis, of_one.conversation, *user));
        }
    }
    while !commands.is_empty() {
        let window = commands.drain(..commands.len().min(WINDOW));
        join_all(window)
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
    }
    Ok(())
}

/// Which conversations have an event that the counts lack: its delivery may have come before them.
async fn changed_since(counts: &[Counts]) -> Result<Vec<i64>> {
    const CHANGED: &str = "
        select c.id from unnest($1::bigint[], $2::bigint[]) as k (id, seq)
        join conversations c using (id) where c.event_seq <> k.seq";
    let ids = numbers(counts.iter().map(|of_one| of_one.conversation.get()));
    let seqs = numbers(counts.iter().map(|of_one| of_one.event_seq));
    let rows = query(Repeat::Safe, CHANGED, vec![ids, seqs]).await?;
    rows.into_iter().map(|mut row| Ok(row.take()?)).collect()
}
