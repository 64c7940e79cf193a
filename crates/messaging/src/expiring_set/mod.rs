//! Expiring sets: users online, users typing. Each member has a TTL of its own, by the clock of
//! Redis.
//!
//! A sorted set by expiry decides alone who is a member; its scripts publish every change, and add a
//! signal for the relay, in the step that makes it. So a change whose reply is lost is reported all
//! the same. The scripts of presence write the plain set of the specification as well. The plain sets
//! of typing, one for each conversation, have slots of their own and follow in a second round trip,
//! only after a change; the relay repeats that before it delivers a signal. Every request that uses a
//! set reaps the members that have expired, and only the one whose removal succeeds reports it. So an
//! expiry is noticed without keyspace events, and also where these come late: a Redis with many keys
//! may take minutes to find one that expired.

mod devices;
mod member;

use std::time::Duration;

use futures::future::try_join_all;
use futures::join;
use platform::redis::{
    Argument, FromReply, RedisError as E, RedisParameter, RedisResult, Repeat, Script, millis,
    unexpected,
};
use platform::{args, clock, task};
use serde::Deserialize;

use crate::ids::{ConversationId, UserId};
use crate::{RedisService, keys, relay};

pub use member::Member;
use member::{CONVERSATION, USER};

/// A script, behind what all of these share.
macro_rules! script {
    ($($file:literal),+) => {
        Script::idempotent(concat!(include_str!("lua/call.lua"), $(include_str!($file)),+))
    };
}

/// A script that changes a set, behind what all of these share.
macro_rules! change {
    ($($file:literal),+) => { script!("lua/common.lua", $($file),+) };
}

/// Adds a member, or refreshes its TTL.
const REFRESH: Script = change!("lua/refresh.lua");
/// Removes a member.
const REMOVE: Script = change!("lua/remove.lua");
/// Adds a member, or refreshes its TTL, by one of its devices.
const REFRESH_DEVICE: Script = change!("lua/devices.lua", "lua/refresh_device.lua");
/// Removes a device, and with the last one the member.
const REMOVE_DEVICE: Script = change!("lua/devices.lua", "lua/remove_device.lua");
/// Removes all devices, and with them the member.
const REMOVE_DEVICES: Script = change!("lua/devices.lua", "lua/remove_devices.lua");
/// Removes the members that have expired.
const REAP: Script = change!("lua/reap.lua");
/// Lists the members.
const MEMBERS: Script = script!("lua/members.lua");
/// Checks for how long the members stay.
const CONTAINS: Script = script!("lua/contains.lua");
/// Adds a member to the plain set.
const MIRROR_ADD: Script = script!("lua/mirror_add.lua");

/// How long a member that has expired waits to be reaped.
const REAP_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How much earlier than the member a marker may expire: they are set by two commands of one round
/// trip.
const TOLERANCE: Duration = Duration::from_millis(100);

/// The keys, channel and events of one expiring set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringSet {
    by_expiry: &'static str,
    /// What its scripts write too: the plain set, and when a user was last online.
    mirrors: &'static [&'static str],
    signals: &'static str,
    signals_lease: &'static str,
    channel: String,
    added: String,
    removed: String,
}

/// A member that was added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The member.
    pub member: Member,
    /// Added, or removed.
    pub present: bool,
}

/// What a script did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The changes, in their order.
    changes: Vec<Change>,
    /// Whether signals wait for the relay: of this change, or of one whose request did not wake it.
    is_waiting: bool,
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

/// What an event says of a change; the rest is for clients.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    r#type: String,
    user_id: UserId,
    conversation_id: Option<ConversationId>,
}

impl ExpiringSet {
    /// Users online.
    #[must_use]
    pub fn online() -> Self {
        let now = clock::now();
        let event = |kind| format!(r#"{{"type":"{kind}","userId":{USER},"timestamp":"{now}"}}"#);
        Self {
            by_expiry: keys::users_online_by_expiry(),
            mirrors: const { &[keys::users_online(), keys::last_seen()] },
            signals: keys::presence_signals(),
            signals_lease: keys::presence_signals_lease(),
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
            mirrors: &[],
            signals: keys::typing_signals(),
            signals_lease: keys::typing_signals_lease(),
            channel: keys::typing_channel(CONVERSATION),
            added: event("typing-start"),
            removed: event("typing-stop"),
        }
    }

    /// The change that an event of this set is about; `None` if it is none of this set.
    #[must_use]
    pub fn change(&self, event: &str) -> Option<Change> {
        let event: Event = serde_json::from_str(event).ok()?;
        let member = match event.conversation_id {
            Some(conversation) => Member::Typing(conversation, event.user_id),
            None => Member::Online(event.user_id),
        };
        let present = match &*event.r#type {
            "online" | "typing-start" => true,
            "offline" | "typing-stop" => false,
            _ => return None,
        };
        self.takes(member).then_some(Change { member, present })
    }

