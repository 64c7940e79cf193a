//! The order of results, and where a page of them begins.

use std::fmt;
use std::str::FromStr;

use crate::ids::{MAX_ID, MessageId};

/// The order of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Those first in which the words are frequent and close to each other; of equal ones the newest. It
    /// depends on the message alone, and so reveals nothing of others.
    #[default]
    Relevance,
    /// The newest first.
    Newest,
}

impl Sort {
    const fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Newest => "newest",
        }
    }
}

impl FromStr for Sort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Relevance, Self::Newest];
        let found = all.into_iter().find(|sort| sort.name() == text);
        found.ok_or("must be relevance or newest")
    }
}

/// The last result of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The order of the results.
    pub sort: Sort,
    /// Its rank in millionths, or its time in milliseconds.
    pub(super) key: i64,
    pub(super) id: MessageId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.sort.name(), self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = text.splitn(3, '-');
            let sort = parts.next()?.parse().ok()?;
            let key = parts.next()?;
            let digits = key.bytes().all(|byte| byte.is_ascii_digit());
            let key = key.parse().ok().filter(|key| (0..=MAX_ID).contains(key));
            let id = parts.next()?.parse().ok()?;
            Some(Self {
                sort,
                key: key.filter(|_| digits)?,
                id,
            })
        };
        parse().ok_or("is not a cursor of a search")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(newest: bool, key in 0..=MAX_ID, id in 1..=MAX_ID) {
            let sort = if newest { Sort::Newest } else { Sort::Relevance };
            let cursor = Cursor { sort, key, id: MessageId::try_from(id).unwrap() };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in "(relevance|newest)?[-0-9]*|\\PC*") {
            let _ = text.parse::<Cursor>();
        }
    }
}
