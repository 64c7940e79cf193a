//! `GET /api/v1/sessions?userId=`

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::sessions::{self, Listed};
use platform::http::Response;

use crate::whose;

pub async fn run(context: RequestContext) -> Result<Response> {
    let all = sessions::list(&whose::of(&context)?).await?;
    let current = context.authentication().session().map(|session| session.id);
    let marked: Vec<Listed> = all
        .into_iter()
        .map(|session| session.marked(current))
        .collect();
    Ok(Response::json(StatusCode::OK, &marked))
}
