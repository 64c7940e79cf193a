//! `check`: what a change has to pass in addition to the tests.

mod components;
mod dependencies;
mod deployment;
mod lints;
mod manifests;
mod page;
mod policy;
mod spin_manifest;
mod tracked;

use anyhow::{Result, bail};
use clap::Args;
use dev_services::progress;

use crate::schema;

/// Check format, lints, documentation, and the rules of this repository.
#[derive(Args)]
pub struct Arguments {}

type Check = (&'static str, fn() -> Result<()>);

/// In the order of their duration.
const CHECKS: [Check; 12] = [
    ("code is formatted", lints::format),
    (
        "every package uses the lints of the workspace",
        manifests::packages_use_the_lints,
    ),
    (
        "component folders and spin.toml agree",
        components::folders_and_manifest_agree,
    ),
    (
        "the files of deploy/ and spin.toml agree",
        deployment::files_and_manifest_agree,
    ),
    ("no WebAssembly is tracked", tracked::no_webassembly),
    (
        "no package registry's host is tracked",
        tracked::no_registry,
    ),
    (
        "every command in the documents exists",
        tracked::shown_commands_exist,
    ),
    (
        "components depend neither on tokio nor on wasmtime",
        dependencies::guests_have_no_runtime,
    ),
    (
        "licences and sources of dependencies are allowed, if cargo-deny is installed",
        policy::dependencies_are_allowed,
    ),
    (
        "the page's types, lints and unit tests pass and the API is described in valid OpenAPI, if Node.js is installed",
        page::types_lints_and_tests_pass,
    ),
    ("clippy finds nothing", lints::clippy),
    (
        "the documentation builds without a warning",
        lints::documentation,
    ),
];

/// Runs every check, so that one run reports all failures.
pub async fn run() -> Result<()> {
    let mut failed = CHECKS
        .into_iter()
        .filter(|(what, check)| !passes(what, check()))
        .count();
    let schema = schema::is_current().await;
    failed += usize::from(!passes("migrations/schema.sql is current", schema));
    let all = CHECKS.len() + 1;
    if failed > 0 {
        bail!("{failed} of {all} checks failed");
    }
    progress(format_args!("all {all} checks passed"));
    Ok(())
}

fn passes(what: &str, result: Result<()>) -> bool {
    match &result {
        Ok(()) => progress(format_args!("ok: {what}")),
        Err(error) => progress(format_args!("FAILED: {what}: {error:#}")),
    }
    result.is_ok()
}
