//! `GET /api/v1/conversations?userId=`

use http::{StatusCode, header};
use messaging::api::RequestContext;
use messaging::auth::Caller;
use messaging::conversations;
use messaging::ids::UserId;
use messaging::{Error, Result};
use platform::http::Response;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

pub async fn run(context: RequestContext) -> Result<Response> {
    let user = whose(&context)?;
    let limit = context.query_number("limit", 1..=MAX_LIMIT)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let (page, next) = conversations::of_user(user, context.query("cursor")?, limit).await?;
    let response = Response::raw_json(StatusCode::OK, format!("[{}]", page.join(",")));
    Ok(match next {
        Some(cursor) => {
            let next = format!(
                "</api/v1/conversations?userId={user}&limit={limit}&cursor={cursor}>; rel=\"next\""
            );
            response.header(header::LINK, next)
        }
        None => response,
    })
}

/// The user in the query; without one, the caller.
fn whose(context: &RequestContext) -> Result<UserId> {
    let caller = context.caller_by_query()?;
    match (context.query("userId")?, caller) {
        (Some(user), caller) => caller.must_be(user).map(|()| user),
        (None, Caller::User(user)) => Ok(user),
        (None, Caller::Service) => Err(Error::malformed("userId", "is missing")),
    }
}
