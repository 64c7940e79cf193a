//! Markers: a key of each user's own beside the rosters, so that Redis tells
//! of its expiry at the moment of it.

use std::time::Duration;

use futures::join;

use super::{Change, RedisError as E, RedisService, Roster, keys};
use crate::clock;
use crate::ids::{ConversationId, UserId};

/// How long it is remembered when a user was last online.
const LAST_SEEN_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

impl RedisService {
    /// A heartbeat: the user is online for `life` from now on; what changed.
    pub async fn set_user_online(&self, user: UserId, life: Duration) -> Result<Vec<Change>, E> {
        let (roster, marker) = (Roster::online(life), keys::online(user));
        // The roster first: its members are then due when their markers expire.
        let (changes, marked, seen) = join!(
            self.keep(&roster, user),
            self.set(&marker, b"1", Some(life)),
            self.set_last_seen(user),
        );
        marked.and(seen).and(changes)
    }

    /// The user is offline now; what changed.
    pub async fn set_user_offline(&self, user: UserId, life: Duration) -> Result<Vec<Change>, E> {
        let (roster, marker) = (Roster::online(life), keys::online(user));
        let (changes, unmarked) = join!(self.end(&roster, user), self.del(&marker));
        unmarked.and(changes)
    }

    /// Who is online, in the order of their ids.
    pub async fn get_online_users(&self) -> Result<Vec<UserId>, E> {
        self.members(keys::users_online_by_expiry()).await
    }

    /// Remembers that the user is seen now.
    pub async fn set_last_seen(&self, user: UserId) -> Result<(), E> {
        let now = clock::now();
        self.set(&keys::last_seen(user), now.as_bytes(), Some(LAST_SEEN_LIFE))
            .await
    }

    /// The user types for `life` from now on, or does not type; what changed.
    pub async fn set_typing_indicator(
        &self,
        conversation: ConversationId,
        user: UserId,
        is_typing: bool,
        life: Duration,
    ) -> Result<Vec<Change>, E> {
        let roster = Roster::typing(conversation, life);
        let marker = keys::typing_user(conversation, user);
        if is_typing {
            let (changes, marked) = join!(
                self.keep(&roster, user),
                self.set(&marker, b"1", Some(life)),
            );
            marked.and(changes)
        } else {
            let (changes, unmarked) = join!(self.end(&roster, user), self.del(&marker));
            unmarked.and(changes)
        }
    }

    /// Who types in a conversation, in the order of their ids.
    pub async fn get_typing_users(&self, conversation: ConversationId) -> Result<Vec<UserId>, E> {
        self.members(&keys::typing_by_expiry(conversation)).await
    }
}
