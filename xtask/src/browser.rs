//! A browser, for the tests of the page.

use anyhow::Result;
use dev_services::{apt, progress};

/// The programs that the tests start, and their Debian packages.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Installs Chromium if it is missing. If that fails, CI fails, and elsewhere the tests of the page
/// are skipped.
pub fn install_missing() -> Result<()> {
    if PROGRAMS.iter().all(|name| apt::program(name).is_some()) {
        return Ok(());
    }
    let installed = apt::install(&PACKAGES, "the tests of the page in a browser");
    match installed {
        Err(error) if !is_ci() => {
            progress(format_args!("the tests of the page are skipped: {error:#}"));
            Ok(())
        }
        result => result,
    }
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
