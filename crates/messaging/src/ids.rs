//! Identifiers and positions. Distinct types, so that one is never passed for another.

use std::fmt;
use std::str::FromStr;

use platform::postgres::{Column, DbValue, PgFailure};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The largest integer that JSON clients hold exactly (2^53 − 1).
pub const MAX_ID: i64 = (1 << 53) - 1;

/// An id's text or number is not an integer from 1 to [`MAX_ID`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from 1 to {MAX_ID}")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(value: i64) -> Result<Self, InvalidId> {
                if (1..=MAX_ID).contains(&value) { Ok(Self(value)) } else { Err(InvalidId) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(InvalidId);
                }
                text.parse::<i64>().map_err(|_| InvalidId).and_then(Self::try_from)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = i64::deserialize(deserializer)?;
                Self::try_from(value).map_err(de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// Ids are columns of type `bigint`.
macro_rules! id_columns {
    ($($id:ident),*) => {$(
        impl Column for $id {
            fn column(value: DbValue) -> Result<Self, PgFailure> {
                Self::try_from(i64::column(value)?)
                    .map_err(|error| PgFailure::Failed(error.to_string()))
            }
        }
    )*};
}

id_columns!(
    ConversationId,
    UserId,
    MessageId,
    Ordinal,
    Seq,
    SessionId,
    HoldId,
    WebhookId
);

id!(
    /// A conversation.
    ConversationId
);
id!(
    /// A person. The practice software owns the people; here a user is a number.
    UserId
);
id!(
    /// A message.
    MessageId
);
id!(
    /// A session. It names one and is no secret.
    SessionId
);
id!(
    /// An entry of the audit trail.
    EntryId
);
id!(
    /// A hold on a conversation.
    HoldId
);
id!(
    /// A message's place in its conversation, from 1 without a gap.
    Ordinal
);
id!(
    /// An event's place in its conversation, from 1 without a gap.
    Seq
);

id!(
    /// A receiver outside of the service.
    WebhookId
);

impl UserId {
    /// No user: an id that no request can name.
    pub const NOBODY: Self = Self(0);

    /// The ids in these texts, sorted; what is none is left out.
    #[must_use]
    pub fn parse_sorted(texts: &[impl AsRef<[u8]>]) -> Vec<Self> {
        let texts = texts.iter().map(|text| str::from_utf8(text.as_ref()));
        let mut users: Vec<Self> = texts.filter_map(|text| text.ok()?.parse().ok()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_survives_text_and_json(value in 1..=MAX_ID) {
            let id = UserId::try_from(value).unwrap();
            prop_assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<UserId>(&json).unwrap(), id);
        }

        #[test]
        fn any_text_is_an_id_or_refused(text in "\\PC*") {
            if let Ok(id) = text.parse::<UserId>() {
                let printed = id.to_string();
                prop_assert_eq!(printed.as_str(), text.trim_start_matches('0'));
            }
        }
    }

    #[test]
    fn zero_negatives_signs_and_overflow_are_refused() {
        for text in [
            "",
            "0",
            "-1",
            "+1",
            " 1",
            "1.0",
            "1e3",
            "9007199254740992",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<MessageId>(), Err(InvalidId), "{text:?}");
        }
    }
}
