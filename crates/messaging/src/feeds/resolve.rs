//! From the references that streams and feeds hold to what a client receives: the text of a message
//! as it is now, opened, and only what the client's user may see now.
//!
//! What the cache holds is used, in one round trip; one statement reads the rest.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use futures::join;
use platform::postgres::parameters::{number, numbers};
use platform::postgres::{PgFailure, Repeat, Row, query};
use platform::redis::StreamEntry;

use crate::cache::trust;
use crate::events::{Event, EventHead, EventType};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::messages::list_cache;
use crate::{RedisService, Result, conversations, sealing};

/// Resolves entries in their order. Those that the viewer may not see are left out; without a viewer
/// everything is seen.
pub async fn resolve(
    entries: Vec<StreamEntry>,
    viewer: Option<UserId>,
) -> Result<Vec<StreamEntry>> {
    let keys = sealing::keys().await?;
    let references: Vec<Option<Reference>> = entries
        .iter()
        .map(|entry| EventHead::parse(&entry.event).map(|head| Reference::of(&head)))
        .collect();
    let known: Vec<&Reference> = references.iter().flatten().collect();
    let mut facts = Facts::from_cache(viewer, &known).await;
    facts.add_from_database(viewer, &known).await?;
    let resolved = entries.into_iter().zip(&references);
    Ok(resolved
        .filter_map(|(entry, reference)| {
            let event = facts.resolve(reference.as_ref()?, entry.event)?;
            let event = keys.open(event);
            Some(StreamEntry { event, ..entry })
        })
        .collect())
}

/// What an entry refers to.
#[derive(Debug, Clone, Copy)]
struct Reference {
    event_type: Option<EventType>,
    conversation: Option<ConversationId>,
    seq: Option<Seq>,
    message: Option<MessageId>,
    user: Option<UserId>,
}

impl Reference {
    fn of(head: &EventHead<'_>) -> Self {
        Self {
            event_type: EventType::from_name(&head.name),
            conversation: head.conversation_id,
            seq: head.seq.and_then(|seq| Seq::try_from(seq).ok()),
            message: head.message_id,
            user: head.user_id,
        }
    }

    /// Where it stands among the events, if it is durable.
    fn position(&self) -> Option<(ConversationId, Seq)> {
        self.conversation.zip(self.seq)
    }
}

/// What is known of the entries at hand.
#[derive(Default)]
struct Facts {
    /// The conversations that the viewer takes part in.
    visible: BTreeSet<ConversationId>,
    /// Messages as they are now.
    messages: BTreeMap<MessageId, String>,
    /// Events as the database gave them to the viewer.
    events: BTreeMap<(ConversationId, Seq), Event>,
}

impl Facts {
    async fn from_cache(viewer: Option<UserId>, references: &[&Reference]) -> Self {
        let mut facts = Self::default();
        let conversations = references
            .iter()
            .filter_map(|reference| reference.conversation);
        let conversations: BTreeSet<_> = conversations.collect();
        let messages: BTreeSet<_> = references.iter().filter_map(|r| r.message).collect();
        if viewer.is_none() {
            facts.visible.clone_from(&conversations);
        }
        let Some(epoch) = trust::trusted().await else {
            return facts;
        };
        let redis = RedisService::optional();
        let asked = conversations.iter().filter(|_| viewer.is_some());
        let rights = asked.map(|id| conversations::cached(*id, &epoch));
        let texts = messages
            .iter()
            .map(|id| list_cache::message(redis, &epoch, *id));
        let (rights, texts) = join!(join_all(rights), join_all(texts));
        if !epoch.is_current() {
            return facts;
        }
        for (id, right) in conversations.iter().zip(rights) {
            if matches!(right, Ok(Some(conversation)) if conversation.is_visible_to(viewer)) {
                facts.visible.insert(*id);
            }
        }
        for (id, text) in messages.iter().zip(texts) {
            if let Ok(Some((_, json))) = text
                && let Ok(json) = String::from_utf8(json)
            {
                facts.messages.insert(*id, json);
            }
        }
        facts
    }

    /// Whether the cache says all there is to know of an entry.
    fn knows(&self, reference: &Reference) -> bool {
        reference
            .conversation
            .is_none_or(|id| self.visible.contains(&id))
            && reference
                .message
                .is_none_or(|id| self.messages.contains_key(&id))
    }

    async fn add_from_database(
        &mut self,
        viewer: Option<UserId>,
        references: &[&Reference],
    ) -> Result<(), PgFailure> {
        let unknown: Vec<&&Reference> = references.iter().filter(|r| !self.knows(r)).collect();
        let positions: Vec<_> = unknown.iter().filter_map(|r| r.position()).collect();
        for event in read_events(viewer, &positions).await? {
            self.events.insert((event.conversation, event.seq), event);
        }
        let transient = unknown.iter().filter(|reference| reference.seq.is_none());
        let transient: Vec<_> = transient.filter_map(|r| r.conversation).collect();
        if let Some(viewer) = viewer {
            self.visible
                .extend(read_memberships(viewer, &transient).await?);
        }
        Ok(())
    }

