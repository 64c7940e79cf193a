//! A browser, for the tests of the page.

use anyhow::Result;
use dev_services::{apt, progress};

/// The programs that the tests start, and their Debian packages.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Installs Chromium if it is missing. Returns whether it is there; in CI its absence is an error.
pub fn install_missing() -> Result<bool> {
    if PROGRAMS.iter().all(|name| apt::program(name).is_some()) {
        return Ok(true);
    }
    let installed = apt::install(&PACKAGES, "the tests of the page in a browser");
    match installed {
        Err(error) if !is_ci() => {
            progress(format_args!(
                "no browser for the tests of the page: {error:#}"
            ));
            Ok(false)
        }
        result => result.map(|()| true),
    }
}

/// Whether nothing may be skipped.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
