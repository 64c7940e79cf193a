//! `POST /api/v1/messages/conversations/:id/system-message`

use http::StatusCode;
use messaging::api::{RequestContext, created, parse_content};
use messaging::messages::{self, NewMessage, Posted};
use messaging::{Result, cache};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    content: String,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let conversation = context.path_id("id")?;
    context.caller_by_query()?.must_be_service()?;
    let body: Body = context.content_json().await?;
    let content = parse_content(body.content).await?;
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
            Ok(created(change.event.message.unwrap_or_default(), location))
        }
        Posted::Repeated(json, _) => Ok(Response::raw_json(StatusCode::OK, json)),
    }
}
