//! Members of expiring sets.

use std::fmt;
use std::str::FromStr;

use crate::ids::{ConversationId, InvalidId, UserId};
use crate::keys;

/// Stand for a member's parts in the templates of channels and events.
pub(super) const USER: &str = "@u";
pub(super) const CONVERSATION: &str = "@c";

/// A member of an expiring set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// A user who is online.
    Online(UserId),
    /// A user who types in a conversation.
    Typing(ConversationId, UserId),
}

impl Member {
    /// The plain set of the specification that shows the member.
    pub(super) fn set(self) -> String {
        match self {
            Self::Online(_) => keys::users_online().to_owned(),
            Self::Typing(conversation, _) => keys::typing(conversation),
        }
    }

    /// The user; the member in the plain set.
    #[must_use]
    pub const fn user(self) -> UserId {
        match self {
            Self::Online(user) | Self::Typing(_, user) => user,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Online(user) => user.fmt(f),
            Self::Typing(conversation, user) => write!(f, "{conversation}:{user}"),
        }
    }
}

impl FromStr for Member {
    type Err = InvalidId;

    /// Takes the one form that [`Display`](fmt::Display) writes, without leading zeros.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let member = match text.split_once(':') {
            Some((conversation, user)) => Self::Typing(conversation.parse()?, user.parse()?),
            None => Self::Online(text.parse()?),
        };
        if member.to_string() == text {
            Ok(member)
        } else {
            Err(InvalidId)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::MAX_ID;

    pub fn member() -> impl Strategy<Value = Member> {
        let id = 1..=MAX_ID;
        (proptest::option::of(id.clone()), id).prop_map(|(conversation, user)| {
            let user = user.try_into().unwrap();
            conversation.map_or(Member::Online(user), |id| {
                Member::Typing(id.try_into().unwrap(), user)
            })
        })
    }

    proptest! {
        #[test]
        fn a_member_survives_its_text(member in member()) {
            prop_assert_eq!(member.to_string().parse(), Ok(member));
        }

        #[test]
        fn a_text_that_is_a_member_is_written_as_it_was(text in "[0-9: +-]{0,18}") {
            if let Ok(member) = text.parse::<Member>() {
                prop_assert_eq!(member.to_string(), text);
            }
        }
    }
}
