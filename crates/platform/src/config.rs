//! The operator's settings: Spin variables, looked up once per instance.
//!
//! `spin.toml` gives every variable its default, and each component only those that it reads;
//! asking for another is a mistake in the manifest and answers 500 with a line in the log.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::variables;

use crate::{Error, Result};

thread_local! {
    static KNOWN: RefCell<HashMap<&'static str, Rc<str>>> = RefCell::default();
}

/// A variable's text.
pub async fn text(name: &'static str) -> Result<Rc<str>> {
    if let Some(value) = KNOWN.with_borrow(|known| known.get(name).cloned()) {
        return Ok(value);
    }
    let value: Rc<str> = variables::get(name)
        .await
        .map_err(|cause| Error::internal(format!("variable {name}: {cause}")))?
        .into();
    KNOWN.with_borrow_mut(|known| known.insert(name, value.clone()));
    Ok(value)
}

/// A variable that holds a whole number.
pub async fn number(name: &'static str) -> Result<u64> {
    let value = text(name).await?;
    value
        .trim()
        .parse()
        .map_err(|_| Error::internal(format!("variable {name} is not a whole number")))
}

/// A variable that holds a number of seconds.
pub async fn seconds(name: &'static str) -> Result<Duration> {
    number(name).await.map(Duration::from_secs)
}
