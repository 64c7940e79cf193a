//! `DELETE /api/v1/sessions?userId=`

use http::header;
use messaging::api::RequestContext;
use messaging::auth::{auth_mode, cookie};
use messaging::{Result, sessions};
use platform::http::Response;

use crate::whose;

pub async fn run(context: RequestContext) -> Result<Response> {
    let subject = whose::of(&context)?;
    let current = context.authentication().session();
    let ends_itself = current.is_some_and(|current| current.subject == subject);
    sessions::end_all(subject).await?;
    if ends_itself {
        let cookie = cookie::take(auth_mode().await?);
        return Ok(Response::no_content().header(header::SET_COOKIE, cookie));
    }
    Ok(Response::no_content())
}
