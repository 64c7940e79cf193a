//! `test`: all tests, with real components and real stores.

use anyhow::{Result, bail};
use clap::Args;
use dev_services::{Durability, Options, progress};

use crate::{browser, build, cargo};

/// Build everything and run the tests with real components, Redis and PostgreSQL.
#[derive(Args)]
pub struct Arguments {
    /// Test only this package.
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// Only this file of the integration tests, as in tests/NAME.rs.
    #[arg(long, value_name = "NAME", conflicts_with = "package")]
    test: Option<String>,
    /// Only tests with this in their names.
    filter: Option<String>,
    /// Passed on to the test programs, for example --nocapture.
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<String>,
}

pub fn run(arguments: Arguments) -> Result<()> {
    build::run()?;
    dev_services::install_missing(&Options::from_environment(Durability::Ephemeral))?;
    if wants_browser(&arguments) {
        browser::install_missing()?;
    }
    let failed: Vec<String> = selections(&arguments)
        .into_iter()
        .filter(|selection| !passes(selection, &arguments))
        .map(|selection| selection.join(" "))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "tests failed; again: {}",
        failed
            .iter()
            .map(|part| format!("cargo test {part}"))
            .collect::<Vec<_>>()
            .join(" and ")
    )
}

/// Whether the tests of the page are among those to run.
fn wants_browser(Arguments { package, test, .. }: &Arguments) -> bool {
    let is = |name: &Option<String>, wanted| name.as_deref().is_none_or(|name| name == wanted);
    is(package, "tests") && is(test, "page")
}

/// What to pass to each `cargo test`. devhost's own tests take the release build that `build`
/// made, since compiling wasmtime a second time takes minutes; all others are quicker to
/// compile without optimisation.
fn selections(arguments: &Arguments) -> Vec<Vec<&str>> {
    const DEVHOST: [&str; 3] = ["--release", "--package", "devhost"];
    match (&arguments.package, &arguments.test) {
        (Some(package), _) if package == "devhost" => vec![DEVHOST.to_vec()],
        (Some(package), _) => vec![vec!["--package", package]],
        (None, Some(test)) => vec![vec!["--package", "tests", "--test", test]],
        (None, None) => vec![
            DEVHOST.to_vec(),
            vec!["--workspace", "--exclude", "devhost"],
        ],
    }
}

fn passes(selection: &[&str], arguments: &Arguments) -> bool {
    let mut test = cargo::command();
    test.args(["test", "--no-fail-fast"])
        .args(selection)
        .args(&arguments.filter)
        .arg("--")
        .args(&arguments.options);
    let result = cargo::run(test);
    if let Err(error) = &result {
        progress(format_args!("{error:#}"));
    }
    result.is_ok()
}
