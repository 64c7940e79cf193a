//! `POST /api/v1/sessions`

use http::{StatusCode, header};
use messaging::api::RequestContext;
use messaging::auth::{AuthMode, Identity, auth_mode, cookie};
use messaging::content::Device;
use messaging::ids::UserId;
use messaging::{Error, Result, sessions};
use platform::http::Response;
use serde::Deserialize;

/// As how many more requests a session counts that begins: both stores keep something of it for as long
/// as it might last.
const MORE_REQUESTS: u64 = 9;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: Option<UserId>,
    device: Option<String>,
}

/// Begins a session of the caller. Its secret is always a new one, so that none that was planted in the
/// browser before is of any use after.
pub async fn run(context: RequestContext) -> Result<Response> {
    let (authentication, rate) = (context.authentication().clone(), context.rate());
    let Body { user_id, device } = context.optional_json().await?;
    let device = device
        .map(Device::parse)
        .transpose()
        .map_err(|error| Error::invalid("device", error))?;
    let mode = auth_mode().await?;
    if mode == AuthMode::Open && user_id.is_none() {
        return Err(Error::malformed("userId", "is missing"));
    }
    let subject = authentication.subject(user_id);
    if user_id.is_some() && user_id != subject.user() {
        return Err(Error::Forbidden("A session is of the caller's own."));
    }
    rate.charge(MORE_REQUESTS).await?;
    let is_service = authentication.identity == Identity::Service;
    let rights = (is_service, authentication.scopes);
    let begun = sessions::begin(subject, rights, device, &authentication.proof).await?;
    let session = begun.session;
    let location = format!("/api/v1/sessions/{}", session.id());
    let cookie = cookie::give(mode, &begun.secret, begun.lifetime);
    Ok(Response::json(StatusCode::CREATED, &session)
        .header(header::LOCATION, location)
        .header(header::SET_COOKIE, cookie))
}
