//! What grows with the data, and what must not: sums, listings, and the plans of statements.

mod listings;
mod plans;
mod sums;
pub use sums::migrated;
