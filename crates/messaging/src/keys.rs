//! Every key and channel in Redis. Nothing else in the code spells one.
//!
//! | key | type | TTL | holds |
//! | --- | --- | --- | --- |
//! | [`messages`] | list | `message_cache_ttl` | the newest messages, oldest first |
//! | [`message`] | string | `message_cache_ttl` | one message |
//! | [`conversation`] | string | `conversation_cache_ttl` | a conversation and its participants |
//! | [`messages_state`] | string | `message_cache_ttl` | the epoch of that list, and whether it is exact |
//! | [`messages_page`] | string | as that list | the newest messages of that list as one JSON array |
//! | [`message_version`] | string | `message_cache_ttl` | the epoch and version of that message |
//! | [`rights`] | string | 60 s | the epoch, and the conversation, as a proof of who may read it |
//! | [`unread`] | string | none | a participant's unread count |
//! | [`online`] | string | `presence_ttl` | one user's own presence |
//! | [`users_online`] | set | `presence_ttl` after the newest heartbeat | users online |
//! | [`users_online_by_expiry`] | sorted set | `presence_ttl` and 1 day after the newest heartbeat | users online, scored by when they expire (Unix ms); in the slot of [`users_online`] |
//! | [`devices`] | sorted set | `presence_ttl` after the newest heartbeat | a user's devices online, scored by when they expire (Unix ms) |
//! | [`last_seen`] | sorted set | none; a user stays for 90 days | users who were online, scored by when they last were (Unix ms) |
//! | [`typing`] | set | `typing_ttl` after the newest indicator | users typing |
//! | [`typing_by_expiry`] | sorted set | `typing_ttl` and 1 day after the newest indicator | conversations and users typing in them, scored by when they expire (Unix ms) |
//! | [`typing_user`] | string | `typing_ttl` | one user's own indicator |
//! | [`stream`] | stream | 1 day after the newest event | a conversation's events by seq; typing between them |
//! | [`stream_signal`] | string | 1 day after the newest typing | the id of the last signal in that stream |
//! | [`feed`] | stream | 1 day after the newest event | all that concerns a user |
//! | [`feed_seqs`] | hash | as the feed | the last event in the feed of each conversation, and the last signal of each expiring set |
//! | [`streams_of_user`] | sorted set | 30 s after the newest renewal, 15 min if a proxy holds one | a user's open event streams, scored by when their leases expire (Unix ms) |
//! | [`stream_held`], [`feed_held`] | string | 15 min after the newest renewal | there while a proxy may hold event streams of a conversation, of a user's feed |
//! | [`sockets_of_user`] | sorted set | 3 min after the newest renewal | a user's open sockets, scored by when their leases expire (Unix ms) |
//! | [`backlog`] | hash | none, a field for each reader | behind which event of a user's feed or a conversation nothing was published to a proxy; notices that it did not take |
//! | [`notices`] | set | 5 min after the newest | what the relay is to publish: which channels check their rights, or close |
//! | [`proxies_epoch`] | string | none | the epoch that knows who has sockets and streams open |
//! | [`proxy_down`] | string | 2 s | there while nothing is published to a proxy, which did not answer |
//! | [`presence_signals`], [`typing_signals`] | stream | none, capped | changes of presence and typing on their way to streams and feeds |
//! | [`presence_signals_lease`], [`typing_signals_lease`] | string | 5 s | there while a relay works on those signals |
//! | [`unread_restored`] | string | none | the epoch whose unread counts are complete, or up to which conversation |
//! | [`relay_flag`] | string | 1 s | there while a wake-up is on its way to the relay |
//! | [`cache_lease`] | string | 1 s | the epoch whose cached values may be used |
//! | [`session`] | hash | `session_idle_ttl` after its last use, `session_ttl` at the most | whom a session's cookie proves, and since when |
//! | [`sessions_of`] | hash | `session_ttl` after the newest began | a subject's sessions: ids with the hashes of their secrets |
//! | [`revoked`] | string | 60 s | the epoch, and what is revoked of a subject |
//! | [`revoked_last`] | string | 1 day | the same, for the time that PostgreSQL is away |
//! | [`assistant`] | string | `ai_cache_ttl` | an answer of the assistant; with `:asked`, 6 s, who asks for it |
//! | [`stats_messages`] | string | 2 days | how many messages were written in an hour |
//! | [`stats_active`] | set | 2 days | the users who wrote or read on a day |
//! | [`figures_counted`] | string | none | the epoch that has these figures, and up to when (Unix ms) |
//! | [`figures_due`] | string | 5 s | there until changes since then are counted |
//! | [`webhooks_queue`] | stream | none; an entry until its receiver is served | the receivers that have something to get |
//! | [`webhooks_queued`] | set | none; a receiver until a worker takes it | those that no worker has taken |
//! | [`webhooks_dead`] | stream | none, capped | deliveries that failed for the last time, and receivers that workers died of, with the reason |
//! | [`webhook_due`] | string | up to 8 h | there until a receiver has something to get again |
//! | [`ticket`] | string | 30 s | whom a one-time ticket proves, as JSON |
//! | [`rate_of_user`], [`rate_of_service`], [`rate_of_address`] | string | 1 min at the most | when what they asked for so far is paid off (Unix µs) |

