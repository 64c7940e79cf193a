//! The keys that seal contents: those of the environment, or those of this checkout.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use dev_services::secret;
use messaging::sealing::Keys;

use crate::instance;

/// The file with the keys of `up --sealed`, in the form of the variable `content_keys`.
const FILE: &str = "content-keys";

/// Where an operator's keys are looked for.
const VARIABLES: [&str; 2] = ["CONTENT_KEYS", "SPIN_VARIABLE_CONTENT_KEYS"];

fn file() -> PathBuf {
    instance::directory().join(FILE)
}

/// The keys of this checkout, created if there are none.
pub fn load_or_create() -> Result<String> {
    secret::load_or(&file(), || {
        let key = secret::random_base64();
        format!(r#"[{{"id":"local","key":"{key}"}}]"#)
    })
}

/// The keys of the environment, else of this checkout; none if there are none.
pub fn of_environment() -> Result<Keys> {
    let set = VARIABLES.iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.is_empty()).then_some((*name, value))
    });
    let (name, value) = match set {
        Some(set) => set,
        None => (FILE, std::fs::read_to_string(file()).unwrap_or_default()),
    };
    Keys::parse(&value).map_err(|reason| anyhow!("{name} {reason}"))
}
