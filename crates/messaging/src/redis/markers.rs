//! Markers: a key of each user's own beside the rosters, so that Redis tells
//! of its expiry at the moment of it.

use std::time::Duration;

use futures::join;

use super::{Change, Member, RedisError as E, RedisService, Roster, keys, scripts};
use crate::clock;
use crate::ids::{ConversationId, UserId};

/// How long it is remembered when a user was last online.
const LAST_SEEN_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

impl RedisService {
    /// A heartbeat: the user is online for `life` from now on; what changed.
    pub async fn set_user_online(
        &self,
        roster: &Roster,
        user: UserId,
        life: Duration,
    ) -> Result<Vec<Change>, E> {
        let marker = keys::online(user);
        // The roster first: its members are then due when their markers expire.
        let (changes, marked, seen) = join!(
            self.keep(roster, Member::Online(user), life),
            self.set(&marker, b"1", Some(life)),
            self.set_last_seen(user),
        );
        marked.and(seen).and(changes)
    }

    /// The user is offline now; what changed.
    pub async fn set_user_offline(&self, roster: &Roster, user: UserId) -> Result<Vec<Change>, E> {
        let marker = keys::online(user);
        let (changes, unmarked) = join!(self.end(roster, Member::Online(user)), self.del(&marker));
        unmarked.and(changes)
    }

    /// Remembers that the user is seen now.
    pub async fn set_last_seen(&self, user: UserId) -> Result<(), E> {
        let now = clock::now();
        self.set(&keys::last_seen(user), now.as_bytes(), Some(LAST_SEEN_LIFE))
            .await
    }

    /// Who is online, in the order of their ids.
    pub async fn get_online_users(&self) -> Result<Vec<UserId>, E> {
        let users: Vec<String> = self
            .script(
                scripts::ROSTER_MEMBERS,
                keys::users_online_by_expiry(),
                vec![],
            )
            .await?;
        Ok(in_order(&users))
    }

    /// The user types for `life` from now on; what changed.
    pub async fn set_typing_indicator(
        &self,
        roster: &Roster,
        conversation: ConversationId,
        user: UserId,
        life: Duration,
    ) -> Result<Vec<Change>, E> {
        let marker = keys::typing_user(conversation, user);
        let (changes, marked) = join!(
            self.keep(roster, Member::Typing(conversation, user), life),
            self.set(&marker, b"1", Some(life)),
        );
        marked.and(changes)
    }

    /// The user does not type any more; what changed.
    pub async fn clear_typing_indicator(
        &self,
        roster: &Roster,
        conversation: ConversationId,
        user: UserId,
    ) -> Result<Vec<Change>, E> {
        let marker = keys::typing_user(conversation, user);
        let member = Member::Typing(conversation, user);
        let (changes, unmarked) = join!(self.end(roster, member), self.del(&marker));
        unmarked.and(changes)
    }

    /// Who types in a conversation, in the order of their ids.
    pub async fn get_typing_users(&self, conversation: ConversationId) -> Result<Vec<UserId>, E> {
        let users = in_order(&self.smembers(&keys::typing(conversation)).await?);
        let members: Vec<Member> = users
            .iter()
            .map(|user| Member::Typing(conversation, *user))
            .collect();
        // The set may lag behind for the time of a round trip; the roster does not.
        let there = self.have(&Roster::typing(), &members).await?;
        let users = users.into_iter().zip(there);
        Ok(users
            .filter_map(|(user, there)| there.then_some(user))
            .collect())
    }
}

fn in_order(users: &[String]) -> Vec<UserId> {
    let mut users: Vec<UserId> = users.iter().filter_map(|id| id.parse().ok()).collect();
    users.sort_unstable();
    users
}
