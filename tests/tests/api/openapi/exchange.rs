//! A response against what the document says of it.

use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use super::document::{Operation, faults, resolve};

/// Headers that HTTP itself, the host or CORS adds.
const UNDESCRIBED: [&str; 6] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "transfer-encoding",
    "vary",
];
const STREAM: &str = "text/event-stream";

/// A response that is as the document says.
#[derive(Debug)]
pub struct Exchange {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null if it has none or is a stream.
    pub json: Value,
}

/// Sends a request and checks its response; of an event stream only the head.
pub async fn exchange(operation: Operation, request: RequestBuilder) -> Exchange {
    let described = |status| operation.response(status);
    exchange_as(&operation.to_string(), described, request).await
}

/// As [`exchange`], by the description of each status.
pub async fn exchange_as(
    what: &str,
    described: impl Fn(u16) -> &'static Value,
    request: RequestBuilder,
) -> Exchange {
    let response = request.send().await.expect("a response");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().expect("text").to_owned());
    let essence = content_type
        .as_deref()
        .and_then(|text| text.split(';').next());
    let body = match essence {
        Some(STREAM) => Vec::new(),
        _ => response.bytes().await.expect("a body").to_vec(),
    };
    let place = format!("{what}: {status} {}", String::from_utf8_lossy(&body));
    let described = described(status);
    check_headers(described, &headers, &place);
    let json = check_body(described, essence, &body, &place);
    if essence == Some("application/problem+json") {
        assert_eq!(json["status"], status, "{place}");
    }
    Exchange {
        status,
        headers,
        json,
    }
}

fn check_headers(described: &'static Value, headers: &HeaderMap, place: &str) {
    let described = described["headers"].as_object().expect("headers");
    for (name, header) in described {
        let header = resolve(header);
        match headers.get(name.as_str()) {
            Some(value) => {
                let value = read(&header["schema"], value.to_str().expect("text"));
                assert_eq!(faults(&header["schema"], &value), [""; 0], "{place} {name}");
            }
            None => assert_ne!(header["required"], true, "{place} lacks {name}"),
        }
    }
    for name in headers.keys().map(|name| name.as_str()) {
        let known = described.keys().any(|key| key.eq_ignore_ascii_case(name));
        assert!(known || UNDESCRIBED.contains(&name), "{place} has {name}");
    }
}

fn read(schema: &Value, text: &str) -> Value {
    match text.parse::<u64>() {
        Ok(number) if schema["type"] == "integer" => number.into(),
        _ => text.into(),
    }
}

fn check_body(described: &'static Value, essence: Option<&str>, body: &[u8], place: &str) -> Value {
    let Some(contents) = described["content"].as_object() else {
        assert!(body.is_empty() && essence.is_none(), "{place}");
        return Value::Null;
    };
    let essence = essence.unwrap_or_else(|| panic!("{place} has no type"));
    let content = contents.get(essence);
    let content = content.unwrap_or_else(|| panic!("{place} has the type {essence}"));
    if !essence.ends_with("json") {
        return Value::Null;
    }
    let json: Value =
        serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {place}"));
    assert_eq!(faults(&content["schema"], &json), [""; 0], "{place}");
    json
}
