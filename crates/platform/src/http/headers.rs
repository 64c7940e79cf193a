//! The header fields of a request, as the host hands them over: a handful, of
//! which most are never looked at, so that a search is quicker than a map.

/// Names with their values, in the order of the request.
#[derive(Debug, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// These fields.
    #[must_use]
    pub const fn new(fields: Vec<(String, Vec<u8>)>) -> Self {
        Self(fields)
    }

    /// All values of a field; one that is not plain text is `None`.
    pub fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = Option<&str>> {
        let named = move |(field, _): &&(String, Vec<u8>)| field.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|(_, value)| text(value))
    }

    /// The text of a field's first value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()?
    }

    /// What the host says of the request: it appends its fields to those that the
    /// client sent, which may have the same names.
    #[must_use]
    pub fn of_host(&self, name: &str) -> Option<&str> {
        self.all(name).next_back()?
    }
}

/// A value's text, if it holds visible ASCII, blanks and tabs only (RFC 9110, 5.5).
fn text(value: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    value
        .iter()
        .all(plain)
        .then(|| str::from_utf8(value).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &[u8])]) -> Headers {
        let owned = |(name, value): &(&str, &[u8])| ((*name).to_owned(), value.to_vec());
        Headers::new(fields.iter().map(owned).collect())
    }

    #[test]
    fn a_client_cannot_speak_for_the_host() {
        assert_eq!(headers(&[]).of_host("spin-matched-route"), None);
        let headers = headers(&[
            ("spin-matched-route", b"/client"),
            ("spin-matched-route", b"/host"),
        ]);
        assert_eq!(headers.of_host("spin-matched-route"), Some("/host"));
        assert_eq!(headers.get("spin-matched-route"), Some("/client"));
    }

    #[test]
    fn names_have_no_case_and_values_are_plain_text() {
        let headers = headers(&[("Accept", b"a/b,\tc"), ("x", b"\xfc"), ("y", b"a\0")]);
        assert_eq!(headers.get("accept"), Some("a/b,\tc"));
        assert_eq!((headers.get("x"), headers.get("y")), (None, None));
        assert_eq!(headers.all("x").count(), 1);
    }
}
