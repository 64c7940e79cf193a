//! Beginning and ending.

use std::time::Duration;

use futures::FutureExt;
use platform::error::Credentials;
use platform::postgres::parameters::{number, optional_number, text};
use platform::postgres::{ParameterValue, Repeat, query_one};
use platform::redis::Repeat::Safe;
use platform::{args, config, random};

use super::list::{self, Listed};
use super::record::{Session, SessionKey};
use super::{Standing, Subject, store};
use crate::auth::{Proof, Scopes};
use crate::cache::share::{self, Step};
use crate::content::Device;
use crate::gateway::{self, Notice, rights};
use crate::ids::{MAX_ID, SessionId};
use crate::{Error, RedisService, Result, cache, keys};

/// How many sessions a subject has at the most: one more ends the one that was not used for longest.
const MAX_SESSIONS: usize = 100;

/// A session that began, and the secret that proves it.
pub struct Begun {
    /// For its cookie, and kept nowhere.
    pub secret: String,
    /// What its owner sees of it.
    pub session: Listed,
    /// How long it lasts at the most.
    pub lifetime: Duration,
}

/// Begins a session of a subject, by a proof of theirs: one that is revoked by now begins none.
pub async fn begin(
    subject: Subject,
    (is_service, scopes): (bool, Scopes),
    device: Option<Device>,
    proof: &Proof,
) -> Result<Begun> {
    let limits = (
        config::seconds("session_ttl").await?,
        config::seconds("session_idle_ttl").await?,
    );
    // The look that the proof passes is the one under which the session begins: a revocation that
    // comes later ends it.
    let standing = Standing::of(&subject).await?;
    if !proof.is_admitted_by(&standing) {
        return Err(Error::Unauthorized(Credentials::Invalid));
    }
    let session = Session {
        id: new_id()?,
        subject,
        is_service,
        scopes,
        device: device.map(Device::into_string),
        generation: standing.generation,
    };
    let secret = random::secret();
    let key = SessionKey::of_secret(&secret).ok_or_else(|| Error::internal("no secret"))?;
    let (times, indexed) = futures::join!(
        store::write(&key, &session, limits),
        index(&session, &key, limits.0)
    );
    indexed?;
    let session = Listed::begun(session, times?);
    end_surplus(&session).await;
    Ok(Begun {
        secret,
        session,
        lifetime: limits.0,
    })
}

fn new_id() -> Result<SessionId> {
    let id = random::number() % MAX_ID.unsigned_abs() + 1;
    let id = i64::try_from(id).ok().and_then(|id| id.try_into().ok());
    id.ok_or_else(|| Error::internal("no session id"))
}

/// Adds a session to those of its subject.
async fn index(session: &Session, key: &SessionKey, most: Duration) -> Result<()> {
    let redis = RedisService::required();
    let index = keys::sessions_of(&session.subject);
    let id = session.id.to_string();
    let (added, left) = futures::join!(
        redis.hset(&index, &id, key.as_str().as_bytes()),
        redis.ttl(&index)
    );
    added?;
    // A lower `session_ttl` than before must not end the index before its sessions.
    if left?.is_none_or(|left| left < most) {
        redis.expire(&index, most).await?;
    }
    Ok(())
}

/// Ends the sessions beyond [`MAX_SESSIONS`], those first that were not used for longest.
async fn end_surplus(begun: &Listed) {
    let subject = begun.subject();
    let count = RedisService::optional()
        .command::<i64>(Safe, "HLEN", args![keys::sessions_of(subject)])
        .await;
    let count = count.ok().and_then(|count| usize::try_from(count).ok());
    if count.is_none_or(|count| count <= MAX_SESSIONS) {
        return;
    }
    let Ok(mut all) = list::list(subject).await else {
        return;
    };
    all.sort_by_key(|session| std::cmp::Reverse(session.seen_at()));
    for surplus in all.split_off(all.len().min(MAX_SESSIONS)) {
        if let Err(error) = end(subject, surplus.id()).await {
            log::warn!("a session beyond the limit was not ended: {error}");
        }
    }
}

/// Ends one session of a subject; 404 if it is none of theirs. One that has ended stays ended.
pub async fn end(subject: &Subject, id: SessionId) -> Result<()> {
    let index = keys::sessions_of(subject);
    let key = RedisService::required()
        .hget(&index, &id.to_string())
        .await?;
    let key = key.and_then(|key| String::from_utf8(key).ok());
    let Some(key) = key.map(SessionKey::of_index) else {
        return ended_before(subject, id).await;
    };
    end_by_key(subject, id, &key).await
}

