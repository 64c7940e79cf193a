//! A response as the host takes it over.
//!
//! The SDK's own conversion copies every header twice and the body once, on its
//! way through types that are made for bodies of any kind. Here a whole body is
//! handed over as it is.

use ::http::{HeaderMap, Response, StatusCode};
use spin_sdk::http::{BoxBody, IntoResponse};
use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

/// A response whose body is there.
pub fn whole(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<wasi::Response, ErrorCode> {
    let entry = |(name, value): (&::http::HeaderName, &::http::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    let entries: Vec<_> = headers.iter().map(entry).collect();
    let headers = wasi::Fields::from_list(&entries)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    let (mut writer, contents) = wit_stream::new();
    let (response, _sent) = wasi::Response::new(headers, Some(contents), no_trailers);
    if status != StatusCode::OK {
        // It refuses what is no status, and a `StatusCode` is one.
        let _ = response.set_status_code(status.as_u16());
    }
    spawn(async move {
        // A client that has left reads neither.
        let _unread = writer.write_all(body).await;
        drop(writer);
        let _ = trailers.write(Ok(None)).await;
    });
    Ok(response)
}

/// A response whose body comes into being as it is read.
pub fn stream(
    status: StatusCode,
    headers: HeaderMap,
    body: BoxBody,
) -> Result<wasi::Response, ErrorCode> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.into_response()
}
