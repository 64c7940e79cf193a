//! Analytics: how many messages were written, and how many users are active.
//!
//! # Layout
//!
//! - [`messages`], [`active_users`]: exact figures of any time, from PostgreSQL.
//! - `live`: the figures of the newest hours and days in Redis, for dashboards that read them there.
//! - [`Bucket`], [`Range`], [`Window`]: of which time.

mod exact;
mod live;
mod range;

pub use exact::{Messages, active_users, messages};
pub use live::count_live;
pub use range::{Bucket, Range, Window};
