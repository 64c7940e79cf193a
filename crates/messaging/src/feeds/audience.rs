//! From references to what each of many users receives: of an event that concerns a whole
//! conversation the text is looked up once, and the participants too.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures::future::join_all;
use platform::redis::{StreamEntry, StreamId};

use super::resolve::resolve;
use crate::events::EventHead;
use crate::ids::{ConversationId, UserId};
use crate::{Error, Result, conversations};

/// For which readers at a proxy something is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Those of a user's feed: sockets, and event streams.
    User {
        /// The user.
        user: UserId,
        /// Whether there are sockets.
        sockets: bool,
        /// Whether there may be streams.
        streams: bool,
    },
    /// Event streams of a conversation. Who opened one was let in, and is let out when they leave.
    Conversation(ConversationId),
    /// The same streams, of what is not durable.
    Signals(ConversationId),
}

/// An entry of a user's feed or a conversation's stream, to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// For whom.
    pub reader: Reader,
    /// The entry.
    pub id: StreamId,
    /// The entry before it.
    pub previous: StreamId,
    /// The reference.
    pub reference: Rc<str>,
}

/// What of each publication its user may see now; `None` if nothing.
pub async fn resolve_for(publications: &[Publication]) -> Result<Vec<Option<Rc<str>>>> {
    let texts = texts(publications).await?;
    let participants = participants(publications).await?;
    let takes_part = |user: UserId, reference: &str| {
        let Some(id) = conversation(reference) else {
            return true;
        };
        let users = participants.get(&id);
        users.is_some_and(|users| users.contains(&user))
    };
    let mut seen = Vec::new();
    for publication in publications {
        seen.push(match publication.reader {
            Reader::User { user, .. } if !takes_part(user, &publication.reference) => {
                alone(user, publication).await?
            }
            _ => texts.get(&publication.reference).cloned(),
        });
    }
    Ok(seen)
}

/// The events behind all references.
async fn texts(publications: &[Publication]) -> Result<BTreeMap<Rc<str>, Rc<str>>> {
    let references: BTreeSet<&Rc<str>> = publications.iter().map(|p| &p.reference).collect();
    let references: Vec<&Rc<str>> = references.into_iter().collect();
    let entries = (0..)
        .zip(&references)
        .map(|(major, reference)| StreamEntry {
            id: StreamId { major, minor: 0 },
            event: reference.to_string(),
        });
    let resolved = resolve(entries.collect(), None).await?;
    let text = |entry: StreamEntry| {
        let at = usize::try_from(entry.id.major).ok()?;
        Some((Rc::clone(references.get(at)?), entry.event.into()))
    };
    Ok(resolved.into_iter().filter_map(text).collect())
}

/// Who takes part now in each conversation that is referred to.
async fn participants(
    publications: &[Publication],
) -> Result<BTreeMap<ConversationId, BTreeSet<UserId>>> {
    let users = publications
        .iter()
        .filter(|p| matches!(p.reader, Reader::User { .. }));
    let mut references: Vec<&Rc<str>> = users.map(|p| &p.reference).collect();
    references.dedup();
    let ids = references.into_iter().filter_map(|r| conversation(r));
    let ids: BTreeSet<ConversationId> = ids.collect();
    let found = join_all(ids.iter().map(|id| conversations::visible(*id, None))).await;
    let mut participants = BTreeMap::new();
    for (id, found) in ids.into_iter().zip(found) {
        match found {
            Ok(found) => {
                participants.insert(id, found.participants().iter().copied().collect());
            }
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(participants)
}

fn conversation(reference: &str) -> Option<ConversationId> {
    EventHead::parse(reference)?.conversation_id
}

/// What a user may see who takes part no longer, or only since a moment.
async fn alone(user: UserId, publication: &Publication) -> Result<Option<Rc<str>>> {
    let entry = StreamEntry {
        id: publication.id,
        event: publication.reference.to_string(),
    };
    let resolved = resolve(vec![entry], Some(user)).await?;
    Ok(resolved.into_iter().next().map(|entry| entry.event.into()))
}
