//! One request, taken apart on demand.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use ::http::{Method, Uri, header};

use super::headers::Headers;
use super::incoming::{Body, BodyError};
use super::path_pattern::PathParameters;
use super::sse::LastEventId;
use crate::{Error, Result, clock};

/// How long a body may take to arrive: less than the request as a whole, so that a slow client
/// and a slow store get different answers.
const BODY_DEADLINE: Duration = Duration::from_secs(8);

/// A request. The scheme and the authority are left out: a proxy may have changed them anyway.
pub struct Request {
    pub(super) id: Rc<str>,
    pub(super) method: Method,
    /// Path and query.
    pub(super) uri: Uri,
    pub(super) headers: Headers,
    pub(super) body: Body,
    pub(super) parameters: PathParameters,
}

impl Request {
    /// The value of `X-Request-Id`: the client's, or a generated one.
    #[must_use]
    pub fn id(&self) -> Rc<str> {
        Rc::clone(&self.id)
    }

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

    /// A number in the query, within its range; what has other characters than ASCII digits is
    /// none.
    pub fn query_number(
        &self,
        name: &'static str,
        range: RangeInclusive<usize>,
    ) -> Result<Option<usize>> {
        let Some(text) = self.query_text(name) else {
            return Ok(None);
        };
        let number = parse_digits(&text).filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = range.into_inner();
            Error::malformed(name, format!("must be a number from {least} to {most}"))
        })
    }

    /// A query parameter's text.
    #[must_use]
    pub fn query_text(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.uri, name)
    }

    /// 400 if the query has a parameter twice: which of them counts would be a guess.
    pub fn must_not_repeat_parameters(&self) -> Result<()> {
        match repeated_parameter(self.uri.query().unwrap_or_default()) {
            Some(name) => Err(Error::malformed(name.into_owned(), "is given twice")),
            None => Ok(()),
        }
    }

    /// The resume position that the client of an event stream sends: the header `Last-Event-ID`,
    /// or where there is none, the query's `lastEventId`.
    #[must_use]
    pub fn last_event_id<T: FromStr>(&self) -> LastEventId<T> {
        let header = self.headers.all("last-event-id");
        LastEventId::of(header, self.query_text("lastEventId").as_deref())
    }

    /// The address that the client called, as `host` or `host:port`.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        self.body.authority()
    }

    /// How many bytes the body has, if the client declared it.
    #[must_use]
    pub fn declared_length(&self) -> Option<u64> {
        let length = self.header(header::CONTENT_LENGTH.as_str())?;
        // What no number can hold is over any limit.
        Some(length.trim().parse().unwrap_or(u64::MAX))
    }

    /// The body, which must be JSON of at most `limit` bytes. One that is refused anyway is not
    /// waited for.
    pub async fn json_body(self, limit: usize) -> Result<Vec<u8>> {
        if !self.claims_json() {
            return Err(not_json());
        }
        if self.is_encoded() {
            return Err(Error::UnsupportedMediaType(
                "The body must not have a Content-Encoding.",
            ));
        }
        self.read_body(limit, Error::TooLarge(limit)).await
    }

    /// As [`json_body`](Self::json_body); empty where the request has no body, of any media type.
    pub async fn optional_json_body(self, limit: usize) -> Result<Vec<u8>> {
        match self.declared_length() {
            Some(0) => Ok(vec![]),
            // Only reading shows whether there is a body.
            // Looking whether one comes costs as much as a round trip to Redis.
            None if !self.claims_json() => Ok(vec![]),
            _ => self.json_body(limit).await,
        }
    }

    /// The body, of any media type and at most `limit` bytes.
    pub async fn raw_body(self, limit: usize) -> Result<Vec<u8>> {
        self.read_body(limit, Error::TooLarge(limit)).await
    }

    /// Reads the body; `too_large` is the error of one with more than `limit` bytes.
    async fn read_body(self, limit: usize, too_large: Error) -> Result<Vec<u8>> {
        let declared = self.declared_length();
        let body = clock::timeout(BODY_DEADLINE, self.body.read(declared, limit)).await;
        match body.map_err(|clock::Elapsed| Error::BodyTimeout)? {
            Ok(body) => Ok(body),
            Err(BodyError::TooLarge) => Err(too_large),
            // The connection is gone: no client reads this response.
            Err(BodyError::Broken) => Err(Error::malformed("body", "ended early")),
        }
    }

    fn is_encoded(&self) -> bool {
        let mut encodings = self.headers.all(header::CONTENT_ENCODING.as_str());
        encodings
            .any(|value| value.is_none_or(|value| !value.trim().eq_ignore_ascii_case("identity")))
    }

    fn claims_json(&self) -> bool {
        let value = self.header(header::CONTENT_TYPE.as_str());
        let essence = value.unwrap_or_default().split(';').next();
        let essence = essence.unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
            || (essence.starts_with("application/") && essence.ends_with("+json"))
    }
}

const fn not_json() -> Error {
    Error::UnsupportedMediaType("The body must be application/json.")
}

/// A query parameter's text.
fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// The first name that a query has twice, unless it is too long to be repeated.
fn repeated_parameter(query: &str) -> Option<Cow<'_, str>> {
    const MAX_NAME: usize = 64;
    let mut seen = BTreeSet::new();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let repeated = names.find(|name| !seen.insert(name.clone()))?;
    Some(if repeated.len() > MAX_NAME {
        "query".into()
    } else {
        repeated
    })
}

fn parse_digits(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_given_twice_is_named() {
        assert_eq!(repeated_parameter(""), None);
        assert_eq!(repeated_parameter("limit=1&after=1"), None);
        for query in ["limit=1&limit=1", "limit=1&a=&%6cimit=2", "limit&limit"] {
            assert_eq!(
                repeated_parameter(query).as_deref(),
                Some("limit"),
                "{query}"
            );
        }
        let long = format!("{0}=1&{0}=2", "x".repeat(65));
        assert_eq!(repeated_parameter(&long).as_deref(), Some("query"));
    }

    #[test]
    fn numbers_are_ascii_digits() {
        assert_eq!(parse_digits("50"), Some(50));
        for text in [
            "",
            "+5",
            "-5",
            " 5",
            "5 ",
            "0x5",
            "٥",
            "99999999999999999999",
        ] {
            assert_eq!(parse_digits(text), None, "{text:?}");
        }
    }
}
