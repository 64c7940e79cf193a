//! `docs/openapi.json` and the service say the same.
//!
//! - `document`: the document, and JSON against its schemas.
//! - `agreement`: it has the routes, their security, and the errors that there are.
//! - `exchange`: a response against what the document says of it.
//! - `responses`: each described response is provoked, for each operation that describes it.
//! - `members`: what is optional in a response is there at times.
//! - `requests`: each described parameter and member is read.
//! - `feeds`: what event streams carry.

mod agreement;
mod document;
mod exchange;
mod feeds;
mod members;
mod requests;
mod responses;
