//! Who a request proves to be, and on whose behalf it acts.

use std::rc::Rc;
use std::time::SystemTime;

use super::proof::{Proof, SessionProof};
use super::scopes::{SERVICE_SCOPE, Scopes};
use crate::ids::UserId;
use crate::sessions::Subject;
use crate::{Error, Result};

/// What the request proves about its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// `auth_mode` is `open`: the ids in the request say who calls.
    Open,
    /// A verified user.
    User(UserId),
    /// A verified back end.
    Service,
    /// Verified, neither of them: it may do what its scopes say, and nothing else.
    Scoped,
}

impl Identity {
    /// The caller; in open mode the user whom the request names, and a service if it names none.
    #[must_use]
    pub fn caller(self, named: Option<UserId>) -> Caller {
        match self {
            Self::User(user) => Caller::User(user),
            Self::Service => Caller::Service,
            // Routes for its scopes ask for those; anywhere else it takes part in nothing.
            Self::Scoped => Caller::User(UserId::NOBODY),
            Self::Open => named.map_or(Caller::Service, Caller::User),
        }
    }
}

/// On whose behalf a request acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A user, who acts only as themselves.
    User(UserId),
    /// A back end of the practice software.
    Service,
}

impl Caller {
    /// The user, if the caller is one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Service => None,
        }
    }

    /// 403 unless the caller is this user or a service.
    pub fn must_be(self, user: UserId) -> Result<()> {
        match self {
            Self::User(caller) if caller != user => {
                Err(Error::Forbidden("A user acts only as themselves."))
            }
            _ => Ok(()),
        }
    }

    /// 403 unless the caller is a service.
    pub fn must_be_service(self) -> Result<()> {
        match self {
            Self::User(_) => Err(Error::InsufficientScope(SERVICE_SCOPE)),
            Self::Service => Ok(()),
        }
    }
}

/// An identity, and how long it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// Who.
    pub identity: Identity,
    /// The name of a back end, if its token has one.
    pub service: Option<Rc<str>>,
    /// From when on the authentication is refused; `None` if it does not end.
    pub expires_at: Option<SystemTime>,
    /// What it may do besides.
    pub scopes: Scopes,
    /// What it rests on, as far as that can be revoked.
    pub proof: Proof,
}

impl Authentication {
    /// The authentication of a request that need not prove anything.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            identity: Identity::Open,
            service: None,
            expires_at: None,
            scopes: Scopes {
                records: false,
                metrics: false,
            },
            proof: Proof::Nothing,
        }
    }
}

impl Authentication {
    /// The session that the request came with, if it came with one.
    #[must_use]
    pub const fn session(&self) -> Option<&SessionProof> {
        match &self.proof {
            Proof::Session(session) => Some(session),
            _ => None,
        }
    }

    /// Whose sessions and tokens the caller's are; in open mode those of whom the request names.
    #[must_use]
    pub fn subject(&self, named: Option<UserId>) -> Subject {
        match self.identity.caller(named) {
            Caller::User(user) if self.identity != Identity::Scoped => Subject::User(user),
            _ => Subject::of_service(self.service.as_deref().unwrap_or_default()),
        }
    }
}
