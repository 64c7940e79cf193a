//! Expiring sets: users online, users typing. Each member has a TTL of its own, by the clock of
//! Redis.
//!
//! A sorted set by expiry decides alone who is a member; its scripts publish every change in the
//! step that makes it. The plain set of the specification, streams and feeds follow in a second
//! round trip, only after a change. Every request that uses a set reaps the members that have
//! expired, and only the one whose removal succeeds reports it. So an expiry is noticed without
//! keyspace events, and also where these come late: a Redis with many keys may take minutes to
//! find one that expired.

mod devices;
mod member;

use std::time::Duration;

use futures::future::try_join_all;
use futures::join;
use platform::redis::{
    Argument, FromReply, RedisError as E, RedisParameter, RedisResult, Repeat, Script, millis,
    unexpected,
};
use platform::{args, clock};

use crate::{RedisService, keys, relay};

pub use member::Member;
use member::{CONVERSATION, USER};

/// A script that changes a set, behind what all of these share.
macro_rules! script {
    ($($file:literal),+) => {
        Script::idempotent(concat!(include_str!("lua/common.lua"), $(include_str!($file)),+))
    };
}

/// Adds a member, or refreshes its TTL.
const REFRESH: Script = script!("lua/refresh.lua");
/// Removes a member.
const REMOVE: Script = script!("lua/remove.lua");
/// Adds a member, or refreshes its TTL, by one of its devices.
const REFRESH_DEVICE: Script = script!("lua/devices.lua", "lua/refresh_device.lua");
/// Removes a device, and with the last one the member.
const REMOVE_DEVICE: Script = script!("lua/devices.lua", "lua/remove_device.lua");
/// Removes all devices, and with them the member.
const REMOVE_DEVICES: Script = script!("lua/remove_devices.lua");
/// Removes the members that have expired.
const REAP: Script = script!("lua/reap.lua");
/// Lists the members.
const MEMBERS: Script = Script::idempotent(include_str!("lua/members.lua"));
/// Checks for how long the members stay.
const CONTAINS: Script = Script::idempotent(include_str!("lua/contains.lua"));
/// Adds a member to the plain set.
const MIRROR_ADD: Script = Script::idempotent(include_str!("lua/mirror_add.lua"));

/// How long a member that has expired waits to be reaped.
const REAP_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How much earlier than the member a marker may expire: they are set by two commands of one round
/// trip.
const TOLERANCE: Duration = Duration::from_millis(100);

/// The key, channel and events of one expiring set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringSet {
    by_expiry: &'static str,
    unreported: String,
    channel: String,
    added: String,
    removed: String,
}

/// A member that was added or removed, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The member.
    pub member: Member,
    /// Added, or removed.
    pub present: bool,
    /// The JSON that was published.
    pub event: String,
}

/// What a script did.
#[derive(Debug)]
pub struct Changes {
    /// The changes to report, in their order.
    pub changes: Vec<Change>,
    /// How the list of unreported changes has them.
    unreported: Vec<Vec<u8>>,
    /// For how much longer the script's member stays; `None` if there is none.
    pub remaining: Option<Duration>,
}

impl Changes {
    /// Whether the member was added or removed.
    #[must_use]
    pub fn concern(&self, member: Member) -> bool {
        self.changes.iter().any(|change| change.member == member)
    }
}

impl ExpiringSet {
    /// Users online.
    #[must_use]
    pub fn online() -> Self {
        let now = clock::now();
        let event = |kind| format!(r#"{{"type":"{kind}","userId":{USER},"timestamp":"{now}"}}"#);
        Self {
            by_expiry: keys::users_online_by_expiry(),
            unreported: keys::unreported(keys::users_online_by_expiry()),
            channel: keys::presence_channel(USER),
            added: event("online"),
            removed: event("offline"),
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
            unreported: keys::unreported(keys::typing_by_expiry()),
            channel: keys::typing_channel(CONVERSATION),
            added: event("typing-start"),
            removed: event("typing-stop"),
        }
    }

    /// The opposite of a change.
    fn opposite(&self, change: &Change) -> Change {
        let event = if change.present {
            &self.removed
        } else {
            &self.added
        };
        Change {
            member: change.member,
            present: !change.present,
            event: change.member.fill(event),
        }
    }

    fn arguments(&self) -> Vec<RedisParameter> {
        args![&self.channel, &self.added, &self.removed]
    }
}

impl ExpiringSet {
    /// Adds a member, or refreshes its TTL; what changed.
    pub async fn refresh(
        &self,
        redis: RedisService,
        member: Member,
        ttl: Duration,
    ) -> Result<Changes, E> {
        let mut arguments = self.arguments();
        arguments.extend(args![
            member.to_string(),
            millis(ttl),
            millis(ttl + REAP_WINDOW)
        ]);
        let keys = [self.by_expiry, &self.unreported];
        let (changes, mirrored) = join!(
            redis.script_on(REFRESH, &keys, arguments),
            self.mirror_refresh(redis, member, ttl),
        );
        mirrored.and(changes)
    }

