//! The page's JavaScript, and whether `docs/openapi.json` is OpenAPI: `components/web/package.json` has
//! the scripts.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dev_services::{apt, progress};

use crate::{browser, cargo, workspace};

/// The oldest Node.js that the tools run on, as `engines` in package.json says.
const OLDEST_NODE: (u32, u32) = (20, 19);
const SCRIPTS: [&str; 4] = ["types", "lint", "openapi", "test"];

/// Runs all scripts, so that one run shows all errors.
pub fn types_lints_and_tests_pass() -> Result<()> {
    if let Err(error) = ensure_node() {
        ensure!(!browser::is_ci(), error);
        progress(format_args!("skipped: {error:#}"));
        return Ok(());
    }
    install()?;
    let failed: Vec<&str> = SCRIPTS
        .into_iter()
        .filter(|script| cargo::run(npm(&["run", "--silent", script])).is_err())
        .collect();
    ensure!(
        failed.is_empty(),
        "in components/web: `npm run {}`",
        failed.join("`, `npm run ")
    );
    Ok(())
}

fn ensure_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    for program in ["node", "npm"] {
        ensure!(
            apt::program(program).is_some(),
            "{program} is missing: install Node.js {major}.{minor} or newer, with npm"
        );
    }
    let mut node = Command::new("node");
    node.arg("--version");
    let version = cargo::output(node)?;
    ensure!(
        parse_version(&version) >= Some(OLDEST_NODE),
        "Node.js {major}.{minor} or newer is needed, and this is {}",
        version.trim()
    );
    Ok(())
}

fn parse_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().trim_start_matches('v').split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

/// Installs the tools, unless those of this package-lock.json are there already.
fn install() -> Result<()> {
    let lock = folder().join("package-lock.json");
    let installed = folder().join("node_modules/.installed-package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    progress("installing the tools for the page's JavaScript with npm");
    cargo::run(npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}

fn npm(arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder()).args(arguments);
    npm
}

fn folder() -> PathBuf {
    workspace::root().join("components/web")
}

#[cfg(test)]
mod tests {
    use super::{OLDEST_NODE, parse_version};

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert!(parse_version("v100.0.0") > Some(OLDEST_NODE));
        assert!(parse_version("v20.9.0") < Some(OLDEST_NODE));
        assert!(parse_version("unknown") < Some(OLDEST_NODE));
    }
}
