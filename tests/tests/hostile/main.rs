//! What nobody should send, stores that hang, and secrets that must not show.

mod connection;
mod flood;
mod hangs;
mod limits;
mod malice;
mod secrets;
