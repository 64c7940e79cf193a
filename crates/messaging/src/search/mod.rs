//! Searching messages by their words.
//!
//! # Layout
//!
//! - `words`: how a text is cut into words, and which words are the same.
//! - `query`: the query language.
//! - `lexemes`: words as PostgreSQL's index has them.
//! - `matching`: whether a content matches, and its highlights.
//! - `find`: the statements. `cursor`: where a page of results begins. `time`: the times of a query.

mod cursor;
mod find;
mod lexemes;
mod matching;
mod query;
mod time;
mod words;

pub use cursor::{Cursor, Sort};
pub use find::{Filter, Found, Page, Scope, find};
pub use lexemes::tsvector;
pub use matching::Highlight;
pub use query::{InvalidQuery, Query};
pub use time::Time;
