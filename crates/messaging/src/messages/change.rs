//! Changing: edits and deletions.

use std::rc::Rc;

use futures::FutureExt;
use platform::postgres::parameters::{number, optional_number, text};
use platform::postgres::{ParameterValue, Repeat, Row, query_one};

use super::list_cache::{self, Fresh};
use super::not_found;
use crate::cache::{self, Epoch, share};
use crate::content::Content;
use crate::events::{Event, EventType};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::sealing::{self, Binding, Keys};
use crate::{Error, Result, search};

/// Changes a message's content and shares that; only for its sender, or a service. Its JSON.
pub async fn edit(id: MessageId, caller: Option<UserId>, content: Content) -> Result<String> {
    const EDIT: &str = "
        select outcome, conversation_id, seq, message, version
        from edit_indexed_message($1, $2, $3::text, $4::text)";
    let keys = sealing::keys().await?;
    let words = search::tsvector(content.as_str(), &keys);
    let content = if keys.is_on() {
        sealed(&keys, id, caller, &content).await?
    } else {
        content.into_string()
    };
    let parameters = vec![
        number(id.get()),
        optional_number(caller.map(UserId::get)),
        text(content),
        text(words),
    ];
    let change = change(EDIT, parameters, id, EventType::MessageEdited).await?;
    Ok(keys.open(change.json.to_string()))
}

/// A new content, sealed for its message. The content that the message has already is given as it is
/// stored, and the same new one is the same each time: by that the database knows what changes nothing.
async fn sealed(
    keys: &Keys,
    id: MessageId,
    caller: Option<UserId>,
    content: &Content,
) -> Result<String> {
    const PLACE: &str = "
        select m.conversation_id, m.sender_id, m.content from messages m
        where m.id = $1 and ($2::bigint is null or takes_part(m.conversation_id, $2))";
    let parameters = vec![number(id.get()), optional_number(caller.map(UserId::get))];
    let row = query_one(Repeat::Safe, PLACE, parameters).await?;
    let mut row = row.ok_or(not_found())?;
    let binding = Binding::Content(row.take()?, row.take()?);
    let present: Option<String> = row.take()?;
    Ok(keys.seal_again(present, id.get(), content.as_str(), binding))
}

/// Makes a message a tombstone and shares that; only for its sender, or a service.
pub async fn delete(id: MessageId, caller: Option<UserId>) -> Result<()> {
    const DELETE: &str = "
        select outcome, conversation_id, seq, message, version from delete_message($1, $2)";
    let parameters = vec![number(id.get()), optional_number(caller.map(UserId::get))];
    change(DELETE, parameters, id, EventType::MessageDeleted).await?;
    Ok(())
}

/// A message as it is after a change, which this request or an earlier one made.
#[derive(Debug, Clone)]
struct Change {
    id: MessageId,
    event_type: EventType,
    conversation: ConversationId,
    seq: Option<Seq>,
    json: Rc<str>,
    version: i64,
}

async fn change(
    statement: &'static str,
    parameters: Vec<ParameterValue>,
    id: MessageId,
    event_type: EventType,
) -> Result<Change> {
    let epoch = cache::epoch_before_change().await;
    let row = query_one(Repeat::Safe, statement, parameters).await?;
    let row = row.ok_or_else(|| Error::internal("a change gave no row"))?;
    let change = Change::read(row, id, event_type)?;
    share_change(change.clone(), epoch).await;
    Ok(change)
}

impl Change {
    fn read(mut row: Row, id: MessageId, event_type: EventType) -> Result<Self> {
        let outcome: String = row.take()?;
        match &*outcome {
            "done" | "unchanged" => Ok(Self {
                id,
                event_type,
                conversation: row.take()?,
                seq: row.take()?,
                json: row.take::<String>()?.into(),
                version: row.take()?,
            }),
            "no_message" => Err(row.refusal(not_found())),
            "not_the_sender" => Err(Error::Forbidden("Only its sender changes a message.")),
            "deleted" => Err(row.refusal(Error::Conflict("The message was deleted."))),
            other => Err(Error::internal(format!(
                "a change of a message: outcome {other}"
            ))),
        }
    }

    fn event(&self) -> Option<Event> {
        Some(Event {
            event_type: self.event_type,
            conversation: self.conversation,
            seq: self.seq?,
            message_id: Some(self.id),
            message: Some(self.json.to_string()),
            user: None,
        })
    }
}

/// What the cache holds of the message is out of date, whether this request changed it or an earlier
/// one whose acknowledgement was lost.
async fn share_change(change: Change, before: Option<Epoch>) {
    let Ok(ttl) = cache::message_ttl().await else {
        return;
    };
    let fresh = Fresh::begin();
    share::share(move |redis| {
        let (single, before) = (change.clone(), before.clone().filter(|_| fresh.take()));
        let set = async move {
            let message = (single.id, single.version, &*single.json);
            list_cache::share_message(redis, before.as_ref(), message, ttl).await
        };
        let mut steps = share::publish_if(redis, change.event().as_ref());
        steps.push(list_cache::drop_list(redis, change.conversation).boxed_local());
        steps.push(set.boxed_local());
        steps
    })
    .await;
}
