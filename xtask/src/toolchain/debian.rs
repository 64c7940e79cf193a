//! The target from Debian's packages: a compiler with its library's source, so that cargo
//! compiles the standard library itself, and the C library for WASI.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use dev_services::{apt, say};

use super::sysroot;
use crate::workspace;

const PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "wasi-libc",
    "lld-22",
];

const OTHER_WAY: &str = "the components need the target wasm32-wasip2. Either let rustup add it (`rustup target add \
    wasm32-wasip2`), or install Debian's rustc-web, cargo-web, rust-web-src, wasi-libc and lld-22";

/// The linkers that a build for the target calls.
const LINKERS: [&str; 2] = ["wasm-component-ld", "wasm-ld"];

/// What the cargo that runs this program has set for itself, and what would make Debian's use
/// the other toolchain's compiler or libraries.
const NOT_FOR_DEBIAN: [&str; 8] = [
    "CARGO",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "LD_LIBRARY_PATH",
];

/// Debian's `cargo build` with what it needs for the target, but for `--target` itself.
pub(super) fn build() -> Result<Command> {
    install_missing().context(OTHER_WAY)?;
    let path = path_with_linkers()?;
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo.current_dir(workspace::root());
    crate::cargo::forget_own_package(&mut cargo);
    for name in NOT_FOR_DEBIAN {
        cargo.env_remove(name);
    }
    cargo.env("PATH", path).env("RUSTC", "/usr/bin/rustc");
    // Building the standard library is not a stable feature of cargo yet.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo.env(
        "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
        "-L native=/usr/lib/wasm32-wasi -C link-self-contained=no",
    );
    cargo.args(["build", "-Zbuild-std=std,panic_abort"]);
    Ok(cargo)
}

fn install_missing() -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .into_iter()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(
        "this toolchain lacks the target wasm32-wasip2 and rustup is not to add it: using Debian's compiler",
    );
    apt::install(&missing, "the WebAssembly target")
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output();
    query.is_ok_and(|answer| answer.stdout == b"installed")
}

/// `PATH` with the folders that hold the linkers: rustup's toolchain brings both, off `PATH`.
fn path_with_linkers() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = linker_folders()
        .into_iter()
        .chain(std::env::split_paths(&path))
        .collect();
    for linker in LINKERS {
        let found = folders.iter().any(|folder| folder.join(linker).is_file());
        anyhow::ensure!(
            found,
            "{linker} is not on this machine: `cargo install wasm-component-ld` and Debian's lld-22 bring the two linkers"
        );
    }
    std::env::join_paths(folders).context("PATH cannot be read")
}

fn linker_folders() -> Vec<PathBuf> {
    let toolchain = sysroot()
        .map(|sysroot| sysroot.join("lib/rustlib"))
        .unwrap_or_default();
    let hosts = std::fs::read_dir(toolchain)
        .into_iter()
        .flatten()
        .flatten()
        .map(|host| host.path().join("bin"));
    let of_toolchain = hosts
        .filter(|bin| bin.is_dir())
        .flat_map(|bin| [bin.join("gcc-ld"), bin]);
    of_toolchain
        .chain([Path::new("/usr/lib/llvm-22/bin").into()])
        .collect()
}
