//! Sessions: what a browser has instead of a token, and what is revoked of sessions and tokens.
//!
//! # Layout
//!
//! - [`Subject`]: whose sessions and tokens they are.
//! - [`Session`], [`SessionKey`]: a session as Redis holds it, under the hash of its secret.
//! - `store`: how it gets there and is found. [`begin`], [`end`], [`end_all`], [`revoke`]: changes.
//!   [`mod@list`]: those of a subject.
//! - [`Standing`]: what is revoked of a subject. PostgreSQL decides it; Redis holds a copy that counts
//!   like any cached right: under the present epoch, while the cache is trusted, and for a minute.
//!
//! A session is refused when it is not in Redis, when it began under an earlier generation of its
//! subject, or when it was ended by itself: the last is a row of PostgreSQL too, asked at the first use
//! under an epoch and every minute, so that a Redis that came back older revives none.

mod change;
mod list;
mod record;
mod standing;
mod store;
mod subject;

use std::time::Duration;

pub use change::{Begun, begin, end, end_all, end_by_key, revoke};
pub use list::{Listed, list};
pub use record::{Found, Session, SessionKey};
pub use standing::Standing;
pub use store::{Use, check, find};
pub use subject::Subject;

/// How long a cached answer of PostgreSQL counts. `cache::trust` does not trust the cache again before
/// what a reader cached at the time of a revocation has expired.
const RECHECK: Duration = Duration::from_secs(60);