    /// Adds a member to the plain set, and refreshes the set's TTL.
    pub async fn mirror_refresh(
        &self,
        redis: RedisService,
        member: Member,
        ttl: Duration,
    ) -> Result<(), E> {
        let arguments = args![member.user().get(), millis(ttl)];
        redis.script(MIRROR_ADD, &member.set(), arguments).await
    }

    /// Removes a member now; what changed.
    pub async fn remove(&self, redis: RedisService, member: Member) -> Result<Changes, E> {
        let mut arguments = self.arguments();
        arguments.extend(args![member.to_string()]);
        let (keys, set) = ([self.by_expiry, &self.unreported], member.set());
        let (changes, removed) = join!(
            redis.script_on(REMOVE, &keys, arguments),
            redis.srem(&set, member.user().get()),
        );
        removed.and(changes)
    }

    /// Removes the members that have expired, and one whose marker is known to have expired, unless
    /// it was refreshed since; and reports what was removed.
    pub async fn reap(&self, redis: RedisService, expired: Option<Member>) -> Result<(), E> {
        let mut arguments = self.arguments();
        let expired = expired.map_or_else(String::new, |member| member.to_string());
        arguments.extend(args![expired, millis(TOLERANCE)]);
        let keys = [self.by_expiry, &self.unreported];
        let reaped = redis.script_on(REAP, &keys, arguments).await?;
        self.report(redis, &reaped).await;
        Ok(())
    }

    /// The members. What another program wrote into the set is removed.
    pub async fn members(&self, redis: RedisService) -> Result<Vec<Member>, E> {
        let texts: Vec<Vec<u8>> = redis.script(MEMBERS, self.by_expiry, vec![]).await?;
        let mut members = Vec::with_capacity(texts.len());
        let mut foreign = args![self.by_expiry];
        for text in texts {
            match self.parse(&text) {
                Some(member) => members.push(member),
                None => foreign.push(text.as_slice().parameter()),
            }
        }
        if foreign.len() > 1 {
            log::warn!("removed from {}: what is no member", self.by_expiry);
            redis.command::<()>(Repeat::Safe, "ZREM", foreign).await?;
        }
        Ok(members)
    }

    fn parse(&self, text: &[u8]) -> Option<Member> {
        let member = str::from_utf8(text).ok()?.parse().ok()?;
        let has_conversation = matches!(member, Member::Typing(..));
        (has_conversation == self.channel.contains(CONVERSATION)).then_some(member)
    }

    /// Which of these are members, in the same order.
    pub async fn contains(&self, redis: RedisService, members: &[Member]) -> Result<Vec<bool>, E> {
        let remaining = self.remaining(redis, members).await?;
        Ok(remaining.iter().map(Option::is_some).collect())
    }

    /// For how much longer each of these stays, in the same order; `None` where there is none.
    pub async fn remaining(
        &self,
        redis: RedisService,
        members: &[Member],
    ) -> Result<Vec<Option<Duration>>, E> {
        if members.is_empty() {
            return Ok(vec![]);
        }
        let members = members.iter().map(|member| member.to_string().parameter());
        let remaining: Vec<i64> = redis
            .script(CONTAINS, self.by_expiry, members.collect())
            .await?;
        Ok(remaining.into_iter().map(from_millis).collect())
    }

    /// Reports changes that were published to the plain set, streams and feeds. Nothing of it can
    /// fail the request: what is not reported stays for the next one.
    pub async fn report(&self, redis: RedisService, changes: &Changes) {
        let reported = match self.try_report(redis, &changes.changes).await {
            Ok(()) => self.forget(redis, &changes.unreported).await,
            Err(cause) => Err(cause),
        };
        if let Err(cause) = reported {
            let set = self.by_expiry;
            log::warn!("a change of {set} is going to be reported again: {cause}");
        }
    }

    /// Removes changes that were reported from the list. One that is there twice is two changes.
    async fn forget(&self, redis: RedisService, unreported: &[Vec<u8>]) -> Result<(), E> {
        let removed = unreported.iter().map(|change| {
            let arguments = args![&self.unreported, 1_i64, change.as_slice()];
            redis.command::<()>(Repeat::Unsafe, "LREM", arguments)
        });
        try_join_all(removed).await.map(|_| ())
    }

    /// A change that was undone since is reported once more, as it is now: the last writer of the
    /// plain set and of the signals has looked at the expiring set after that.
    async fn try_report(&self, redis: RedisService, changes: &[Change]) -> Result<(), E> {
        if changes.is_empty() {
            return Ok(());
        }
        let outdated = self.report_once(redis, changes).await?;
        if !outdated.is_empty() {
            self.report_once(redis, &outdated).await?;
        }
        Ok(())
    }

