//! Who calls, and what they may do.

use crate::config::{self, AuthMode};
use crate::ids::UserId;
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
            Self::User(_) => Err(Error::Forbidden("This needs the scope messaging:service.")),
            Self::Service => Ok(()),
        }
    }
}

impl Identity {
    /// The caller; in open mode the one whom the request names, and a service
    /// if it names nobody.
    #[must_use]
    pub fn caller(self, named: Option<UserId>) -> Caller {
        match self {
            Self::User(user) => Caller::User(user),
            Self::Service => Caller::Service,
            Self::Open => named.map_or(Caller::Service, Caller::User),
        }
    }
}

/// Establishes the identity behind a request's headers, or 401.
pub async fn identify(_headers: &::http::HeaderMap) -> Result<Identity> {
    match config::auth_mode().await? {
        AuthMode::Open => Ok(Identity::Open),
        // Closed until token verification is there.
        AuthMode::Jwt => Err(Error::Unauthorized("A bearer token is needed.")),
    }
}
