//! Random secrets, each in a file that only its owner may read.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tempfile::NamedTempFile;

/// The secret in this file, created if it is missing.
///
/// # Errors
///
/// When the file cannot be written.
pub fn load_or_create(path: &Path) -> Result<String> {
    load_or(path, random)
}

/// The secret in this file; if it is missing, it is made and written.
///
/// # Errors
///
/// When the file cannot be written.
pub fn load_or(path: &Path, make: impl FnOnce() -> String) -> Result<String> {
    if let Ok(secret) = std::fs::read_to_string(path)
        && !secret.is_empty()
    {
        return Ok(secret);
    }
    let secret = make();
    write_private(path, &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner may read, atomically.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_private(path: &Path, content: &str) -> Result<()> {
    let write = || -> Result<()> {
        let directory = path.parent().context("the path has no directory")?;
        // Its mode is 0600.
        let mut file = NamedTempFile::new_in(directory)?;
        file.write_all(content.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// 192 bits in hexadecimal: no character needs an escape in a URL, a shell or a configuration.
pub(crate) fn random() -> String {
    let bytes: [u8; 24] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 256 bits in base64.
#[must_use]
pub fn random_base64() -> String {
    let bytes: [u8; 32] = rand::random();
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::load_or_create;
    use crate::TemporaryDirectory;

    #[test]
    fn a_secret_is_created_once_and_private() {
        let home = TemporaryDirectory::create().unwrap();
        let file = home.path().join("secret");
        let secret = load_or_create(&file).unwrap();
        assert_eq!(secret.len(), 48);
        assert_eq!(load_or_create(&file).unwrap(), secret);
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