    fn takes(&self, member: Member) -> bool {
        let has_conversation = matches!(member, Member::Typing(..));
        has_conversation == self.channel.contains(CONVERSATION)
    }

    /// The key of the signals.
    #[must_use]
    pub const fn signals(&self) -> &'static str {
        self.signals
    }

    /// The key of the lease on the signals.
    #[must_use]
    pub const fn signals_lease(&self) -> &'static str {
        self.signals_lease
    }

    /// Runs a script that changes the set; `devices` is the key of a user's devices, for one that
    /// uses it.
    async fn run(
        &self,
        redis: RedisService,
        script: Script,
        devices: Option<&str>,
        arguments: Vec<RedisParameter>,
    ) -> Result<Changes, E> {
        let mut keys = vec![self.by_expiry, self.signals];
        keys.extend(self.mirrors);
        keys.extend(devices);
        let mut all = args![&self.channel, &self.added, &self.removed];
        all.extend(arguments);
        redis.script_on(script, &keys, all).await
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
        let arguments = args![member.to_string(), millis(ttl), millis(ttl + REAP_WINDOW)];
        let (changes, mirrored) = join!(
            self.run(redis, REFRESH, None, arguments),
            self.mirror_refresh(redis, member, ttl),
        );
        mirrored.and(changes)
    }

    /// Adds a member to the plain set, and refreshes the set's TTL.
    async fn mirror_refresh(
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
        let set = member.set();
        let (changes, removed) = join!(
            self.run(redis, REMOVE, None, args![member.to_string()]),
            redis.srem(&set, member.user().get()),
        );
        removed.and(changes)
    }

    /// Removes the members that have expired, and one whose marker is known to have expired, unless
    /// it was refreshed since; and reports what was removed.
    pub async fn reap(&self, redis: RedisService, expired: Option<Member>) -> Result<(), E> {
        let reaped = self.reaped(redis, expired).await?;
        if reaped.changes.is_empty() {
            // Awaited: nothing that a trigger spawns outlives it.
            relay::wake_up_if(reaped.is_waiting).await;
        } else {
            self.report(redis, &reaped).await;
        }
        Ok(())
    }

    async fn reaped(&self, redis: RedisService, expired: Option<Member>) -> Result<Changes, E> {
        let expired = expired.map_or_else(String::new, |member| member.to_string());
        let arguments = args![expired, millis(TOLERANCE)];
        self.run(redis, REAP, None, arguments).await
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
        self.takes(member).then_some(member)
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

    /// Reports what a script did: changes, which are published and signalled, to the plain set; and
    /// that signals wait, to the relay. Nothing of it can fail the request: the relay mirrors changes
    /// too.
    pub async fn report(&self, redis: RedisService, changes: &Changes) {
        if changes.changes.is_empty() {
            if changes.is_waiting {
                // Not awaited: a request without a change takes one round trip.
                task::spawn(relay::wake_up_if(true));
            }
            return;
        }
        let (mirrored, woken) = join!(self.mirror(redis, &changes.changes), relay::wake_up(redis));
        if let Err(cause) = mirrored.and(woken) {
            let set = self.by_expiry;
            log::warn!("a change of {set} is left to the relay: {cause}");
        }
    }

    /// Makes the plain set follow changes, unless the scripts write it. A change that was undone since
    /// is undone there too: the last writer of the plain set has looked at the expiring set after that.
    pub async fn mirror(&self, redis: RedisService, changes: &[Change]) -> Result<(), E> {
        if changes.is_empty() || !self.mirrors.is_empty() {
            return Ok(());
        }
        let outdated = self.mirror_once(redis, &newest(changes)).await?;
        if !outdated.is_empty() {
            self.mirror_once(redis, &outdated).await?;
        }
        Ok(())
    }

    /// One round trip; the opposites of the changes that are no longer true.
    async fn mirror_once(&self, redis: RedisService, changes: &[Change]) -> Result<Vec<Change>, E> {
        let members: Vec<Member> = changes.iter().map(|change| change.member).collect();
        let (written, present) = join!(
            try_join_all(changes.iter().map(|change| mirror(redis, change))),
            self.contains(redis, &members),
        );
        written?;
        let found = members.into_iter().zip(present?);
        let found = found.map(|(member, present)| Change { member, present });
        Ok(found.filter(|found| !changes.contains(found)).collect())
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

/// Reaps all sets, for the relay: the signals of what is removed are its own next work, and with
/// them the plain sets. Whether signals wait.
pub async fn reap_all(redis: RedisService) -> Result<bool, E> {
    let (online, typing) = (ExpiringSet::online(), ExpiringSet::typing());
    let (online, typing) = join!(online.reaped(redis, None), typing.reaped(redis, None));
    Ok(online?.is_waiting || typing?.is_waiting)
}

/// The last change of each member.
fn newest(changes: &[Change]) -> Vec<Change> {
    let is_newest = |at: usize, member| {
        let mut later = changes[at + 1..].iter();
        later.all(|later| later.member != member)
    };
    let newest = changes.iter().enumerate();
    let newest = newest.filter(|(at, change)| is_newest(*at, change.member));
    newest.map(|(_, change)| *change).collect()
}

impl FromReply for Changes {
    /// As the scripts give them: see `common.lua`.
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, E> {
        let mut reply = reply.into_iter();
        let mut number = || {
            let number = reply.next().ok_or_else(|| unexpected("a number"))?;
            i64::from_reply(vec![number])
        };
        let (remaining, is_waiting) = (number()?, number()? == 1);
        let changes = Vec::<String>::from_reply(reply.collect())?;
        let changes = changes
            .iter()
            .map(|text| parse(text).ok_or_else(|| unexpected("a change")));
        Ok(Self {
            changes: changes.collect::<Result<_, E>>()?,
            is_waiting,
            remaining: from_millis(remaining),
        })
    }
}

/// A change as a script gives it: 1 or 0, and the member.
fn parse(text: &str) -> Option<Change> {
    let (present, member) = text.split_once(' ')?;
    Some(Change {
        member: member.parse().ok()?,
        present: present == "1",
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
        }
    }

    /// An event as the scripts fill it in.
    fn event(template: &str, member: Member) -> String {
        let event = template.replace(USER, &member.user().to_string());
        match member {
            Member::Online(_) => event,
            Member::Typing(conversation, _) => {
                event.replace(CONVERSATION, &conversation.to_string())
            }
        }
    }

    proptest! {
        #[test]
        fn events_are_read_back_as_changes_of_their_own_set(member in member(), present: bool) {
            let (online, typing) = (ExpiringSet::online(), ExpiringSet::typing());
            let (own, other) = match member {
                Member::Online(_) => (online, typing),
                Member::Typing(..) => (typing, online),
            };
            let template = if present { &own.added } else { &own.removed };
            let event = event(template, member);
            prop_assert_eq!(own.change(&event), Some(Change { member, present }));
            prop_assert_eq!(other.change(&event), None);
        }

        #[test]
        fn what_is_no_event_is_no_change(garbage in ".*", user in 1..9_i64) {
            let set = ExpiringSet::online();
            prop_assert_eq!(set.change(&garbage), None);
            let of_another_type = format!(r#"{{"type":"new-message","userId":{user}}}"#);
            prop_assert_eq!(set.change(&of_another_type), None);
        }

        #[test]
        fn a_reply_is_read_as_the_scripts_write_it(
            changes in proptest::collection::vec((member(), any::<bool>()), 0..4),
            is_waiting: bool,
        ) {
            let changes: Vec<Change> = changes
                .into_iter()
                .map(|(member, present)| Change { member, present })
                .collect();
            let texts = changes.iter().map(|change| {
                let text = format!("{} {}", u8::from(change.present), change.member);
                RedisResult::Binary(text.into_bytes())
            });
            let numbers = [7, i64::from(is_waiting)].map(RedisResult::Int64);
            let read = Changes::from_reply(numbers.into_iter().chain(texts).collect());
            let remaining = Some(Duration::from_millis(7));
            prop_assert_eq!(read, Ok(Changes { changes, is_waiting, remaining }));
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
            let all: Vec<Change> = changes.iter().map(|(id, there)| change(*id, *there)).collect();
            let last: std::collections::BTreeMap<u8, bool> = changes.into_iter().collect();
            let newest = newest(&all);
            prop_assert_eq!(newest.len(), last.len());
            for (id, there) in last {
                prop_assert!(newest.contains(&change(id, there)));
            }
        }
    }
}
