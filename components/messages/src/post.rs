//! `POST /api/v1/messages`

use messaging::api::{RequestContext, parse_content, posted};
use messaging::content::ClientMessageId;
use messaging::ids::{ConversationId, MessageId, UserId};
use messaging::messages::{self, Author, NewMessage};
use messaging::{Error, Result};
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
    identity
        .caller(Some(body.sender_id))
        .must_be(body.sender_id)?;
    let new = parse(body).await?;
    Ok(posted(messages::post(new).await?))
}

async fn parse(body: Body) -> Result<NewMessage> {
    let client_message_id = body
        .client_message_id
        .map(ClientMessageId::parse)
        .transpose()
        .map_err(|error| Error::invalid("clientMessageId", error))?;
    Ok(NewMessage {
        conversation: body.conversation_id,
        author: Author::User(body.sender_id, client_message_id),
        content: parse_content(body.content).await?,
        reply_to: body.reply_to_id,
    })
}
