//! Identity and access: credentials, and what each caller may do.

mod callers;
mod open_mode;
mod proofs;
mod rates;
mod tickets;
pub mod world;
