//! The dependencies of the components.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::workspace::GUEST_TARGET;
use crate::{cargo, workspace};

/// The runtimes of the host. A component depends on one only by mistake.
const HOST_ONLY: [&str; 2] = ["tokio", "wasmtime"];

pub fn guests_have_no_runtime() -> Result<()> {
    let mut tree = cargo::command();
    tree.args([
        "tree",
        "--edges",
        "normal",
        "--target",
        GUEST_TARGET,
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    tree.args(
        workspace::guests()?
            .iter()
            .flat_map(|name| ["--package", name]),
    );
    let found = host_crates(&cargo::output(tree)?);
    ensure!(
        found.is_empty(),
        "a component depends on {}: `cargo tree --target {GUEST_TARGET} --invert <crate>` shows how",
        found.join(", ")
    );
    Ok(())
}

fn host_crates(tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let is_host = |name: &str| {
        HOST_ONLY.iter().any(|host| {
            name.strip_prefix(host)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    names
        .into_iter()
        .filter(|name| is_host(name))
        .map(str::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_crate_is_identified_by_its_full_name() {
        let tree =
            "messages v0.1.0 (/x)\ntokio v1.0.0\nwasmtime-wasi v48.0.0 (*)\ntokioish v1.0.0\n\n";
        assert_eq!(super::host_crates(tree), ["tokio", "wasmtime-wasi"]);
    }
}
