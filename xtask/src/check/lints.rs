//! rustfmt, clippy and rustdoc.

use anyhow::Result;

use crate::workspace::GUEST_TARGET;
use crate::{cargo, toolchain, workspace};

pub fn format() -> Result<()> {
    let mut format = cargo::command();
    format.args(["fmt", "--all", "--check"]);
    cargo::run(format)
}

/// The components compile for this machine too, so clippy always checks them; for their own target
/// only if the toolchain in use has it.
pub fn clippy() -> Result<()> {
    let mut native = cargo::command();
    native.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]);
    cargo::run(native)?;
    if toolchain::has_target() {
        clippy_for_guests()
    } else {
        Ok(())
    }
}

fn clippy_for_guests() -> Result<()> {
    let mut clippy = cargo::command();
    clippy.args(["clippy", "--target", GUEST_TARGET]);
    clippy.args(
        workspace::guests()?
            .iter()
            .flat_map(|name| ["--package", name]),
    );
    clippy.args(["--", "--deny", "warnings"]);
    cargo::run(clippy)
}

pub fn documentation() -> Result<()> {
    let mut doc = cargo::command();
    doc.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ])
    .env("RUSTDOCFLAGS", "--deny warnings");
    cargo::run(doc)
}
