//! The target from Debian's packages: a compiler, the source of the standard library, which cargo
//! compiles, and the C library for WASI.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use dev_services::{apt, progress};

use super::sysroot;
use crate::workspace;

const PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "wasi-libc",
    "lld-22",
];

const INSTRUCTIONS: &str = "the components need the target wasm32-wasip2. Either let rustup add it (`rustup target add \
    wasm32-wasip2`), or install Debian's rustc-web, cargo-web, rust-web-src, wasi-libc and lld-22";

/// The linkers that a build for the target calls.
const LINKERS: [&str; 2] = ["wasm-component-ld", "wasm-ld"];

/// Variables that the cargo of this program has set for itself, and that would make Debian's cargo
/// use the compiler or libraries of the other toolchain.
const OTHER_TOOLCHAIN: [&str; 8] = [
    "CARGO",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "LD_LIBRARY_PATH",
];

/// Debian's `cargo build` with all settings for the target except `--target`.
pub(super) fn build() -> Result<Command> {
    install_missing().context(INSTRUCTIONS)?;
    let path = path_with_linkers()?;
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo.current_dir(workspace::root());
    crate::cargo::remove_package_variables(&mut cargo);
    for name in OTHER_TOOLCHAIN {
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
    progress(
        "this toolchain lacks the target wasm32-wasip2 and rustup may not add it: using Debian's compiler",
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

/// `PATH` with the folders of the linkers. rustup's toolchain has both, in folders off `PATH`.
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
            "{linker} is not on this machine: `cargo install wasm-component-ld` and Debian's lld-22 provide the linkers"
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
