//! `POST /api/v1/messages`

use http::{StatusCode, header};
use messaging::content::{ClientMessageId, Content};
use messaging::http::{Call, Reply, max_content_bytes};
use messaging::ids::{ConversationId, MessageId, UserId};
use messaging::messages::{self, NewMessage, Posted};
use messaging::{Error, Result, cache};
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

pub async fn run(call: Call) -> Result<Reply> {
    let identity = call.identity();
    let body: Body = call.content_json().await?;
    let conversation = body.conversation_id;
    identity
        .caller(Some(body.sender_id))
        .must_be(body.sender_id)?;
    match messages::post(parse(body).await?).await? {
        Posted::Created(change, ordinal) => {
            cache::share_new(&change, ordinal).await;
            let location = format!("/api/v1/messages/{}", change.id);
            let json = change.event.message.unwrap_or_default();
            Ok(Reply::raw_json(StatusCode::CREATED, json).header(header::LOCATION, location))
        }
        Posted::Repeated(json, ordinal) => {
            cache::share_again(conversation, ordinal, &json).await;
            Ok(Reply::raw_json(StatusCode::OK, json))
        }
    }
}

async fn parse(body: Body) -> Result<NewMessage> {
    let content = Content::parse(body.content, max_content_bytes().await?)
        .map_err(|error| Error::invalid("content", error))?;
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
