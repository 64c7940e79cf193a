//! What is revoked of a subject.

use std::time::Duration;

use platform::args;
use platform::postgres::parameters::text;
use platform::postgres::{PgFailure, Repeat, query_one};
use platform::redis::{RedisError, Script, millis};
use platform::task;

use super::{RECHECK, Session, Subject};
use crate::cache::{Epoch, trust};
use crate::{RedisService, Result, keys};

/// Caches it.
const STANDING_SET: Script = Script::idempotent(include_str!("lua/standing_set.lua"));

/// How long the last known one is kept, for the time that PostgreSQL is away.
const LAST_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// What is revoked of a subject. Both numbers only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How often all sessions of the subject were ended.
    pub generation: i64,
    /// The time before which its tokens are refused, in Unix ms; 0 if none are.
    pub tokens_before: i64,
}

impl Standing {
    /// The present one: from Redis, as far as that may be believed, else from PostgreSQL.
    pub async fn of(subject: &Subject) -> Result<Self> {
        let epoch = trust::trusted().await;
        if let Some(epoch) = &epoch
            && let Some(standing) = Self::cached(&keys::revoked(subject), epoch).await
        {
            return Ok(standing);
        }
        match Self::look(subject).await {
            Ok(standing) => {
                Self::fill(subject.clone(), standing, epoch);
                Ok(standing)
            }
            // What is revoked is a row of PostgreSQL first: without it nothing is added.
            Err(failure @ PgFailure::Unavailable(_)) => {
                let last = match &epoch {
                    Some(epoch) => Self::cached(&keys::revoked_last(subject), epoch).await,
                    None => None,
                };
                last.ok_or_else(|| failure.into())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether a token that was issued at this time (Unix ms) is good, as far as this says.
    #[must_use]
    pub fn admits_token(&self, issued_at: Option<i64>) -> bool {
        self.tokens_before == 0 || issued_at.is_some_and(|at| at >= self.tokens_before)
    }

    /// Whether a session is good, as far as this says.
    #[must_use]
    pub const fn admits_session(&self, session: &Session) -> bool {
        self.generation == session.generation
    }

    async fn cached(key: &str, epoch: &Epoch) -> Option<Self> {
        let value = RedisService::optional().get(key).await.ok()??;
        let standing = Self::parse(str::from_utf8(&value).ok()?, epoch.as_str())?;
        epoch.is_current().then_some(standing)
    }

    fn parse(value: &str, epoch: &str) -> Option<Self> {
        let (under, numbers) = value.split_once(' ')?;
        let (generation, tokens_before) = numbers.split_once(' ')?;
        let standing = Self {
            generation: generation.parse().ok()?,
            tokens_before: tokens_before.parse().ok()?,
        };
        (under == epoch).then_some(standing)
    }

    async fn look(subject: &Subject) -> Result<Self, PgFailure> {
        const LOOK: &str = "
            select r.generation, unix_ms(r.tokens_before) from revocations r where r.subject = $1";
        let row = query_one(Repeat::Safe, LOOK, vec![text(subject.to_string())]).await?;
        let Some(mut row) = row else {
            return Ok(Self::default());
        };
        Ok(Self {
            generation: row.take()?,
            tokens_before: row.take()?,
        })
    }

    /// Caches it behind the response. Without Redis, or on another server than the one that was there
    /// before the look, there is nothing to fill.
    fn fill(subject: Subject, standing: Self, epoch: Option<Epoch>) {
        let Some(epoch) = epoch.filter(Epoch::is_current) else {
            return;
        };
        task::spawn(async move {
            let redis = RedisService::optional();
            // The next reader looks again.
            let _ = standing.share(redis, &subject, epoch.as_str()).await;
        });
    }

    /// Writes it to Redis.
    pub(super) async fn share(
        self,
        redis: RedisService,
        subject: &Subject,
        epoch: &str,
    ) -> Result<(), RedisError> {
        let (key, last) = (keys::revoked(subject), keys::revoked_last(subject));
        let arguments = args![
            epoch,
            self.generation,
            self.tokens_before,
            millis(RECHECK),
            millis(LAST_TTL)
        ];
        redis
            .script_on::<i64>(STANDING_SET, &[&key, &last], arguments)
            .await
            .map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_refused_by_the_time_of_their_issue() {
        let none = Standing::default();
        assert!(none.admits_token(None));
        let standing = Standing {
            tokens_before: 1000,
            ..none
        };
        assert!(standing.admits_token(Some(1000)));
        assert!(!standing.admits_token(Some(999)));
        assert!(!standing.admits_token(None));
    }

    #[test]
    fn a_cached_value_counts_under_its_epoch() {
        let standing = Standing {
            generation: 3,
            tokens_before: 17,
        };
        assert_eq!(Standing::parse("abc 3 17", "abc"), Some(standing));
        for value in ["abd 3 17", "abc 3", "abc 3 17 1", "", "abc x 17"] {
            assert_eq!(Standing::parse(value, "abc"), None, "{value}");
        }
    }
}
