//! What law firms must be able to prove: who did what, and what was written before.
//!
//! - `audit`: the trail of privileged acts, written in the transaction of each act.
//! - `holds`: while one stands, nothing of a conversation is erased.
//! - `retention`: messages that are older than their conversation's policy allows are erased.
//! - `revisions`: the texts before the present one.
//!
//! What is kept and what is erased is decided by the database's functions, under the lock of the
//! conversation's row (`migrations/V12__records.sql`).

mod audit;
mod holds;
mod retention;
mod revisions;

pub use audit::{Actor, AuditPage, audit_page};
pub use holds::{Reason, holds, place_hold, release_hold};
pub use retention::{MAX_DAYS, Retained, retain, retain_in_passing};
pub use revisions::revisions;
