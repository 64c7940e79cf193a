//! The arguments of `spin up`.

use std::collections::BTreeSet;

/// The ids after `--component-id`.
pub fn component_ids(arguments: &[String]) -> BTreeSet<String> {
    values(arguments, "--component-id")
        .map(str::to_string)
        .collect()
}

/// The address after `--listen`.
pub fn listen(arguments: &[String]) -> Option<&str> {
    values(arguments, "--listen").next()
}

fn values<'a>(arguments: &'a [String], option: &str) -> impl Iterator<Item = &'a str> {
    let pairs = arguments.windows(2).filter(move |pair| pair[0] == option);
    pairs.map(|pair| pair[1].as_str())
}
