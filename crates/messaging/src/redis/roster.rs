//! Rosters: who is online, who types. Each member is there for as long as
//! their own last sign of life says, by the clock of Redis.
//!
//! A sorted set by expiry decides alone; its scripts publish every change in the
//! step that makes it. The plain set, streams and feeds follow in a second
//! round trip, only after a change. Whoever finds a member whose life is over
//! removes it, so an expiry is noticed with or without keyspace events, and
//! only the one whose removal succeeds tells it.

use std::time::Duration;

use futures::future::try_join_all;
use futures::join;
use spin_sdk::redis::RedisParameter;

use super::service::{Argument, args, millis};
use super::{RedisError as E, RedisService, keys, scripts};
use crate::ids::{ConversationId, UserId};
use crate::{clock, log_line};

/// How long an unnoticed expiry waits to be noticed.
const UNNOTICED: Duration = Duration::from_secs(24 * 60 * 60);
/// How much earlier than the member a marker may expire: they are set by two
/// commands of one round trip.
const TOLERANCE: Duration = Duration::from_millis(100);
/// Stands for the member in channels and events.
const MEMBER: char = '@';

/// The keys, channel and events of one roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    by_expiry: String,
    set: String,
    channel: String,
    came: String,
    went: String,
    life: Duration,
}

/// A member that came or went, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub member: UserId,
    /// Came, or went.
    pub there: bool,
    /// The JSON that was published.
    pub event: String,
}

impl Roster {
    /// Users online, each for `life` after their last heartbeat.
    #[must_use]
    pub fn online(life: Duration) -> Self {
        let now = clock::now();
        let event = |kind| format!(r#"{{"type":"{kind}","userId":{MEMBER},"timestamp":"{now}"}}"#);
        Self {
            by_expiry: keys::users_online_by_expiry().to_owned(),
            set: keys::users_online().to_owned(),
            channel: keys::presence_channel(MEMBER),
            came: event("online"),
            went: event("offline"),
            life,
        }
    }

    /// Users typing in a conversation, each for `life` after their last indicator.
    #[must_use]
    pub fn typing(id: ConversationId, life: Duration) -> Self {
        let event =
            |kind| format!(r#"{{"type":"{kind}","userId":{MEMBER},"conversationId":{id}}}"#);
        Self {
            by_expiry: keys::typing_by_expiry(id),
            set: keys::typing(id),
            channel: keys::typing_channel(id),
            came: event("typing-start"),
            went: event("typing-stop"),
            life,
        }
    }

    /// The opposite of a change.
    fn opposite(&self, change: &Change) -> Change {
        let event = if change.there { &self.went } else { &self.came };
        Change {
            member: change.member,
            there: !change.there,
            event: event.replace(MEMBER, &change.member.to_string()),
        }
    }

    fn arguments(&self) -> Vec<RedisParameter> {
        args![&self.channel, &self.came, &self.went]
    }
}

impl RedisService {
    /// Keeps a member for the roster's life from now on; what changed.
    pub async fn keep(&self, roster: &Roster, member: UserId) -> Result<Vec<Change>, E> {
        let mut arguments = roster.arguments();
        arguments.extend(args![
            member.get(),
            millis(roster.life),
            millis(roster.life + UNNOTICED)
        ]);
        let (changes, enrolled) = join!(
            self.script(scripts::ROSTER_KEEP, &roster.by_expiry, arguments),
            self.enroll(roster, member),
        );
        enrolled.and(changes)
    }

    /// Removes a member now; what changed.
    pub async fn end(&self, roster: &Roster, member: UserId) -> Result<Vec<Change>, E> {
        let mut arguments = roster.arguments();
        arguments.extend(args![member.get()]);
        let (changes, removed) = join!(
            self.script(scripts::ROSTER_END, &roster.by_expiry, arguments),
            self.srem(&roster.set, member.get()),
        );
        removed.and(changes)
    }

    /// Removes the members whose life is over, and one whose marker is known
    /// to have expired; what changed.
    pub async fn reap(&self, roster: &Roster, expired: Option<UserId>) -> Result<Vec<Change>, E> {
        let mut arguments = roster.arguments();
        let expired = expired.map_or_else(String::new, |member| member.to_string());
        arguments.extend(args![expired, millis(TOLERANCE)]);
        self.script(scripts::ROSTER_REAP, &roster.by_expiry, arguments)
            .await
    }

    /// The members of the roster at a key, in the order of their ids.
    pub(super) async fn members(&self, by_expiry: &str) -> Result<Vec<UserId>, E> {
        let members: Vec<String> = self
            .script(scripts::ROSTER_MEMBERS, by_expiry, vec![])
            .await?;
        let mut members: Vec<UserId> = members.iter().filter_map(|id| id.parse().ok()).collect();
        members.sort_unstable();
        Ok(members)
    }

    /// Which of the members are there, in the order of the question.
    pub async fn have(
        &self,
        roster: &Roster,
        members: impl IntoIterator<Item = UserId>,
    ) -> Result<Vec<bool>, E> {
        let members = members.into_iter().map(|member| member.get().parameter());
        self.script(scripts::ROSTER_HAS, &roster.by_expiry, members.collect())
            .await
    }

    /// Lets the plain set, streams and feeds follow changes that were
    /// published. Nothing of it can fail the request.
    pub async fn follow(&self, roster: &Roster, changes: &[Change]) {
        if let Err(cause) = self.try_follow(roster, changes).await {
            log_line!(
                "WARN",
                "a change of {} is not in the feeds: {cause}",
                roster.set
            );
        }
    }

    /// What changed back meanwhile is told once more, as it is now: the last
    /// one to write the plain set and the signals has seen the roster after that.
    async fn try_follow(&self, roster: &Roster, changes: &[Change]) -> Result<(), E> {
        if changes.is_empty() {
            return Ok(());
        }
        let outdated = self.follow_once(roster, changes).await?;
        if !outdated.is_empty() {
            self.follow_once(roster, &outdated).await?;
        }
        Ok(())
    }

    /// One round trip; the opposites of the changes that are no longer true.
    async fn follow_once(&self, roster: &Roster, changes: &[Change]) -> Result<Vec<Change>, E> {
        let newest = newest(changes);
        let (signals, set, there, rung) = join!(
            try_join_all(changes.iter().map(|change| self.add_signal(&change.event))),
            try_join_all(
                newest
                    .iter()
                    .map(|change| self.follow_in_set(roster, change))
            ),
            self.have(roster, newest.iter().map(|change| change.member)),
            self.ring_relay(),
        );
        signals.and(set).and(rung)?;
        let outdated = newest.iter().zip(there?);
        let outdated = outdated.filter(|(change, there)| change.there != *there);
        Ok(outdated
            .map(|(change, _)| roster.opposite(change))
            .collect())
    }

    async fn follow_in_set(&self, roster: &Roster, change: &Change) -> Result<bool, E> {
        if change.there {
            self.enroll(roster, change.member).await
        } else {
            self.srem(&roster.set, change.member.get()).await
        }
    }

    async fn enroll(&self, roster: &Roster, member: UserId) -> Result<bool, E> {
        let arguments = args![member.get(), millis(roster.life)];
        self.script(scripts::ENROLL, &roster.set, arguments).await
    }
}

/// The last change of each member.
fn newest(changes: &[Change]) -> Vec<&Change> {
    let later = |at: usize, change: &Change| {
        changes[at + 1..]
            .iter()
            .any(|later| later.member == change.member)
    };
    let newest = changes.iter().enumerate();
    let newest = newest.filter(|(at, change)| !later(*at, change));
    newest.map(|(_, change)| change).collect()
}
