//! A response, before it becomes bytes.

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use spin_sdk::http::BoxBody;
use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode};

use super::{outgoing, request_id};

/// A response: status, headers, and a body that is whole or a stream.
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    /// Why it is an error, for the log.
    cause: Option<String>,
}

enum Body {
    /// Of a response to `HEAD`.
    None,
    Whole(Vec<u8>),
    Stream(BoxBody),
}

impl Response {
    /// A value as JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => Self::raw_json(status, json),
            // Only a map with keys that are no strings, or a failing `Serialize`, gets here.
            Err(_) => Self::raw_json(StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        }
    }

    /// Bytes that are JSON already.
    pub fn raw_json(status: StatusCode, json: impl Into<Vec<u8>>) -> Self {
        Self::whole(status, "application/json", json)
    }

    /// A whole body of any type.
    pub fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self {
            status,
            headers,
            body: Body::Whole(body.into()),
            cause: None,
        }
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// 304: the client has it.
    #[must_use]
    pub fn not_modified() -> Self {
        Self::empty(StatusCode::NOT_MODIFIED)
    }

    fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Whole(Vec::new()),
            cause: None,
        }
    }

    /// 200 with a body that goes out as it comes into being.
    #[must_use]
    pub fn stream(content_type: &'static str, body: BoxBody) -> Self {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self {
            status: StatusCode::OK,
            headers,
            body: Body::Stream(body),
            cause: None,
        }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Why it is an error, if the log has to say so.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The same response with a cause for the log.
    #[must_use]
    pub(super) fn with_cause(mut self, cause: Option<String>) -> Self {
        self.cause = cause;
        self
    }

    /// The response to `HEAD`: the headers of this one, without its body.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        if let Body::Whole(body) = &self.body {
            let length = body.len();
            self.headers.insert(header::CONTENT_LENGTH, length.into());
        }
        self.body = Body::None;
        self
    }

    /// A header's value.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.get(name)
    }

    /// Sets a header, unless the response has it already.
    #[must_use]
    pub fn default_header(self, name: HeaderName, value: &'static str) -> Self {
        if self.headers.contains_key(&name) {
            return self;
        }
        self.header(name, value)
    }

    /// Sets a header. A value that cannot be one is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }

    pub(super) fn into_response(self, request_id: &str) -> Result<wasi::Response, ErrorCode> {
        let Self {
            status,
            mut headers,
            body,
            ..
        } = self.header(HeaderName::from_static(request_id::HEADER), request_id);
        match body {
            Body::Whole(body) => {
                // RFC 9110 forbids it with 204, and with 304 unless it is that of the body.
                if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
                    headers.insert(header::CONTENT_LENGTH, body.len().into());
                }
                outgoing::whole(status, &headers, body)
            }
            Body::None => outgoing::whole(status, &headers, Vec::new()),
            Body::Stream(body) => outgoing::stream(status, headers, body),
        }
    }
}
