//! Requests that the service itself sends.

use std::time::Duration;

use ::http::{Request, header};
use http_body_util::Full;

use crate::clock;

/// Posts a body of JSON; the status of the response, or why there is none.
pub async fn post_json(url: &str, body: Vec<u8>, timeout: Duration) -> Result<u16, String> {
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len())
        .body(Full::new(bytes::Bytes::from(body)));
    let request = request.map_err(|error| error.to_string())?;
    match clock::timeout(timeout, spin_sdk::http::send(request)).await {
        Ok(Ok(response)) => Ok(response.status().as_u16()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(clock::Elapsed) => Err("no response in time".into()),
    }
}
