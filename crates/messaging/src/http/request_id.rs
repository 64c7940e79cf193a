//! `X-Request-Id`: echoed when the client sent a well-formed one, else made.

use std::cell::Cell;

use ::http::{HeaderMap, HeaderValue};
use spin_sdk::wasip3::random::random::get_random_u64;

/// The header's name.
pub const HEADER: &str = "x-request-id";

const MAX_LENGTH: usize = 128;

thread_local! {
    /// Tells the ids that this instance makes from those of all others.
    static INSTANCE: Cell<Option<u64>> = const { Cell::new(None) };
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// The request's id.
pub fn of(headers: &HeaderMap) -> String {
    let sent = headers.get(HEADER).and_then(well_formed);
    sent.map_or_else(make, str::to_owned)
}

fn make() -> String {
    let instance = INSTANCE.get().unwrap_or_else(|| {
        let instance = get_random_u64();
        INSTANCE.set(Some(instance));
        instance
    });
    MADE.set(MADE.get() + 1);
    format!("{instance:016x}{:016x}", MADE.get())
}

fn well_formed(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    ((1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_are_echoed() {
        assert_eq!(
            well_formed(&HeaderValue::from_static("a-1_b.c:d")),
            Some("a-1_b.c:d")
        );
        assert_eq!(well_formed(&HeaderValue::from_static("")), None);
        assert_eq!(well_formed(&HeaderValue::from_static("a b")), None);
        assert_eq!(
            well_formed(&HeaderValue::from_str(&"x".repeat(129)).unwrap()),
            None
        );
    }
}