    /// One round trip; the opposites of the changes that are no longer true.
    async fn report_once(&self, redis: RedisService, changes: &[Change]) -> Result<Vec<Change>, E> {
        let newest = newest(changes);
        let members: Vec<Member> = newest.iter().map(|change| change.member).collect();
        let (signals, sets, present, woken) = join!(
            try_join_all(
                changes
                    .iter()
                    .map(|change| relay::add_signal(redis, &change.event))
            ),
            try_join_all(newest.iter().map(|change| mirror(redis, change))),
            self.contains(redis, &members),
            relay::wake_up(redis),
        );
        signals.and(sets).and(woken)?;
        let outdated = newest.iter().zip(present?);
        let outdated = outdated.filter(|(change, present)| change.present != *present);
        Ok(outdated.map(|(change, _)| self.opposite(change)).collect())
    }
}

/// What is left of a member's TTL, from milliseconds as the scripts give them.
fn from_millis(remaining: i64) -> Option<Duration> {
    let remaining = u64::try_from(remaining).ok().filter(|left| *left > 0);
    remaining.map(Duration::from_millis)
}

/// The TTL of the plain set is left to the requests that refresh members.
async fn mirror(redis: RedisService, change: &Change) -> Result<bool, E> {
    let (set, user) = (change.member.set(), change.member.user().get());
    if change.present {
        redis.sadd(&set, user).await
    } else {
        redis.srem(&set, user).await
    }
}

/// Reaps all sets.
pub async fn reap_all(redis: RedisService) -> Result<(), E> {
    let (online, typing) = (ExpiringSet::online(), ExpiringSet::typing());
    let (online, typing) = join!(online.reap(redis, None), typing.reap(redis, None));
    online.and(typing)
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

impl FromReply for Changes {
    /// The milliseconds that are left, then changes, as the scripts give them. What is no change is
    /// removed as if it were reported.
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, E> {
        let mut reply = reply.into_iter();
        let remaining = reply.next().ok_or_else(|| unexpected("a number"))?;
        let unreported = Vec::<Vec<u8>>::from_reply(reply.collect())?;
        Ok(Self {
            changes: unreported.iter().filter_map(|text| parse(text)).collect(),
            remaining: from_millis(i64::from_reply(vec![remaining])?),
            unreported,
        })
    }
}

/// A change as the list has it: when it was written, 1 or 0, member, event.
fn parse(text: &[u8]) -> Option<Change> {
    let mut parts = str::from_utf8(text).ok()?.splitn(4, ' ').skip(1);
    let (present, member, event) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Change {
        member: member.parse().ok()?,
        present: present == "1",
        event: event.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expiring_set::member::tests::member;

    fn change(member: u8, present: bool) -> Change {
        Change {
            member: Member::Online(i64::from(member).try_into().unwrap()),
            present,
            event: String::new(),
        }
    }

    proptest! {
        #[test]
        fn events_are_json_about_the_member(member in member(), present: bool) {
            let set = match member {
                Member::Online(_) => ExpiringSet::online(),
                Member::Typing(..) => ExpiringSet::typing(),
            };
            let change = Change { member, present, event: String::new() };
            let event = set.opposite(&change).event;
            let event: serde_json::Value = serde_json::from_str(&event).unwrap();
            prop_assert_eq!(&event["userId"], member.user().get());
            if let Member::Typing(conversation, _) = member {
                prop_assert_eq!(&event["conversationId"], conversation.get());
            }
        }

        #[test]
        fn a_change_is_read_as_the_scripts_write_it(member in member(), present: bool) {
            let event = r#"{"type":"online","timestamp":"with a space"}"#;
            let text = format!("1764050000000 {} {member} {event}", u8::from(present));
            let change = Change { member, present, event: event.to_owned() };
            prop_assert_eq!(parse(text.as_bytes()), Some(change));
        }

        #[test]
        fn any_reply_of_texts_is_taken(texts in proptest::collection::vec(".*", 0..4)) {
            let texts = texts.into_iter().map(|text| RedisResult::Binary(text.into_bytes()));
            let reply = std::iter::once(RedisResult::Int64(7)).chain(texts).collect();
            let changes = Changes::from_reply(reply).unwrap();
            prop_assert_eq!(changes.remaining, Some(Duration::from_millis(7)));
        }

        #[test]
        fn a_set_takes_its_own_members_only(member in member(), garbage in ".*") {
            let (online, typing) = (ExpiringSet::online(), ExpiringSet::typing());
            let text = member.to_string();
            let (own, other) = match member {
                Member::Online(_) => (online, typing),
                Member::Typing(..) => (typing, online),
            };
            prop_assert_eq!(own.parse(text.as_bytes()), Some(member));
            prop_assert_eq!(other.parse(text.as_bytes()), None);
            prop_assert!(garbage.parse::<i64>().is_ok() || other.parse(garbage.as_bytes()).is_none());
            prop_assert_eq!(own.parse(b"\xff1"), None);
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
