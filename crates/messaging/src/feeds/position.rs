//! The resume position of a user's feed: an entry of the feed, and the Redis server that holds it.

use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use platform::redis::{InvalidStreamId, StreamId};

/// A position in a user's feed, as clients get it: `{ms}-{n}.{server}`. An entry of another server
/// is no position: what was behind it may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPosition {
    /// The entry.
    pub entry: StreamId,
    /// The server.
    pub server: Rc<str>,
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.entry, self.server)
    }
}

impl FromStr for FeedPosition {
    type Err = InvalidStreamId;

    fn from_str(text: &str) -> Result<Self, InvalidStreamId> {
        let (entry, server) = text.split_once('.').ok_or(InvalidStreamId)?;
        Ok(Self {
            entry: entry.parse()?,
            server: server.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_survives_its_text(major: u64, minor: u64, server in "[0-9a-f]{12}") {
            let position = FeedPosition { entry: StreamId { major, minor }, server: server.into() };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn any_text_is_a_position_or_refused(text in "\\PC*") {
            let _ = text.parse::<FeedPosition>();
        }
    }
}
