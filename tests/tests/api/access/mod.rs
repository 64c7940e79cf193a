//! Identity and access: what proves who calls, and what that allows.

mod callers;
mod proofs;
mod rates;
mod tickets;
mod world;
