//! Ids that no other test uses, in this binary or in another on the same stores.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Test data has ids between this and 2^40: far above those of data made by hand, and exact in
/// the double-precision numbers of JSON clients.
const LOWEST: i64 = 1 << 32;
const HIGHEST: i64 = 1 << 40;

static NEXT: LazyLock<AtomicI64> = LazyLock::new(|| AtomicI64::new(random_base()));

/// The id of a user that no other test has.
pub fn unique_user() -> i64 {
    unique_id()
}

/// A number that no other test has.
pub fn unique_id() -> i64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A random start for a sequence of ids.
pub(crate) fn random_base() -> i64 {
    fastrand::i64(LOWEST..HIGHEST)
}