use std::fmt::Display;

use crate::ids::{ConversationId, MessageId, UserId, WebhookId};
use crate::sessions::{SessionKey, Subject};

/// The channel on which work for the relay is announced.
pub const RELAY_CHANNEL: &str = "messaging:events";

/// The newest messages of a conversation: absent or exact.
#[must_use]
pub fn messages(id: ConversationId) -> String {
    format!("conversation:{id}:messages")
}

/// What is known of a cached list: the epoch under which it was written, and whether it is exact.
#[must_use]
pub fn messages_state(id: ConversationId) -> String {
    format!("{{conversation:{id}:messages}}:state")
}

/// The newest messages of a cached list as one JSON array, behind the epoch.
#[must_use]
pub fn messages_page(id: ConversationId) -> String {
    format!("{{conversation:{id}:messages}}:page")
}

/// The epoch and version of a cached message.
#[must_use]
pub fn message_version(id: MessageId) -> String {
    format!("{{message:{id}}}:version")
}

/// Which users may read a conversation, as a proof.
#[must_use]
pub fn rights(id: ConversationId) -> String {
    format!("{{conversation:{id}}}:rights")
}

/// One message.
#[must_use]
pub fn message(id: MessageId) -> String {
    format!("message:{id}")
}

/// A conversation and its participants.
#[must_use]
pub fn conversation(id: ConversationId) -> String {
    format!("conversation:{id}")
}

/// The channel of a conversation's messages.
#[must_use]
pub fn messages_channel(id: ConversationId) -> String {
    format!("conversation:{id}:messages")
}

/// A participant's unread count.
#[must_use]
pub fn unread(id: ConversationId, user: UserId) -> String {
    format!("conversation:{id}:unread:{user}")
}

/// One user's own presence.
#[must_use]
pub fn online(user: UserId) -> String {
    format!("user:{user}:online")
}

/// The user of an [`online`] key.
#[must_use]
pub fn user_of_online(key: &str) -> Option<UserId> {
    key.strip_prefix("user:")?
        .strip_suffix(":online")?
        .parse()
        .ok()
}

/// Users online.
#[must_use]
pub const fn users_online() -> &'static str {
    "users:online"
}

/// Users online, scored by when they expire.
#[must_use]
pub const fn users_online_by_expiry() -> &'static str {
    "{users:online}:by-expiry"
}

/// A user's devices online, scored by when they expire; in the slot of [`users_online`].
#[must_use]
pub fn devices(user: UserId) -> String {
    format!("{{{}}}:devices:{user}", users_online())
}

/// Users who were online, scored by when they last were; in the slot of [`users_online`].
#[must_use]
pub const fn last_seen() -> &'static str {
    "{users:online}:last-seen"
}

/// The channel of a user's presence; also as a template, with a placeholder for the user.
#[must_use]
pub fn presence_channel(user: impl Display) -> String {
    format!("user:{user}:presence")
}

/// Users typing in a conversation.
#[must_use]
pub fn typing(id: ConversationId) -> String {
    format!("conversation:{id}:typing")
}

/// Users typing in all conversations, scored by when they expire.
#[must_use]
pub const fn typing_by_expiry() -> &'static str {
    "typing:by-expiry"
}

/// One user's own typing indicator.
#[must_use]
pub fn typing_user(id: ConversationId, user: UserId) -> String {
    format!("conversation:{id}:typing:{user}")
}

