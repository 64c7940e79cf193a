//! `docs/openapi.json` and the service say the same.
//!
//! - `document`: the document, and JSON against its schemas.
//! - `agreement`: it has the routes, their security, and the errors that there are.
//! - `exchange`: a response against what the document says of it.
//! - `responses`: each described response is provoked, for each operation that describes it.
//! - `requests`: each described parameter and member is read.
//! - `feeds`: what event streams carry.

mod agreement;
mod document;
mod exchange;
mod feeds;
mod requests;
mod responses;
