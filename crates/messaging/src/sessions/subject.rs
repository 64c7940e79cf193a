//! Whose sessions and tokens they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256};

use crate::ids::UserId;
use crate::keys;

/// Whose sessions and tokens they are: the `sub` of a token. A service whose `sub` is a user's id is
/// that user with more rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A back end, by its name, which may be empty.
    Service(String),
}

impl Subject {
    /// The subject of a service's name.
    #[must_use]
    pub fn of_service(name: &str) -> Self {
        match name.parse::<UserId>() {
            Ok(user) if user.to_string() == name => Self::User(user),
            _ => Self::Service(name.to_owned()),
        }
    }

    /// The name of a service that it is.
    #[must_use]
    pub fn service_name(&self) -> String {
        match self {
            Self::User(user) => user.to_string(),
            Self::Service(name) => name.clone(),
        }
    }

    /// The user, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(*user),
            Self::Service(_) => None,
        }
    }
}

/// As the stores name it: names of back ends may be long, or hold any character.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Service(name) => {
                let hash = keys::hexadecimal(&Sha256::digest(name));
                write!(f, "service:{hash}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_the_name_of_a_user_is_that_user() {
        let user = UserId::try_from(7).unwrap();
        assert_eq!(Subject::of_service("7"), Subject::User(user));
        for name in ["", "billing", "07", "7 ", "0"] {
            assert_eq!(Subject::of_service(name), Subject::Service(name.into()));
        }
    }
}
