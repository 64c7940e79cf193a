//! A request as the host hands it over.
//!
//! The SDK's own conversion asks the host for every part of a request, and
//! reads every body to an end of its own. Each of these is a call to the host,
//! and together they cost as much as the cache does. So only what this service
//! looks at is asked for, and a body of known length is read once.

use ::http::{Method, Uri};
use bytes::Bytes;
use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode};
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use spin_sdk::wasip3::wit_future;

use super::headers::Headers;
use super::path_pattern::PathParameters;
use super::request::Request;
use super::request_id;

/// How much of a body of unknown length is asked for at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// The body of a request, not yet asked for.
pub struct Body(wasi::Request);

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than allowed.
    TooLarge,
    /// The client broke off or broke the framing.
    Broken,
}

/// Asks the host for the parts of a request that are looked at.
pub fn receive(request: wasi::Request) -> Result<Request, ErrorCode> {
    let uri = match request.get_path_with_query() {
        Some(path) => Uri::from_maybe_shared(Bytes::from(path))
            .map_err(|_| ErrorCode::HttpRequestUriInvalid)?,
        None => Uri::default(),
    };
    let method =
        Method::try_from(request.get_method()).map_err(|_| ErrorCode::HttpRequestMethodInvalid)?;
    let headers = Headers::new(request.get_headers().copy_all());
    Ok(Request {
        id: request_id::of(&headers).into(),
        method,
        uri,
        headers,
        body: Body(request),
        parameters: PathParameters::default(),
    })
}

impl Body {
    /// The address that the client called.
    pub fn authority(&self) -> Option<String> {
        self.0.get_authority()
    }

    /// Reads it, of the `declared` length if the client declared one.
    pub async fn read(self, declared: Option<u64>, limit: usize) -> Result<Vec<u8>, BodyError> {
        let declared = within(declared, limit)?;
        let (_read, outcome) = wit_future::new(|| Ok(()));
        let (mut stream, end) = wasi::Request::consume_body(self.0, outcome);
        let mut body = Vec::with_capacity(declared.unwrap_or(CHUNK));
        while declared != Some(body.len()) {
            if body.len() == body.capacity() {
                body.reserve(CHUNK);
            }
            let (result, read) = stream.read(body).await;
            body = read;
            if body.len() > limit {
                return Err(BodyError::TooLarge);
            }
            if result == StreamResult::Dropped {
                return match (declared, end.await) {
                    (None, Ok(_)) => Ok(body),
                    _ => Err(BodyError::Broken),
                };
            }
        }
        Ok(body)
    }
}

/// The declared length, if it is within the limit. A client may declare more than this machine's
/// `usize` holds.
fn within(declared: Option<u64>, limit: usize) -> Result<Option<usize>, BodyError> {
    let fits = |length| {
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= limit)
    };
    declared
        .map(|length| fits(length).ok_or(BodyError::TooLarge))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_above_the_limit_is_too_large() {
        assert_eq!(within(None, 10), Ok(None));
        assert_eq!(within(Some(10), 10), Ok(Some(10)));
        for length in [11, 1 << 32, (1 << 32) + 1, (1 << 63) - 1, u64::MAX] {
            assert_eq!(within(Some(length), 10), Err(BodyError::TooLarge));
        }
    }
}