/// Ends the session behind a key, whether Redis still has it or not.
pub async fn end_by_key(subject: &Subject, id: SessionId, key: &SessionKey) -> Result<()> {
    const END: &str = "
        select 1::bigint from (
            select end_session($1, $2, clock_timestamp() + make_interval(secs => $3::bigint))) e";
    let most = config::number("session_ttl").await?;
    let parameters = vec![
        number(id.get()),
        text(subject.to_string()),
        number(i64::try_from(most).unwrap_or(i64::MAX)),
    ];
    query_one(Repeat::Safe, END, parameters).await?;
    forget(subject, id, key).await;
    Ok(())
}

/// Deletes a session that has ended, and its place in the index.
async fn forget(subject: &Subject, id: SessionId, key: &SessionKey) {
    let (session, index) = (keys::session(key), keys::sessions_of(subject));
    share::share(move |redis| {
        vec![
            delete(redis, session.clone()),
            unlist(redis, index.clone(), id),
            close(redis, vec![rights::session_ended(id)]),
        ]
    })
    .await;
}

fn delete(redis: RedisService, key: String) -> Step<'static> {
    async move { redis.del(&key).await.map(|_| ()) }.boxed_local()
}

/// Ends the sockets and held streams that rest on it.
fn close(redis: RedisService, notices: Vec<Notice>) -> Step<'static> {
    async move { gateway::notify(redis, &notices).await }.boxed_local()
}

fn unlist(redis: RedisService, index: String, id: SessionId) -> Step<'static> {
    let arguments = args![index, id.to_string()];
    async move {
        redis
            .command::<bool>(Safe, "HDEL", arguments)
            .await
            .map(|_| ())
    }
    .boxed_local()
}

/// A session that Redis does not have: ended before, or none.
async fn ended_before(subject: &Subject, id: SessionId) -> Result<()> {
    const ENDED: &str = "select 1::bigint from ended_sessions e where e.id = $1 and e.subject = $2";
    let parameters = vec![number(id.get()), text(subject.to_string())];
    let ended = query_one(Repeat::Safe, ENDED, parameters).await?;
    ended
        .map(|_| ())
        .ok_or(Error::NotFound("There is no such session."))
}

/// Ends all sessions of a subject.
pub async fn end_all(subject: Subject) -> Result<()> {
    revoke_all(subject, None).await
}

/// Ends all sessions of a subject and refuses the tokens that were issued before a time (Unix ms).
pub async fn revoke(subject: Subject, tokens_before: i64) -> Result<()> {
    revoke_all(subject, Some(tokens_before)).await
}

async fn revoke_all(subject: Subject, tokens_before: Option<i64>) -> Result<()> {
    const REVOKE: &str = "
        select generation, tokens_before_ms
        from revoke_all($1, to_timestamp($2::bigint / 1000.0))";
    let parameters: Vec<ParameterValue> =
        vec![text(subject.to_string()), optional_number(tokens_before)];
    let row = query_one(Repeat::Safe, REVOKE, parameters).await?;
    let mut row = row.ok_or_else(|| Error::internal("revoke_all gave no row"))?;
    let standing = Standing {
        generation: row.take()?,
        tokens_before: row.take()?,
    };
    let sessions = list::indexed(&subject).await;
    share_revocation(subject, standing, sessions).await;
    Ok(())
}

/// The standing is what refuses; the sessions that Redis still holds are of no use any more.
async fn share_revocation(
    subject: Subject,
    standing: Standing,
    sessions: Vec<(SessionId, SessionKey)>,
) {
    share::share(move |redis| {
        let (subject, index) = (subject.clone(), keys::sessions_of(&subject));
        let set = async move {
            let epoch = cache::epoch().await?;
            standing.share(redis, &subject, epoch.as_str()).await?;
            close(redis, revoked(&subject, standing)).await
        };
        let mut steps: Vec<Step<'static>> = vec![set.boxed_local()];
        for (id, key) in &sessions {
            steps.push(delete(redis, keys::session(key)));
            steps.push(unlist(redis, index.clone(), *id));
        }
        steps
    })
    .await;
}

fn revoked(subject: &Subject, standing: Standing) -> Vec<Notice> {
    let sessions = rights::sessions_ended(subject);
    let tokens = subject.user().filter(|_| standing.tokens_before > 0);
    [sessions]
        .into_iter()
        .chain(tokens.map(rights::tokens_refused))
        .collect()
}
