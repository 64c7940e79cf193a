//! Texts that do not open: a line in the log, once for each reason.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::binding::Binding;

/// The most reasons that an instance remembers to have logged.
const MAX_LOGGED: usize = 256;
/// How much of a key's name is shown: what is no sealed text could have anything there.
const MAX_ID: usize = 32;

thread_local! {
    static LOGGED: RefCell<BTreeSet<Unreadable>> = const { RefCell::new(BTreeSet::new()) };
}

/// Why a text does not open. Nothing of it is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unreadable {
    /// The operator has dropped its key.
    #[error("contents are unreadable: the key {0:?} is not in content_keys")]
    NoKey(String),
    /// It is not what this key sealed for this place.
    #[error(
        "a text of conversation {conversation} is unreadable: it was changed or moved, or the key {id:?} is another one now"
    )]
    Changed {
        /// The key.
        id: String,
        /// The conversation; 0 if it is of none.
        conversation: i64,
    },
}

impl Unreadable {
    pub(super) fn no_key(id: &str) -> Self {
        Self::NoKey(id.chars().take(MAX_ID).collect())
    }

    pub(super) fn changed(id: &str, binding: Binding) -> Self {
        let conversation = match binding {
            Binding::Content(conversation, _)
            | Binding::Title(conversation)
            | Binding::Answer(conversation) => conversation.get(),
            Binding::Digest => 0,
        };
        Self::Changed {
            id: id.to_owned(),
            conversation,
        }
    }

    /// Logs it, unless this instance has.
    pub fn log_once(&self) {
        let is_new = LOGGED.with_borrow_mut(|logged| {
            logged.len() < MAX_LOGGED && !logged.contains(self) && logged.insert(self.clone())
        });
        if is_new {
            log::error!("{self}");
        }
    }
}
