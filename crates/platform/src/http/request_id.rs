//! `X-Request-Id`: echoed when the client sent a well-formed one, else generated.

use std::cell::Cell;

use spin_sdk::wasip3::random::random::get_random_u64;

use super::Headers;

/// The header's name.
pub const HEADER: &str = "x-request-id";

const MAX_LENGTH: usize = 128;

thread_local! {
    /// Distinguishes the ids that this instance generates from those of all others.
    static INSTANCE: Cell<Option<u64>> = const { Cell::new(None) };
    static GENERATED: Cell<u64> = const { Cell::new(0) };
}

/// The request's id.
pub fn of(headers: &Headers) -> String {
    let sent = headers.get(HEADER).filter(|id| is_well_formed(id));
    sent.map_or_else(generate, str::to_owned)
}

fn generate() -> String {
    let instance = INSTANCE.get().unwrap_or_else(|| {
        let instance = get_random_u64();
        INSTANCE.set(Some(instance));
        instance
    });
    GENERATED.set(GENERATED.get() + 1);
    format!("{instance:016x}{:016x}", GENERATED.get())
}

fn is_well_formed(id: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_are_echoed() {
        assert!(is_well_formed("a-1_b.c:d"));
        assert!(!is_well_formed(""));
        assert!(!is_well_formed("a b"));
        assert!(!is_well_formed(&"x".repeat(MAX_LENGTH + 1)));
    }
}