/// The conversation and user of a [`typing_user`] key.
#[must_use]
pub fn parts_of_typing_user(key: &str) -> Option<(ConversationId, UserId)> {
    let (conversation, user) = key.strip_prefix("conversation:")?.split_once(":typing:")?;
    Some((conversation.parse().ok()?, user.parse().ok()?))
}

/// The channel of a conversation's typing; also as a template, with a placeholder for the conversation.
#[must_use]
pub fn typing_channel(id: impl Display) -> String {
    format!("conversation:{id}:typing")
}

/// A conversation's events. Entry ids are `{seq}-0`; typing is between, at
/// `{seq of the newest event}-{1…}`. Each entry has one field, `event`.
#[must_use]
pub fn stream(id: ConversationId) -> String {
    format!("conversation:{id}:stream")
}

/// The id of the last signal that was added to a conversation's stream.
#[must_use]
pub fn stream_signal(id: ConversationId) -> String {
    format!("{{conversation:{id}:stream}}:signal")
}

/// Set while a proxy may hold event streams of a conversation; in the slot of the stream.
#[must_use]
pub fn stream_held(id: ConversationId) -> String {
    format!("{{conversation:{id}:stream}}:held")
}

/// Set while a proxy may hold event streams of a user's feed; in the slot of the feed.
#[must_use]
pub fn feed_held(user: UserId) -> String {
    format!("{{user:{user}:feed}}:held")
}

/// All that concerns a user. Entry ids are given by Redis. Each entry has one
/// field, `event`. Its first may be a reader's mark.
#[must_use]
pub fn feed(user: UserId) -> String {
    format!("user:{user}:feed")
}

/// The seq of the last event that was added to a feed, of each conversation; and the id of the last
/// signal, of each expiring set.
#[must_use]
pub fn feed_seqs(user: UserId) -> String {
    format!("{{user:{user}:feed}}:seqs")
}

/// The leases of a user's open event streams.
#[must_use]
pub fn streams_of_user(user: UserId) -> String {
    format!("user:{user}:streams")
}

/// The leases of a user's open sockets; in the slot of the feed.
#[must_use]
pub fn sockets_of_user(user: UserId) -> String {
    format!("{{user:{user}:feed}}:sockets")
}

/// What was not published to a proxy, named by its address.
#[must_use]
pub fn backlog(proxy: &str) -> String {
    format!("messaging:proxy:{proxy}:backlog")
}

/// What the relay is to publish to all proxies, besides events.
#[must_use]
pub const fn notices() -> &'static str {
    "messaging:proxy:notices"
}

/// The epoch of the Redis that knows which users have sockets and streams at the proxies.
#[must_use]
pub const fn proxies_epoch() -> &'static str {
    "messaging:proxy:epoch"
}

/// Set while a proxy does not answer.
#[must_use]
pub fn proxy_down(proxy: &str) -> String {
    format!("{PROXY_DOWN}{proxy}")
}

const PROXY_DOWN: &str = "messaging:proxy-down:";

/// Whether a key is a [`proxy_down`] key.
#[must_use]
pub fn is_proxy_down(key: &str) -> bool {
    key.starts_with(PROXY_DOWN)
}

/// Changes of presence that the relay has yet to pass on; in the slot of [`users_online`]. Each entry
/// has one field, `event`.
#[must_use]
pub const fn presence_signals() -> &'static str {
    "{users:online}:signals"
}

/// Set by the relay that works on those.
#[must_use]
pub const fn presence_signals_lease() -> &'static str {
    "{users:online}:signals:lease"
}

/// Changes of typing that the relay has yet to pass on; in the slot of [`typing_by_expiry`]. Each entry
/// has one field, `event`.
#[must_use]
pub const fn typing_signals() -> &'static str {
    "{typing:by-expiry}:signals"
}

/// Set by the relay that works on those.
#[must_use]
pub const fn typing_signals_lease() -> &'static str {
    "{typing:by-expiry}:signals:lease"
}

/// The epoch whose cached values may be used, for as long as the key lives.
#[must_use]
pub const fn cache_lease() -> &'static str {
    "messaging:cache:lease"
}

/// For which epoch the unread counts are complete, or up to which conversation.
#[must_use]
pub const fn unread_restored() -> &'static str {
    "messaging:unread:restored"
}

