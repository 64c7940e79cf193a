//! `POST /api/v1/messages/conversations/:id/system-message`

use messaging::Result;
use messaging::api::{RequestContext, parse_content, posted};
use messaging::messages::{self, Author, NewMessage};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    content: String,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let conversation = context.path_id("id")?;
    context.caller_by_query()?.must_be_service()?;
    let key = context.caller_key()?;
    let body: Body = context.content_json().await?;
    let new = NewMessage {
        conversation,
        author: Author::System(key),
        content: parse_content(body.content).await?,
        reply_to: None,
    };
    Ok(posted(messages::post(new).await?))
}
