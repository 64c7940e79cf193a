//! A browser, for the tests of the page.

use anyhow::Result;
use dev_services::{apt, say};

/// Programs that the tests start, and the Debian packages that have them.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Installs Chromium where it is missing. Where that fails the tests of the page say that they
/// are skipped, but CI is to run them all.
pub fn install_missing() -> Result<()> {
    if PROGRAMS.iter().all(|name| apt::program(name).is_some()) {
        return Ok(());
    }
    let installed = apt::install(&PACKAGES, "the tests of the page in a browser");
    match installed {
        Err(error) if !is_ci() => {
            say(format_args!("the tests of the page are skipped: {error:#}"));
            Ok(())
        }
        result => result,
    }
}

/// Whether nothing may be skipped.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
