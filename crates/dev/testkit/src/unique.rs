//! Ids that no other test uses, in this binary or in another on the same stores.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Test data has ids from here up to 2^40: far above what people make by hand, and exact in the
/// double-precision numbers of JSON clients.
pub(crate) const LOWEST: i64 = 1 << 32;
const HIGHEST: i64 = 1 << 40;

static NEXT: LazyLock<AtomicI64> = LazyLock::new(|| AtomicI64::new(random_base()));

/// A user id of one's own.
pub fn unique_user() -> i64 {
    unique_id()
}

/// A number that nothing else has.
pub fn unique_id() -> i64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Where a sequence of ids may start.
pub(crate) fn random_base() -> i64 {
    fastrand::i64(LOWEST..HIGHEST)
}
