//! Sealed contents: with `content_keys` set, contents of messages and titles of conversations are sealed
//! before they reach PostgreSQL, and opened where they leave the service.
//!
//! What is stored, cached and published has a sealed text in the place of a text, in the same JSON. Domain
//! functions that return what they also share return it opened; a component opens what it read.
//!
//! # Layout
//!
//! - [`Keys`]: the operator's keys. `key`: what one of them does.
//! - [`Binding`]: what a sealed text belongs to.
//! - `text`: the form of a sealed text.
//! - `json`: opening the texts of JSON.
//! - `recent`: texts that were opened lately.
//! - `digest`: how a repeated request is recognised.
//! - `unreadable`: texts that do not open, in the log.

mod binding;
mod digest;
mod json;
mod key;
mod keys;
mod recent;
#[cfg(test)]
mod tests;
mod text;
mod unreadable;

use std::cell::OnceCell;
use std::rc::Rc;

use platform::config;

pub use binding::Binding;
pub use digest::Digest;
pub(crate) use keys::LexemeForm;
pub use keys::{InvalidKeys, Keys};
pub use text::{MARK, Opened};
pub use unreadable::Unreadable;

use crate::{Error, Result};

thread_local! {
    static KEYS: OnceCell<Result<Rc<Keys>, InvalidKeys>> = const { OnceCell::new() };
}

/// The operator's keys; none where contents are not sealed. An error where they cannot be taken: then
/// nothing is written in clear that should be sealed.
pub async fn keys() -> Result<Rc<Keys>> {
    let value = config::text("content_keys").await?;
    let keys = KEYS.with(|keys| {
        keys.get_or_init(|| Keys::parse(&value).map(Rc::new))
            .clone()
    });
    keys.map_err(|reason| Error::internal(format!("the variable content_keys {reason}")))
}

/// JSON of messages and conversations as clients get it.
pub async fn open(json: String) -> Result<String> {
    Ok(keys().await?.open(json))
}

/// As [`open`], of bytes.
pub async fn open_bytes(json: Vec<u8>) -> Result<Vec<u8>> {
    Ok(keys().await?.open_bytes(json))
}
