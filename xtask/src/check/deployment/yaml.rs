//! Values in YAML documents.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_yaml_ng::Value;

/// The value at a path of keys.
pub fn at<'a>(document: &'a Value, path: &[&str]) -> Result<&'a Value> {
    path.iter()
        .try_fold(document, |value, key| value.get(key))
        .with_context(|| format!("{} is missing", path.join(".")))
}

/// The string at a path of keys.
pub fn text<'a>(document: &'a Value, path: &[&str]) -> Result<&'a str> {
    at(document, path)?
        .as_str()
        .with_context(|| format!("{} is not a string", path.join(".")))
}

/// The items of the list at a path of keys.
pub fn list<'a>(document: &'a Value, path: &[&str]) -> Result<&'a [Value]> {
    let list = at(document, path)?.as_sequence();
    Ok(list.with_context(|| format!("{} is not a list", path.join(".")))?)
}

/// The list of strings at a path of keys.
pub fn texts(document: &Value, path: &[&str]) -> Result<Vec<String>> {
    list(document, path)?
        .iter()
        .map(|item| item.as_str().map(str::to_string))
        .collect::<Option<_>>()
        .with_context(|| format!("{} has an item that is not a string", path.join(".")))
}

/// The map from strings to strings at a path of keys. Other values, such as numbers without quotes,
/// are an error: Kubernetes refuses them.
pub fn map(document: &Value, path: &[&str]) -> Result<BTreeMap<String, String>> {
    serde_yaml_ng::from_value(at(document, path)?.clone())
        .with_context(|| format!("{} is not a map of strings", path.join(".")))
}

/// The ids after `--component-id` in the arguments of `spin up`.
pub fn component_ids(arguments: &[String]) -> BTreeSet<String> {
    arguments
        .windows(2)
        .filter(|pair| pair[0] == "--component-id")
        .map(|pair| pair[1].clone())
        .collect()
}
