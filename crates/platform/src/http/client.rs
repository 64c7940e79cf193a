//! Requests that the service itself sends.

use std::time::Duration;

use ::http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};

use crate::clock;

/// Posts a body of JSON; the status of the response, or why there is none.
pub async fn post_json(url: &str, body: Vec<u8>, timeout: Duration) -> Result<u16, String> {
    post_json_with(url, &[], body, timeout).await
}

/// Posts a body of JSON with more headers; the status of the response, or why there is none. No redirect
/// is followed, and the body of the response is not read.
pub async fn post_json_with(
    url: &str,
    headers: &[(&str, String)],
    body: Vec<u8>,
    timeout: Duration,
) -> Result<u16, String> {
    let mut request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body)));
    let request = request.map_err(|error| error.to_string())?;
    match clock::timeout(timeout, spin_sdk::http::send(request)).await {
        Ok(Ok(response)) => Ok(response.status().as_u16()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(clock::Elapsed) => Err("no response in time".into()),
    }
}

/// Why there is no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There was none in time.
    Timeout,
    /// There is none, or it is not what was asked for; says why, without its contents.
    Unusable(String),
}

/// Posts a body of JSON; the body of the response, if that is a success, of JSON, and complete. Within a
/// time and a number of bytes. Redirects are not followed.
pub async fn post_for_json(
    url: &str,
    authorization: Option<&str>,
    body: Vec<u8>,
    (timeout, longest): (Duration, usize),
) -> Result<Vec<u8>, Failure> {
    let mut request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_LENGTH, body.len());
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body)));
    let request = request.map_err(|error| Failure::Unusable(error.to_string()))?;
    clock::timeout(timeout, exchange(request, longest))
        .await
        .unwrap_or(Err(Failure::Timeout))
}

async fn exchange(
    request: Request<Full<bytes::Bytes>>,
    longest: usize,
) -> Result<Vec<u8>, Failure> {
    let unusable = |cause: String| Failure::Unusable(cause);
    let response = spin_sdk::http::send(request).await;
    let response = response.map_err(|error| unusable(error.to_string()))?;
    let status = response.status();
    if !status.is_success() {
        return Err(unusable(format!("status {status}")));
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/json")) {
        return Err(unusable("it is not JSON".into()));
    }
    let body = Limited::new(response.into_body(), longest).collect().await;
    let body = body.map_err(|error| unusable(error.to_string()))?;
    Ok(body.to_bytes().to_vec())
}
