//! A manifest in a folder of its own, for tests that write one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use testkit::unique_id;

/// Removed with its folder when it is dropped.
pub struct ManifestFile {
    folder: PathBuf,
}

impl ManifestFile {
    /// Writes a manifest with this text after the keys that each has.
    pub fn new(text: &str) -> Self {
        let folder = testkit::workspace_root().join(format!("target/conformance-{}", unique_id()));
        fs::create_dir_all(&folder).expect("the folder is made");
        let file = Self { folder };
        let text = format!("spin_manifest_version = 2\napplication.name = 'test'\n{text}");
        fs::write(file.path(), text).expect("the manifest is written");
        file
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.join("spin.toml")
    }

    /// The folder that it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for ManifestFile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The conformance guest's file, for `source`.
pub fn guest_file() -> String {
    let file = "target/wasm32-wasip2/release/conformance_guest.wasm";
    testkit::workspace_root().join(file).display().to_string()
}
