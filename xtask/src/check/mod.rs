//! `check`: everything but the tests that a change has to pass.

mod components;
mod dependencies;
mod lints;
mod manifests;
mod page;
mod policy;
mod tracked;

use anyhow::{Result, bail};
use clap::Args;
use dev_services::say;

/// Check format, lints, docs, and the rules of this repository that no compiler knows.
#[derive(Args)]
pub struct Arguments {}

type Check = (&'static str, fn() -> Result<()>);

/// The quick ones first.
const CHECKS: [Check; 11] = [
    ("code is formatted", lints::format),
    (
        "every package takes the workspace's lints",
        manifests::packages_take_the_lints,
    ),
    (
        "component folders and spin.toml agree",
        components::folders_and_manifest_agree,
    ),
    ("no WebAssembly is tracked", tracked::no_webassembly),
    (
        "no package registry's host is tracked",
        tracked::no_registry,
    ),
    (
        "every command shown in the documents exists",
        tracked::shown_commands_exist,
    ),
    (
        "components reach neither tokio nor wasmtime",
        dependencies::guests_stay_small,
    ),
    (
        "licences and sources of dependencies are allowed, as far as cargo-deny is there",
        policy::dependencies_are_allowed,
    ),
    (
        "the page's types, lints and unit tests pass, as far as Node.js is there",
        page::types_lints_and_tests_pass,
    ),
    ("clippy is content", lints::clippy),
    (
        "the documentation builds without a warning",
        lints::documentation,
    ),
];

/// Runs every check, so that one run tells all that is wrong.
pub fn run() -> Result<()> {
    let failed = CHECKS.into_iter().filter(|check| !passes(check)).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed", CHECKS.len());
    }
    say(format_args!("all {} checks passed", CHECKS.len()));
    Ok(())
}

fn passes((what, check): &Check) -> bool {
    let result = check();
    match &result {
        Ok(()) => say(format_args!("ok: {what}")),
        Err(error) => say(format_args!("FAILED: {what}: {error:#}")),
    }
    result.is_ok()
}
