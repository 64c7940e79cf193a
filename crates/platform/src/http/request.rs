//! One request, taken apart on demand.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use ::http::{Method, Uri, header};
use serde::de::DeserializeOwned;

use super::headers::Headers;
use super::incoming::{Body, BodyError};
use super::path_pattern::PathParameters;
use crate::{Error, Result, clock};

/// How long a body may take to arrive: less than the request as a whole, so that a slow client
/// and a slow store get different answers.
const BODY_DEADLINE: Duration = Duration::from_secs(8);

/// A request. The scheme and the authority are left out: a proxy may have changed them anyway.
pub struct Request {
    pub(super) method: Method,
    /// Path and query.
    pub(super) uri: Uri,
    pub(super) headers: Headers,
    pub(super) body: Body,
    pub(super) parameters: PathParameters,
}

impl Request {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path as the client sent it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The header fields.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// What the host says of the request.
    #[must_use]
    pub fn host_header(&self, name: &str) -> Option<&str> {
        self.headers.of_host(name)
    }

    /// The same request with the parameters of the route that it matched.
    #[must_use]
    pub fn with_parameters(mut self, parameters: PathParameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// Whether the path has a segment of this name in its route.
    #[must_use]
    pub fn has_path_parameter(&self, name: &str) -> bool {
        self.parameters.get(name).is_some()
    }

    /// An id in the path, by its name in the route.
    pub fn path_id<T>(&self, name: &'static str) -> Result<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.parameters.get(name).unwrap_or_default();
        text.parse().map_err(|error| Error::malformed(name, error))
    }

    /// A query parameter, if it is there.
    pub fn query<T>(&self, name: &'static str) -> Result<Option<T>>
    where
        T: FromStr<Err: Display>,
    {
        self.query_text(name)
            .map(|text| text.parse().map_err(|error| Error::malformed(name, error)))
            .transpose()
    }

    /// A query parameter that must be there.
    pub fn required_query<T>(&self, name: &'static str) -> Result<T>
    where
        T: FromStr<Err: Display>,
    {
        self.query(name)?
            .ok_or_else(|| Error::malformed(name, "is missing"))
    }

    /// A query parameter's text.
    #[must_use]
    pub fn query_text(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.uri, name)
    }

    /// The body as JSON of at most `limit` bytes.
    pub async fn json_within<T: DeserializeOwned>(self, limit: usize) -> Result<T> {
        if !self.claims_json() {
            return Err(Error::UnsupportedMediaType(
                "The body must be application/json.",
            ));
        }
        let declared = self.header(header::CONTENT_LENGTH.as_str());
        let declared = declared.and_then(|length| length.parse().ok());
        let body = clock::timeout(BODY_DEADLINE, self.body.read(declared, limit)).await;
        match body.map_err(|clock::Elapsed| Error::BodyTimeout)? {
            Ok(body) => parse(&body),
            Err(BodyError::TooLarge) => Err(Error::TooLarge(limit)),
            // Nobody reads this answer.
            Err(BodyError::Broken) => Err(Error::malformed("body", "ended early")),
        }
    }

    fn claims_json(&self) -> bool {
        let value = self.header(header::CONTENT_TYPE.as_str());
        let essence = value.unwrap_or_default().split(';').next();
        let essence = essence.unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
            || (essence.starts_with("application/") && essence.ends_with("+json"))
    }
}

/// A query parameter's text.
fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// Reads JSON; the answer to a mistake names the member and never repeats its value.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let text = str::from_utf8(body).map_err(|_| Error::malformed("body", "is not UTF-8"))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body".to_owned() } else { path };
        Error::malformed(field, explain(error.inner()))
    })?;
    deserializer
        .end()
        .map_err(|_| Error::malformed("body", "is not JSON"))?;
    Ok(value)
}

fn explain(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let text = error.to_string();
    match error.classify() {
        Category::Data if text.starts_with("missing field") => text
            .split(" at line")
            .next()
            .unwrap_or_default()
            .replace('`', ""),
        Category::Data if text.starts_with("must be") => {
            text.split(" at line").next().unwrap_or_default().to_owned()
        }
        Category::Data => "has the wrong type".into(),
        _ => "is not JSON".into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Thing {
        #[serde(rename = "userId")]
        _user_id: std::num::NonZeroU32,
    }

    fn fault(body: &[u8]) -> (String, String) {
        match parse::<Thing>(body) {
            Err(Error::Malformed(mut errors)) => {
                let error = errors.remove(0);
                (error.field.into_owned(), error.message)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mistake_names_the_member_and_keeps_its_value_out() {
        assert_eq!(
            fault(br#"{"userId":"s3cret"}"#),
            ("userId".into(), "has the wrong type".into())
        );
        assert_eq!(fault(br#"{"userId":0}"#).0, "userId");
        assert_eq!(fault(b"{}"), ("body".into(), "missing field userId".into()));
        assert_eq!(fault(b"{").1, "is not JSON");
        assert_eq!(fault(br#"{"userId":1} x"#).1, "is not JSON");
    }

    #[test]
    fn json_is_nested_as_deep_as_it_likes_without_harm() {
        let nested = "[".repeat(100_000) + &"]".repeat(100_000);
        let body = format!(r#"{{"userId":{nested}}}"#);
        assert_eq!(fault(body.as_bytes()).0, "userId");
        // A member that nobody reads is passed over without recursion.
        let body = format!(r#"{{"userId":1,"other":{nested}}}"#);
        assert!(parse::<Thing>(body.as_bytes()).is_ok());
        // One that is read as any value has serde_json's limit of 128.
        assert!(parse::<serde_json::Value>(nested.as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_utf8_is_refused_wherever_it_is() {
        let body = b"{\"userId\":1,\"other\":\"\xff\"}";
        assert_eq!(fault(body), ("body".into(), "is not UTF-8".into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_malformed(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Err(error) = parse::<Thing>(&body) {
                prop_assert!(matches!(error, Error::Malformed(_)));
            }
        }
    }
}
