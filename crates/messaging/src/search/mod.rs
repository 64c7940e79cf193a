//! Searching messages by their words.
//!
//! # Layout
//!
//! - `words`: how a text is cut into words, and which words are the same.
//! - `query`: the query language.
//! - `lexemes`: words as PostgreSQL's index has them.
//! - `matching`: whether a content matches, and its highlights.

mod lexemes;
mod matching;
mod query;
mod words;

pub use lexemes::tsvector;
pub use matching::Highlight;
pub use query::{InvalidQuery, Query};
