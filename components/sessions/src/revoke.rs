//! `POST /api/v1/sessions/revoke`

use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::sessions::{self, Subject};
use messaging::{Error, Result};
use platform::clock;
use platform::http::Response;
use serde::Deserialize;

/// How far the clocks of the caller and of the service may be apart, in ms.
const LEEWAY: i64 = 30_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: UserId,
    tokens_issued_before: Option<String>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let identity = context.identity();
    let body: Body = context.json().await?;
    identity.caller(None).must_be_service()?;
    let before = match body.tokens_issued_before {
        Some(text) => parse(&text)?,
        None => clock::unix_ms(),
    };
    sessions::revoke(Subject::User(body.user_id), before).await?;
    Ok(Response::no_content())
}

/// What is refused stays refused, so a time to come would lock the user out.
fn parse(text: &str) -> Result<i64> {
    const FIELD: &str = "tokensIssuedBefore";
    let at = clock::unix_ms_of_rfc3339(text)
        .ok_or_else(|| Error::malformed(FIELD, "must be a time in RFC 3339"))?;
    if at > clock::unix_ms() + LEEWAY {
        return Err(Error::invalid(FIELD, "must not be in the future"));
    }
    Ok(at)
}
