//! What an authentication rests on, and whether that is revoked.
//!
//! The signature of a token, and the session of a cookie that the instance knows, say at once who
//! calls. Whether it is revoked is asked in the round trip in which the rate is counted.

use std::cell::RefCell;
use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, pending, select};
use futures::join;
use platform::error::Credentials;
use platform::http::StreamEnd;
use platform::{clock, postgres, random};
use serde::{Deserialize, Serialize};

use super::identity::Authentication;
use super::session;
use crate::ids::{SessionId, UserId};
use crate::sessions::{self, SessionKey, Standing, Subject, Use};
use crate::{Error, Result};

/// How many refused proofs an instance remembers.
const REMEMBERED: usize = 64;

/// What an authentication rests on, as far as that can be revoked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Nothing that can be revoked: open mode, and the token of a back end that is no user.
    #[default]
    Nothing,
    /// A token of a user.
    Token(TokenProof),
    /// A session.
    Session(SessionProof),
}

/// A token of a user, as far as a revocation looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenProof {
    user: UserId,
    /// In Unix ms, if it says so.
    issued_at: Option<i64>,
}

impl TokenProof {
    /// Whose it is.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionProof {
    /// Where Redis has it.
    pub key: SessionKey,
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Subject,
}

thread_local! {
    /// Proofs that were refused. What is revoked stays so; and a request that is refused at once takes
    /// nothing from the rate of the user whom it names.
    static REFUSED: RefCell<HashSet<Proof>> = RefCell::default();
}

impl Proof {
    /// What the token of this `sub` rests on.
    #[must_use]
    pub fn of_token(subject: Option<&str>, issued_at: Option<i64>) -> Self {
        match Subject::of_service(subject.unwrap_or_default()) {
            Subject::User(user) => Self::Token(TokenProof { user, issued_at }),
            Subject::Service(_) => Self::Nothing,
        }
    }

    /// Whether it is good, as far as what is revoked of its subject says.
    #[must_use]
    pub fn is_admitted_by(&self, standing: &Standing) -> bool {
        match self {
            Self::Token(token) => standing.admits_token(token.issued_at),
            Self::Nothing | Self::Session(_) => true,
        }
    }

    /// Whether this instance has refused it.
    pub(super) fn is_refused(&self) -> bool {
        REFUSED.with_borrow(|refused| refused.contains(self))
    }

    fn refuse(&self) {
        if let Self::Session(session) = self {
            session::forget(&session.key);
        }
        REFUSED.with_borrow_mut(|refused| {
            if refused.len() >= REMEMBERED {
                refused.clear();
            }
            refused.insert(self.clone());
        });
    }
}

/// An authentication whose proof has yet to be checked.
pub struct Claim {
    /// Who calls, unless the proof is revoked.
    pub authentication: Authentication,
    /// Whether it was, to learn who calls.
    pub(super) is_checked: bool,
}

impl From<Authentication> for Claim {
    fn from(authentication: Authentication) -> Self {
        Self {
            authentication,
            is_checked: false,
        }
    }
}

impl Claim {
    /// 401 if the proof is revoked; 503 if that cannot be known.
    pub async fn check(self) -> Result<()> {
        if self.is_checked {
            return Ok(());
        }
        check(&self.authentication.proof, Use::Request).await
    }
}

/// 401 if the proof is revoked; 503 if that cannot be known.
pub async fn check(proof: &Proof, used: Use) -> Result<()> {
    let checked = match proof {
        Proof::Nothing => Ok(()),
        Proof::Token(token) => check_token(token).await,
        Proof::Session(session) => check_session(session, used).await,
    };
    if matches!(checked, Err(Error::Unauthorized(_))) {
        proof.refuse();
    }
    checked
}

async fn check_token(token: &TokenProof) -> Result<()> {
    let standing = Standing::of(&Subject::User(token.user)).await?;
    if standing.admits_token(token.issued_at) {
        return Ok(());
    }
    Err(Error::Unauthorized(Credentials::Invalid))
}

async fn check_session(session: &SessionProof, used: Use) -> Result<()> {
    let find = sessions::find(&session.key, used);
    let (found, standing) = join!(find, Standing::of(&session.subject));
    let found = found?.ok_or(Error::Unauthorized(Credentials::Invalid))?;
    sessions::check(&session.key, &found, standing?).await
}

/// Runs a stream for as long as the proof behind it is not revoked. A store that does not answer ends
/// none.
pub async fn while_valid(proof: Proof, stream: impl Future<Output = StreamEnd>) -> StreamEnd {
    match select(pin!(stream), pin!(until_revoked(proof))).await {
        Either::Left((end, _)) => end,
        Either::Right(_) => StreamEnd::AccessLost,
    }
}

async fn until_revoked(proof: Proof) {
    if proof == Proof::Nothing {
        return pending().await;
    }
    loop {
        // With what the stores may take, sooner than the 15 s after which a stream has ended.
        clock::sleep(random::duration(
            Duration::from_secs(5),
            Duration::from_secs(4),
        ))
        .await;
        let checked = check(&proof, Use::None).await;
        // A stream lasts long and asks seldom.
        postgres::release();
        if matches!(checked, Err(Error::Unauthorized(_))) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_a_user_can_be_revoked_and_that_of_a_back_end_cannot() {
        let user = Proof::of_token(Some("7"), Some(1000));
        let standing = |tokens_before| Standing {
            generation: 0,
            tokens_before,
        };
        assert!(user.is_admitted_by(&standing(1000)));
        assert!(!user.is_admitted_by(&standing(1001)));
        assert!(!Proof::of_token(Some("7"), None).is_admitted_by(&standing(1)));
        for name in [None, Some("billing"), Some("07")] {
            assert_eq!(Proof::of_token(name, None), Proof::Nothing);
        }
    }

    #[test]
    fn what_was_refused_once_is_refused_at_once() {
        let proof = Proof::of_token(Some("8"), None);
        assert!(!proof.is_refused());
        proof.refuse();
        assert!(proof.is_refused());
    }
}
