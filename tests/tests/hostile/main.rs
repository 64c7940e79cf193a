//! Malicious requests, stores that hang, and secrets that must not leak.

mod connection;
mod flood;
mod hangs;
mod limits;
mod malice;
mod secrets;
