//! `GET /api/v1/conversations?userId=`

use http::{StatusCode, header};
use messaging::auth::Caller;
use messaging::conversations;
use messaging::http::{Call, Reply};
use messaging::ids::UserId;
use messaging::{Error, Result};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

pub async fn run(call: Call) -> Result<Reply> {
    let user = whose(&call)?;
    let limit = match call.query("limit")?.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => limit,
        _ => {
            return Err(Error::malformed(
                "limit",
                format!("must be from 1 to {MAX_LIMIT}"),
            ));
        }
    };
    let (page, next) = conversations::of_user(user, call.query("cursor")?, limit).await?;
    let reply = Reply::raw_json(StatusCode::OK, format!("[{}]", page.join(",")));
    Ok(match next {
        Some(cursor) => {
            let next = format!(
                "</api/v1/conversations?userId={user}&limit={limit}&cursor={cursor}>; rel=\"next\""
            );
            reply.header(header::LINK, next)
        }
        None => reply,
    })
}

/// The user in the query; without one, the caller.
fn whose(call: &Call) -> Result<UserId> {
    let caller = call.caller_by_query()?;
    match (call.query("userId")?, caller) {
        (Some(user), caller) => caller.must_be(user).map(|()| user),
        (None, Caller::User(user)) => Ok(user),
        (None, Caller::Service) => Err(Error::malformed("userId", "is missing")),
    }
}
