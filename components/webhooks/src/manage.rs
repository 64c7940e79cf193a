//! `GET /api/v1/webhooks`, and `GET`, `DELETE`, `POST …/rotate` of one.

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::webhooks;
use platform::http::Response;

pub async fn list(_: RequestContext) -> Result<Response> {
    Ok(Response::json(StatusCode::OK, &webhooks::list().await?))
}

pub async fn get(context: RequestContext) -> Result<Response> {
    let webhook = webhooks::get(context.path_id("id")?).await?;
    Ok(Response::json(StatusCode::OK, &webhook))
}

pub async fn delete(context: RequestContext) -> Result<Response> {
    webhooks::delete(context.path_id("id")?).await?;
    Ok(Response::no_content())
}

pub async fn rotate(context: RequestContext) -> Result<Response> {
    let rotated = webhooks::rotate(context.path_id("id")?).await?;
    Ok(Response::json(StatusCode::OK, &rotated))
}
