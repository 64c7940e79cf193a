//! Rosters: who is online, who types. Each member is there for as long as
//! their own last sign of life says, by the clock of Redis.
//!
//! A sorted set by expiry decides alone; its scripts publish every change in the
//! step that makes it. The plain set, streams and feeds follow in a second
//! round trip, only after a change. Whoever passes by removes the members whose
//! life is over, and only the one whose removal succeeds tells it. So an expiry
//! is noticed without keyspace events, and also where these come late: a Redis
//! with many keys may take minutes to find one that expired.

use std::time::Duration;

use futures::future::try_join_all;
use futures::join;
use spin_sdk::redis::RedisParameter;

use super::member::{CONVERSATION, USER};
use super::service::{Argument, args, millis};
use super::{Member, RedisError as E, RedisService, keys, scripts};
use crate::{clock, log_line};

/// How long an unnoticed expiry waits to be noticed.
const UNNOTICED: Duration = Duration::from_secs(24 * 60 * 60);
/// How much earlier than the member a marker may expire: they are set by two
/// commands of one round trip.
const TOLERANCE: Duration = Duration::from_millis(100);

/// The key, channel and events of one roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    by_expiry: &'static str,
    channel: String,
    came: String,
    went: String,
}

/// A member that came or went, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub member: Member,
    /// Came, or went.
    pub there: bool,
    /// The JSON that was published.
    pub event: String,
}

impl Roster {
    /// Users online.
    #[must_use]
    pub fn online() -> Self {
        let now = clock::now();
        let event = |kind| format!(r#"{{"type":"{kind}","userId":{USER},"timestamp":"{now}"}}"#);
        Self {
            by_expiry: keys::users_online_by_expiry(),
            channel: keys::presence_channel(USER),
            came: event("online"),
            went: event("offline"),
        }
    }

    /// Users typing, in all conversations.
    #[must_use]
    pub fn typing() -> Self {
        let event = |kind| {
            format!(r#"{{"type":"{kind}","userId":{USER},"conversationId":{CONVERSATION}}}"#)
        };
        Self {
            by_expiry: keys::typing_by_expiry(),
            channel: keys::typing_channel(CONVERSATION),
            came: event("typing-start"),
            went: event("typing-stop"),
        }
    }

    /// The opposite of a change.
    fn opposite(&self, change: &Change) -> Change {
        let event = if change.there { &self.went } else { &self.came };
        Change {
            member: change.member,
            there: !change.there,
            event: change.member.fill(event),
        }
    }

    fn arguments(&self) -> Vec<RedisParameter> {
        args![&self.channel, &self.came, &self.went]
    }
}

impl RedisService {
    /// Keeps a member for a life from now on; what changed.
    pub async fn keep(
        &self,
        roster: &Roster,
        member: Member,
        life: Duration,
    ) -> Result<Vec<Change>, E> {
        let mut arguments = roster.arguments();
        arguments.extend(args![
            member.to_string(),
            millis(life),
            millis(life + UNNOTICED)
        ]);
        let set = member.set();
        let (changes, enrolled) = join!(
            self.script(scripts::ROSTER_KEEP, roster.by_expiry, arguments),
            self.script::<bool>(
                scripts::ENROLL,
                &set,
                args![member.user().get(), millis(life)]
            ),
        );
        enrolled.and(changes)
    }

    /// Removes a member now; what changed.
    pub async fn end(&self, roster: &Roster, member: Member) -> Result<Vec<Change>, E> {
        let mut arguments = roster.arguments();
        arguments.extend(args![member.to_string()]);
        let set = member.set();
        let (changes, removed) = join!(
            self.script(scripts::ROSTER_END, roster.by_expiry, arguments),
            self.srem(&set, member.user().get()),
        );
        removed.and(changes)
    }

    /// Removes the members whose life is over, and one whose marker is known
    /// to have expired, unless it came back meanwhile; and tells it.
    pub async fn reap(&self, roster: &Roster, expired: Option<Member>) -> Result<(), E> {
        let mut arguments = roster.arguments();
        let expired = expired.map_or_else(String::new, |member| member.to_string());
        arguments.extend(args![expired, millis(TOLERANCE)]);
        let reaped: Vec<Change> = self
            .script(scripts::ROSTER_REAP, roster.by_expiry, arguments)
            .await?;
        self.follow(roster, &reaped).await;
        Ok(())
    }

    /// Removes whose life is over in any roster, and tells it: for those who
    /// pass by.
    pub async fn reap_all(&self) -> Result<(), E> {
        let (online, typing) = (Roster::online(), Roster::typing());
        let (online, typing) = join!(self.reap(&online, None), self.reap(&typing, None));
        online.and(typing)
    }

    /// Which of the members are there, in the order of the question.
    pub async fn have(&self, roster: &Roster, members: &[Member]) -> Result<Vec<bool>, E> {
        if members.is_empty() {
            return Ok(vec![]);
        }
        let members = members.iter().map(|member| member.to_string().parameter());
        self.script(scripts::ROSTER_HAS, roster.by_expiry, members.collect())
            .await
    }

    /// Lets the plain set, streams and feeds follow changes that were
    /// published. Nothing of it can fail the request.
    pub async fn follow(&self, roster: &Roster, changes: &[Change]) {
        if let Err(cause) = self.try_follow(roster, changes).await {
            log_line!(
                "WARN",
                "a change of {} is not in the feeds: {cause}",
                roster.by_expiry
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
        let members: Vec<Member> = newest.iter().map(|change| change.member).collect();
        let (signals, sets, there, rung) = join!(
            try_join_all(changes.iter().map(|change| self.add_signal(&change.event))),
            try_join_all(newest.iter().map(|change| self.follow_in_set(change))),
            self.have(roster, &members),
            self.ring_relay(),
        );
        signals.and(sets).and(rung)?;
        let outdated = newest.iter().zip(there?);
        let outdated = outdated.filter(|(change, there)| change.there != *there);
        Ok(outdated
            .map(|(change, _)| roster.opposite(change))
            .collect())
    }

    /// The set's life is left to those who keep members in it.
    async fn follow_in_set(&self, change: &Change) -> Result<bool, E> {
        let (set, user) = (change.member.set(), change.member.user().get());
        if change.there {
            self.sadd(&set, user).await
        } else {
            self.srem(&set, user).await
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redis::member::tests::member;

    fn change(member: u8, there: bool) -> Change {
        Change {
            member: Member::Online(i64::from(member).try_into().unwrap()),
            there,
            event: String::new(),
        }
    }

    proptest! {
        #[test]
        fn events_are_json_about_the_member(member in member(), there: bool) {
            let roster = match member {
                Member::Online(_) => Roster::online(),
                Member::Typing(..) => Roster::typing(),
            };
            let change = Change { member, there, event: String::new() };
            let event = roster.opposite(&change).event;
            let event: serde_json::Value = serde_json::from_str(&event).unwrap();
            prop_assert_eq!(&event["userId"], member.user().get());
            if let Member::Typing(conversation, _) = member {
                prop_assert_eq!(&event["conversationId"], conversation.get());
            }
        }

        #[test]
        fn the_last_change_of_each_member_is_the_newest(
            changes in proptest::collection::vec((1_u8..5, any::<bool>()), 0..12)
        ) {
            let told: Vec<Change> = changes.iter().map(|(id, there)| change(*id, *there)).collect();
            let last: std::collections::BTreeMap<u8, bool> = changes.into_iter().collect();
            let newest = newest(&told);
            prop_assert_eq!(newest.len(), last.len());
            for (id, there) in last {
                prop_assert!(newest.contains(&&change(id, there)));
            }
        }
    }
}
