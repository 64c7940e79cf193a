//! One frame of a client: `{type, ref?, …}`.

use messaging::api::{Rate, parse_content, requests_of};
use messaging::content::ClientMessageId;
use messaging::feeds::{self, FeedPage};
use messaging::gateway::Socket;
use messaging::ids::{ConversationId, MessageId};
use messaging::messages::{self, Author, NewMessage};
use messaging::{Error, Result, conversations, receipts, typing};
use platform::http::{LastEventId, parse_json};
use serde::Deserialize;

use crate::answer;

/// The longest `ref`, in characters.
const MAX_REF: usize = 64;

#[derive(Deserialize)]
struct Head {
    /// Read late, so that the answer to a frame without it repeats the reference.
    r#type: Option<String>,
    r#ref: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Post {
    conversation_id: ConversationId,
    content: String,
    client_message_id: Option<String>,
    reply_to_id: Option<MessageId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    message_id: MessageId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    conversation_id: ConversationId,
    is_typing: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resume {
    last_event_id: String,
}

/// Does what a frame says; the frames of the answer.
pub async fn answer(of: &Socket, rate: &Rate, frame: &[u8]) -> Vec<String> {
    let head = match parse_head(frame) {
        Ok(head) => head,
        Err(error) => return vec![answer::error(None, &error)],
    };
    let reference = head.r#ref.as_deref();
    let done = act(of, rate, &head, frame).await;
    done.unwrap_or_else(|error| vec![answer::error(reference, &error)])
}

fn parse_head(frame: &[u8]) -> Result<Head> {
    let head: Head = parse_json(frame)?;
    let length = head.r#ref.as_ref().map_or(1, |text| text.chars().count());
    if (1..=MAX_REF).contains(&length) {
        Ok(head)
    } else {
        Err(Error::malformed("ref", "must be 1 to 64 characters"))
    }
}

async fn act(of: &Socket, rate: &Rate, head: &Head, frame: &[u8]) -> Result<Vec<String>> {
    rate.charge(1 + requests_of(frame.len())).await?;
    let reference = head.r#ref.as_deref();
    match head.r#type.as_deref().unwrap_or_default() {
        "post" => {
            let message = post(of, parse_json(frame)?).await?;
            Ok(vec![answer::ok(reference, &[("message", &message)])])
        }
        "read" => {
            let Read { message_id } = parse_json(frame)?;
            let read_at = receipts::read(message_id, of.user).await?;
            Ok(vec![answer::ok(
                reference,
                &[("readAt", &answer::text(&read_at))],
            )])
        }
        "typing" => {
            set_typing(of, parse_json(frame)?).await?;
            Ok(vec![answer::ok(reference, &[])])
        }
        "heartbeat" => {
            let position = feeds::newest_position(of.user).await?.to_string();
            let last = answer::text(&position);
            Ok(vec![answer::ok(reference, &[("lastEventId", &last)])])
        }
        "resume" => resume(of, reference, parse_json(frame)?).await,
        _ => Err(Error::malformed("type", "is not known")),
    }
}

async fn post(of: &Socket, post: Post) -> Result<String> {
    let client_message_id = post.client_message_id.map(ClientMessageId::parse);
    let client_message_id = client_message_id
        .transpose()
        .map_err(|error| Error::invalid("clientMessageId", error))?;
    let new = NewMessage {
        conversation: post.conversation_id,
        author: Author::User(of.user, client_message_id),
        content: parse_content(post.content).await?,
        reply_to: post.reply_to_id,
    };
    Ok(messages::post(new).await?.json)
}

/// Nothing is written before it is sure that the user takes part.
async fn set_typing(of: &Socket, frame: Typing) -> Result<()> {
    conversations::visible(frame.conversation_id, Some(of.user)).await?;
    typing::set(frame.conversation_id, of.user, frame.is_typing).await
}

/// The missed events, then where the client goes on; with `more` where it has to ask again.
async fn resume(of: &Socket, reference: Option<&str>, frame: Resume) -> Result<Vec<String>> {
    let last = LastEventId::of([Some(&*frame.last_event_id)].into_iter(), None);
    let last = match last {
        // An empty id is none of a client that has one.
        LastEventId::None => LastEventId::Unknown,
        last => last,
    };
    let FeedPage {
        events,
        last,
        more,
        resync,
    } = feeds::page_after(of.user, last).await?;
    let resync = resync.then(|| answer::resync(&last));
    let events = events.iter().map(feeds::FeedEvent::to_frame);
    let last = answer::text(&last);
    let mut members = vec![("lastEventId", &*last)];
    members.extend(more.then_some(("more", "true")));
    let ok = answer::ok(reference, &members);
    Ok(resync.into_iter().chain(events).chain([ok]).collect())
}