    /// What the client receives of an entry.
    fn resolve(&self, reference: &Reference, event: String) -> Option<String> {
        let Some(position) = reference.position() else {
            let visible = reference
                .conversation
                .is_none_or(|id| self.visible.contains(&id));
            return visible.then_some(event);
        };
        if !self.knows(reference) {
            return self.events.get(&position).map(Event::to_json);
        }
        let (conversation, seq) = position;
        let message = reference.message.and_then(|id| self.messages.get(&id));
        let event = Event {
            event_type: reference.event_type?,
            conversation,
            seq,
            message_id: reference.message,
            message: message.cloned(),
            user: reference.user,
        };
        Some(event.to_json())
    }
}

/// Events at these positions, for a service.
pub(crate) const ALL_EVENTS: &str = "
    select e.conversation_id, e.seq, e.type::text, e.message_id, message_json(m), e.user_id
    from unnest($1::bigint[], $2::bigint[]) as k (conversation_id, seq)
    join events e on e.conversation_id = k.conversation_id and e.seq = k.seq
    left join messages m on m.id = e.message_id";

/// Events at these positions, for a user. `limit 1` keeps what the user may see a look of its own for
/// each event, instead of a hash of all their conversations.
pub(crate) const EVENTS_OF_USER: &str = "
    select e.conversation_id, e.seq, e.type::text, e.message_id, message_json(m), e.user_id
    from unnest($1::bigint[], $2::bigint[]) as k (conversation_id, seq)
    join events e on e.conversation_id = k.conversation_id and e.seq = k.seq
    left join messages m on m.id = e.message_id
    left join lateral (
        select true as takes_part from participants p
        where p.conversation_id = k.conversation_id and p.user_id = $3 limit 1
    ) p on true
    left join lateral (
        select f.left_seq, l.created_at as left_at from former_participants f
        join events l on l.conversation_id = f.conversation_id and l.seq = f.left_seq
        where f.conversation_id = k.conversation_id and f.user_id = $3 limit 1
    ) f on true
    where p.takes_part
        or e.seq <= f.left_seq
            and (m.edited_at is null or m.edited_at <= f.left_at or not exists (
                select from events x
                where x.conversation_id = k.conversation_id and x.seq > f.left_seq
                    and x.message_id = m.id and x.type = 'message-edited'))";

/// Which of these conversations a user takes part in.
pub(crate) const MEMBERSHIPS: &str = "
    select p.conversation_id from unnest($2::bigint[]) k (conversation_id)
    cross join lateral (
        select p.conversation_id from participants p
        where p.conversation_id = k.conversation_id and p.user_id = $1 limit 1
    ) p";

/// Events at these positions, as far as the viewer may see them: those of conversations that they
/// take part in; of one that they left, those up to their leaving, unless the message was changed
/// since. An edit that the leaving waited for is older than it, though later than the start of its
/// transaction, which is what `created_at` holds; then the seqs decide.
async fn read_events(
    viewer: Option<UserId>,
    positions: &[(ConversationId, Seq)],
) -> Result<Vec<Event>, PgFailure> {
    if positions.is_empty() {
        return Ok(vec![]);
    }
    let mut parameters = vec![
        numbers(positions.iter().map(|(conversation, _)| conversation.get())),
        numbers(positions.iter().map(|(_, seq)| seq.get())),
    ];
    let statement = match viewer {
        None => ALL_EVENTS,
        Some(user) => {
            parameters.push(number(user.get()));
            EVENTS_OF_USER
        }
    };
    let rows = query(Repeat::Safe, statement, parameters).await?;
    rows.into_iter().map(event).collect()
}

fn event(mut row: Row) -> Result<Event, PgFailure> {
    let (conversation, seq): (ConversationId, Seq) = (row.take()?, row.take()?);
    let name: String = row.take()?;
    let wrong = || PgFailure::Failed("an event has an unknown type".into());
    Ok(Event {
        event_type: EventType::from_name(&name).ok_or_else(wrong)?,
        conversation,
        seq,
        message_id: row.take()?,
        message: row.take()?,
        user: row.take()?,
    })
}

/// Which of these conversations a user takes part in.
async fn read_memberships(
    user: UserId,
    conversations: &[ConversationId],
) -> Result<Vec<ConversationId>, PgFailure> {
    if conversations.is_empty() {
        return Ok(vec![]);
    }
    let ids = numbers(conversations.iter().map(|id| id.get()));
    let rows = query(Repeat::Safe, MEMBERSHIPS, vec![number(user.get()), ids]).await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}