/// Set by the request that wakes the relay, so that a burst of changes is one wake-up.
#[must_use]
pub const fn relay_flag() -> &'static str {
    "messaging:relay:flag"
}

/// A session.
#[must_use]
pub fn session(key: &SessionKey) -> String {
    format!("session:{}", key.as_str())
}

/// A subject's sessions.
#[must_use]
pub fn sessions_of(subject: &Subject) -> String {
    format!("sessions:{subject}")
}

/// What is revoked of a subject.
#[must_use]
pub fn revoked(subject: &Subject) -> String {
    format!("revoked:{subject}")
}

/// What was last known to be revoked of a subject.
#[must_use]
pub fn revoked_last(subject: &Subject) -> String {
    format!("{{revoked:{subject}}}:last")
}

/// An answer of the assistant, by the digest of what it depends on.
#[must_use]
pub fn assistant(id: ConversationId, digest: &str) -> String {
    format!("{{conversation:{id}}}:assistant:{digest}")
}

/// How many messages were written in an hour of UTC, `yyyymmddhh`.
#[must_use]
pub fn stats_messages(hour: &str) -> String {
    format!("stats:messages:{hour}")
}

/// The users who wrote or read on a day of UTC, `yyyymmdd`.
#[must_use]
pub fn stats_active(day: &str) -> String {
    format!("stats:active:{day}")
}

/// For which epoch these figures are counted, and up to when.
#[must_use]
pub const fn figures_counted() -> &'static str {
    "messaging:figures:counted"
}

/// Set when figures are counted: once it has expired, later changes are.
#[must_use]
pub const fn figures_due() -> &'static str {
    "messaging:figures:due"
}

/// The channel on which work for the notifier is announced.
pub const WEBHOOKS_CHANNEL: &str = "messaging:notify";

/// The receivers outside of the service that have something to get. Each entry has one field, `webhook`.
#[must_use]
pub const fn webhooks_queue() -> &'static str {
    "messaging:webhooks"
}

/// The receivers in that queue that no worker has taken; in its slot.
#[must_use]
pub const fn webhooks_queued() -> &'static str {
    "{messaging:webhooks}:queued"
}

/// What failed for the last time; in the slot of the queue. Each entry has the field `reason`, and
/// `delivery` or `webhook`.
#[must_use]
pub const fn webhooks_dead() -> &'static str {
    "{messaging:webhooks}:dead"
}

/// Set until a receiver has something to get again: its expiry wakes the notifier.
#[must_use]
pub fn webhook_due(receiver: WebhookId) -> String {
    format!("{WEBHOOK_DUE}{receiver}")
}

const WEBHOOK_DUE: &str = "messaging:webhook-due:";

/// The receiver of a [`webhook_due`] key.
#[must_use]
pub fn webhook_of_due(key: &str) -> Option<WebhookId> {
    key.strip_prefix(WEBHOOK_DUE)?.parse().ok()
}

/// Whom a one-time ticket proves, by the ticket's SHA-256.
#[must_use]
pub fn ticket(hash: impl AsRef<[u8]>) -> String {
    format!("ticket:{}", hexadecimal(hash.as_ref()))
}

/// A user's rate of requests.
#[must_use]
pub fn rate_of_user(user: UserId) -> String {
    format!("rate:user:{user}")
}

/// A back end's rate of requests, by the SHA-256 of its name.
#[must_use]
pub fn rate_of_service(hash: impl AsRef<[u8]>) -> String {
    format!("rate:service:{}", hexadecimal(hash.as_ref()))
}

/// The rate of requests from an address, for callers without an identity.
#[must_use]
pub fn rate_of_address(address: impl Display) -> String {
    format!("rate:address:{address}")
}

/// Bytes as text.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_read_back_from_their_keys() {
        let (conversation, user) = ("7".parse().unwrap(), "9".parse().unwrap());
        assert_eq!(user_of_online(&online(user)), Some(user));
        assert_eq!(
            parts_of_typing_user(&typing_user(conversation, user)),
            Some((conversation, user))
        );
        for other in [
            "users:online",
            "user:x:online",
            "conversation:7:typing",
            "conversation:7:typing:x",
        ] {
            assert_eq!(user_of_online(other), None);
            assert_eq!(parts_of_typing_user(other), None);
        }
    }
}
