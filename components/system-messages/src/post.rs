//! `POST /api/v1/messages/conversations/:id/system-message`

use http::{StatusCode, header};
use messaging::content::Content;
use messaging::http::{Call, Reply, max_content_bytes};
use messaging::messages::{self, NewMessage, Posted};
use messaging::{Error, Result, cache};
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    content: String,
}

pub async fn run(call: Call) -> Result<Reply> {
    let conversation = call.path_id("id")?;
    call.caller_by_query()?.must_be_service()?;
    let body: Body = call.content_json().await?;
    let content = Content::parse(body.content, max_content_bytes().await?)
        .map_err(|error| Error::invalid("content", error))?;
    let new = NewMessage {
        conversation,
        sender: None,
        content,
        client_message_id: None,
        reply_to: None,
    };
    match messages::post(new).await? {
        Posted::Created(change, ordinal) => {
            cache::share_new(&change, ordinal).await;
            let location = format!("/api/v1/messages/{}", change.id);
            let json = change.event.message.unwrap_or_default();
            Ok(Reply::raw_json(StatusCode::CREATED, json).header(header::LOCATION, location))
        }
        Posted::Repeated(json, _) => Ok(Reply::raw_json(StatusCode::OK, json)),
    }
}
