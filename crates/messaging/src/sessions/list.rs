//! The sessions of a subject.

use std::collections::BTreeSet;

use futures::future::join_all;
use platform::postgres::parameters::numbers;
use platform::postgres::{Repeat, query};
use platform::redis::Repeat::Safe;
use platform::{args, task};
use serde::Serialize;

use super::record::{Found, Session, SessionKey, rfc3339};
use super::store::{self, Use};
use super::{Standing, Subject};
use crate::ids::{SessionId, UserId};
use crate::{RedisService, Result, keys};

/// A session as its owner sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    id: SessionId,
    user_id: Option<UserId>,
    device: Option<String>,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    /// Whether it is the one that the request came with.
    current: bool,
    #[serde(skip)]
    seen_at: i64,
    #[serde(skip)]
    subject: Subject,
}

impl Listed {
    pub(super) fn begun(session: Session, (created_at, expires_at): (i64, i64)) -> Self {
        Self::new(session, created_at, created_at, expires_at)
    }

    fn of(found: Found) -> Self {
        Self::new(
            found.session,
            found.created_at,
            found.seen_at,
            found.expires_at,
        )
    }

    fn new(session: Session, created_at: i64, seen_at: i64, expires_at: i64) -> Self {
        Self {
            id: session.id,
            user_id: session.subject.user(),
            device: session.device,
            created_at: rfc3339(created_at),
            last_seen_at: rfc3339(seen_at),
            expires_at: rfc3339(expires_at),
            current: false,
            seen_at,
            subject: session.subject,
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    pub(super) const fn seen_at(&self) -> i64 {
        self.seen_at
    }

    /// The same, marked as the one that the request came with if it is that.
    #[must_use]
    pub fn marked(self, current: Option<SessionId>) -> Self {
        Self {
            current: current == Some(self.id),
            ..self
        }
    }
}

/// The sessions of a subject, the one that was used last first.
pub async fn list(subject: &Subject) -> Result<Vec<Listed>> {
    let index = keys::sessions_of(subject);
    let indexed = RedisService::required().hgetall(&index).await?;
    let looks = indexed.iter().map(async |(id, key)| {
        let key = SessionKey::of_index(String::from_utf8_lossy(key).into_owned());
        let found = store::find(&key, Use::None).await?;
        Ok((
            id.clone(),
            found.filter(|found| found.session.id.to_string() == *id),
        ))
    });
    let looks: Result<Vec<(String, Option<Found>)>> = join_all(looks).await.into_iter().collect();
    let (mut live, mut gone) = (Vec::new(), Vec::new());
    for (id, found) in looks? {
        match found {
            Some(found) => live.push(found),
            None => gone.push(id),
        }
    }
    unlist(index, gone);
    let mut live = only_good(subject, live).await?;
    live.sort_by_key(|found| std::cmp::Reverse(found.seen_at));
    Ok(live.into_iter().map(Listed::of).collect())
}

/// A Redis that came back older has some that ended.
async fn only_good(subject: &Subject, mut live: Vec<Found>) -> Result<Vec<Found>> {
    const ENDED: &str = "select e.id from ended_sessions e where e.id = any($1)";
    let standing = Standing::of(subject).await?;
    live.retain(|found| standing.admits_session(&found.session));
    if live.is_empty() {
        return Ok(live);
    }
    let ids = numbers(live.iter().map(|found| found.session.id.get()));
    let mut ended = BTreeSet::new();
    for mut row in query(Repeat::Safe, ENDED, vec![ids]).await? {
        ended.insert(row.take::<i64>()?);
    }
    live.retain(|found| !ended.contains(&found.session.id.get()));
    Ok(live)
}

/// Removes those that expired from the index, behind the response.
fn unlist(index: String, gone: Vec<String>) {
    if gone.is_empty() {
        return;
    }
    task::spawn(async move {
        let mut arguments = args![index];
        arguments.extend(gone.into_iter().flat_map(|id| args![id]));
        // The next list removes them.
        let _: Result<i64, _> = RedisService::optional()
            .command(Safe, "HDEL", arguments)
            .await;
    });
}

/// The sessions of a subject, as far as Redis says.
pub(super) async fn indexed(subject: &Subject) -> Vec<(SessionId, SessionKey)> {
    let index = keys::sessions_of(subject);
    let indexed = RedisService::optional().hgetall(&index).await;
    let entry = |(id, key): (String, Vec<u8>)| {
        let key = SessionKey::of_index(String::from_utf8(key).ok()?);
        Some((id.parse().ok()?, key))
    };
    let entries = indexed.unwrap_or_default().into_iter();
    entries.filter_map(entry).collect()
}
