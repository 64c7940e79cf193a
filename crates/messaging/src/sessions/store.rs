//! Sessions in Redis: how they get there and are found.

use std::time::Duration;

use platform::args;
use platform::error::Credentials;
use platform::postgres::parameters::number;
use platform::postgres::{PgFailure, Repeat, query_one};
use platform::redis::{RedisError, Script, millis, unexpected};
use platform::task;

use super::record::{Found, Session, SessionKey};
use super::{RECHECK, Standing};
use crate::cache::{Epoch, trust};
use crate::ids::SessionId;
use crate::{Error, RedisService, Result, keys};

/// Begins a session.
const SESSION_BEGIN: Script = Script::idempotent(include_str!("lua/session_begin.lua"));
/// Finds one.
const SESSION_FIND: Script = Script::idempotent(include_str!("lua/session_find.lua"));
/// Records that it had not ended.
const SESSION_PROVE: Script = Script::idempotent(include_str!("lua/session_prove.lua"));

/// How precisely the last use of a session is kept: a hundredth of the time for which it may go unused,
/// a minute at the most.
const PRECISION: f64 = 0.01;
const PRECISION_LIMIT: Duration = Duration::from_secs(60);

/// Why a session is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A request comes with it: its idle time begins anew.
    Request,
    /// It is only looked at.
    None,
}

/// Writes a session that begins; when it began and when it ends at the latest, in Unix ms.
pub(super) async fn write(
    key: &SessionKey,
    session: &Session,
    (most, idle): (Duration, Duration),
) -> Result<(i64, i64)> {
    let record =
        serde_json::to_string(session).map_err(|error| Error::internal(error.to_string()))?;
    let arguments = args![record, millis(most), millis(idle)];
    let times: Vec<String> = RedisService::required()
        .script(SESSION_BEGIN, &keys::session(key), arguments)
        .await?;
    let time = |at: usize| times.get(at).and_then(|time| time.parse().ok());
    let times = time(0).zip(time(1));
    Ok(times.ok_or_else(|| unexpected("two times"))?)
}

/// The session of a key, if Redis has it. Whether it is good, [`check`] says.
pub async fn find(key: &SessionKey, used: Use) -> Result<Option<Found>, RedisError> {
    let used = i64::from(used == Use::Request);
    let arguments = args![used, PRECISION, millis(PRECISION_LIMIT)];
    let reply: Vec<Vec<u8>> = RedisService::required()
        .script(SESSION_FIND, &keys::session(key), arguments)
        .await?;
    Ok(Found::read(&reply))
}

/// 401 unless a session that Redis has is good: not revoked with all of its subject, nor ended by
/// itself.
pub async fn check(key: &SessionKey, found: &Found, standing: Standing) -> Result<()> {
    let good = standing.admits_session(&found.session) && !has_ended(key, found).await?;
    if good {
        return Ok(());
    }
    Err(Error::Unauthorized(Credentials::Invalid))
}

async fn has_ended(key: &SessionKey, found: &Found) -> Result<bool> {
    let epoch = trust::trusted().await;
    let proved = epoch
        .as_ref()
        .and_then(|epoch| found.proved_ago(epoch.as_str()));
    if proved.is_some_and(|ago| (0..millis(RECHECK)).contains(&ago)) {
        return Ok(false);
    }
    match is_ended(found.session.id).await {
        Ok(false) => {
            prove(key.clone(), epoch);
            Ok(false)
        }
        Ok(true) => Ok(true),
        // Without PostgreSQL none ends.
        Err(PgFailure::Unavailable(_)) if proved.is_some() => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}

async fn is_ended(id: SessionId) -> Result<bool, PgFailure> {
    const ENDED: &str = "select exists (select from ended_sessions e where e.id = $1)";
    let row = query_one(Repeat::Safe, ENDED, vec![number(id.get())]).await?;
    row.map_or(Ok(false), |mut row| row.take())
}

/// Records it behind the response.
fn prove(key: SessionKey, epoch: Option<Epoch>) {
    let Some(epoch) = epoch.filter(Epoch::is_current) else {
        return;
    };
    task::spawn(async move {
        // The next request looks again.
        let _: Result<bool, _> = RedisService::optional()
            .script(SESSION_PROVE, &keys::session(&key), args![epoch.as_str()])
            .await;
    });
}
