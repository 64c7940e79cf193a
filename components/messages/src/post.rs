//! `POST /api/v1/messages`

use http::StatusCode;
use messaging::api::{RequestContext, created, parse_content};
use messaging::content::ClientMessageId;
use messaging::ids::{ConversationId, MessageId, UserId};
use messaging::messages::{self, NewMessage, Posted};
use messaging::{Error, Result, cache};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    conversation_id: ConversationId,
    sender_id: UserId,
    content: String,
    client_message_id: Option<String>,
    reply_to_id: Option<MessageId>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let identity = context.identity();
    let body: Body = context.content_json().await?;
    let conversation = body.conversation_id;
    identity
        .caller(Some(body.sender_id))
        .must_be(body.sender_id)?;
    match messages::post(parse(body).await?).await? {
        Posted::Created(change, ordinal) => {
            cache::share_new(&change, ordinal).await;
            let location = format!("/api/v1/messages/{}", change.id);
            Ok(created(change.event.message.unwrap_or_default(), location))
        }
        Posted::Repeated(json, ordinal) => {
            cache::share_again(conversation, ordinal, &json).await;
            Ok(Response::raw_json(StatusCode::OK, json))
        }
    }
}

async fn parse(body: Body) -> Result<NewMessage> {
    let content = parse_content(body.content).await?;
    let client_message_id = body
        .client_message_id
        .map(ClientMessageId::parse)
        .transpose()
        .map_err(|error| Error::invalid("clientMessageId", error))?;
    Ok(NewMessage {
        conversation: body.conversation_id,
        sender: Some(body.sender_id),
        content,
        client_message_id,
        reply_to: body.reply_to_id,
    })
}
