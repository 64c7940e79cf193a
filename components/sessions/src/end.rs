//! `DELETE /api/v1/sessions/:id?userId=`

use http::header;
use messaging::api::RequestContext;
use messaging::auth::{auth_mode, cookie};
use messaging::ids::SessionId;
use messaging::{Result, sessions};
use platform::http::Response;

use crate::whose;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: SessionId = context.path_id("id")?;
    sessions::end(&whose::of(&context)?, id).await?;
    let current = context.authentication().session();
    if current.is_some_and(|current| current.id == id) {
        let cookie = cookie::take(auth_mode().await?);
        return Ok(Response::no_content().header(header::SET_COOKIE, cookie));
    }
    Ok(Response::no_content())
}
