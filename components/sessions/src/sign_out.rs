//! `DELETE /api/v1/sessions/current`

use http::header;
use messaging::api::RequestContext;
use messaging::auth::{auth_mode, cookie};
use messaging::{Result, sessions};
use platform::http::Response;

/// Ends the session that the request came with. One without has none, which is what it asked for.
pub async fn run(context: RequestContext) -> Result<Response> {
    if let Some(session) = context.authentication().session() {
        sessions::end_by_key(&session.subject, session.id, &session.key).await?;
    }
    let cookie = cookie::take(auth_mode().await?);
    Ok(Response::no_content().header(header::SET_COOKIE, cookie))
}
