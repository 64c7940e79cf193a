//! Lua scripts.

use super::Repeat;

/// A Lua script on keys of one hash slot, so that it runs on a cluster too. Its file says what its
/// KEYS and ARGV are.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    pub(super) source: &'static str,
    pub(super) repeat: Repeat,
}

impl Script {
    /// A script that may run twice without a visible effect.
    #[must_use]
    pub const fn idempotent(source: &'static str) -> Self {
        let repeat = Repeat::Safe;
        Self { source, repeat }
    }

    /// A script whose second run would have a second effect.
    #[must_use]
    pub const fn once(source: &'static str) -> Self {
        let repeat = Repeat::Unsafe;
        Self { source, repeat }
    }
}
