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

/// An entry of a user's feed, to be published to the user's sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The user.
    pub user: UserId,
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
    let sees = |publication: &Publication| match conversation(&publication.reference) {
        Some(id) => participants
            .get(&id)
            .is_some_and(|users| users.contains(&publication.user)),
        None => true,
    };
    let mut seen = Vec::new();
    for publication in publications {
        seen.push(if sees(publication) {
            texts.get(&publication.reference).cloned()
        } else {
            alone(publication).await?
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
    let mut references: Vec<&Rc<str>> = publications.iter().map(|p| &p.reference).collect();
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
async fn alone(publication: &Publication) -> Result<Option<Rc<str>>> {
    let entry = StreamEntry {
        id: publication.id,
        event: publication.reference.to_string(),
    };
    let resolved = resolve(vec![entry], Some(publication.user)).await?;
    Ok(resolved.into_iter().next().map(|entry| entry.event.into()))
}
