//! Secrets of this machine's own: random, each kept in a file that only its owner may read.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// The secret in this file, which is made where it is missing.
pub fn load_or_create(path: &Path) -> Result<String> {
    if let Ok(secret) = std::fs::read_to_string(path)
        && !secret.is_empty()
    {
        return Ok(secret);
    }
    let secret = random()?;
    write_private(path, &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, content: &str) -> Result<()> {
    let new = path.with_extension("partial");
    let _ = std::fs::remove_file(&new);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| std::fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// 192 bits from the kernel, in hexadecimal: nothing in it needs escaping anywhere.
fn random() -> Result<String> {
    let mut bytes = [0; 24];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
