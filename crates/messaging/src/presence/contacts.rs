//! Who shares a conversation with a user.

use std::collections::BTreeSet;

use platform::postgres::parameters::{number, numbers};
use platform::postgres::{Repeat, query, query_one};

use crate::Result;
use crate::ids::UserId;

/// The most users that hear of one user's presence.
const MAX_AUDIENCE: i64 = 10_000;

/// Those of these users that share a conversation with `user`, and `user` themselves, in the same
/// order.
pub async fn among(user: UserId, users: Vec<UserId>) -> Result<Vec<UserId>> {
    const AMONG: &str = "
        select candidate.user_id
        from unnest($2::bigint[]) candidate (user_id)
        where exists (
            select from participants own join participants other using (conversation_id)
            where own.user_id = $1 and other.user_id = candidate.user_id)";
    let others = users.iter().map(|other| other.get());
    let others: Vec<i64> = others.filter(|other| *other != user.get()).collect();
    if others.is_empty() {
        return Ok(users);
    }
    let parameters = vec![number(user.get()), numbers(others)];
    let rows = query(Repeat::Safe, AMONG, parameters).await?;
    let contacts = rows.into_iter().map(|mut row| row.take());
    let contacts = contacts.collect::<Result<BTreeSet<UserId>, _>>()?;
    let is_visible = |other: &UserId| *other == user || contacts.contains(other);
    Ok(users.into_iter().filter(is_visible).collect())
}

/// Whether two users share a conversation.
pub async fn share_a_conversation(user: UserId, other: UserId) -> Result<bool> {
    const SHARE: &str = "
        select 1::bigint
        from participants own join participants other using (conversation_id)
        where own.user_id = $1 and other.user_id = $2
        limit 1";
    let parameters = vec![number(user.get()), number(other.get())];
    Ok(query_one(Repeat::Safe, SHARE, parameters).await?.is_some())
}

/// The users that hear of a user's presence: those that share a conversation with them and have ever
/// been seen, up to a limit.
pub async fn audience(user: UserId) -> Result<Vec<UserId>> {
    const AUDIENCE: &str = "
        select distinct other.user_id
        from participants own join participants other using (conversation_id)
        where own.user_id = $1 and other.user_id <> $1 and other.seen
        limit $2";
    let parameters = vec![number(user.get()), number(MAX_AUDIENCE)];
    let rows = query(Repeat::Safe, AUDIENCE, parameters).await?;
    rows.into_iter().map(|mut row| Ok(row.take()?)).collect()
}
