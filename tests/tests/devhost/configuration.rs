//! Starting with a faulty configuration: the error names the place.

use std::fs;

use crate::{
    builder, logged,
    manifest_file::{ManifestFile, guest_file},
};

/// Starts a manifest that has to be refused; the error.
async fn refusal(manifest: &ManifestFile) -> String {
    let started = builder().manifest(manifest.path()).try_spawn().await;
    let error = started.map(|_| ()).expect_err("the manifest is refused");
    error.to_string()
}

#[tokio::test]
async fn unknown_keys_are_named_with_their_file() {
    let manifest = ManifestFile::new("[trigger]\nhtpp = []\n");
    let error = refusal(&manifest).await;
    assert!(error.contains("unknown field `htpp`"), "{error}");
    let path = manifest.path().display().to_string();
    assert!(error.contains(&path), "{error}");
}

#[tokio::test]
async fn a_missing_variable_is_named_with_the_way_to_set_it() {
    let text = "[trigger]\n[variables]\nmissing_here = { required = true }\n";
    let error = refusal(&ManifestFile::new(text)).await;
    assert!(
        error.contains("`missing_here` (set MISSING_HERE"),
        "{error}"
    );
}

#[tokio::test]
async fn a_variable_that_spin_refuses_is_refused() {
    for variable in ["{ required = true, default = 'x' }", "{ secret = true }"] {
        let text = format!("[trigger]\n[variables]\nunclear = {variable}\n");
        let error = refusal(&ManifestFile::new(&text)).await;
        assert!(error.contains("either `required` or `default`"), "{error}");
    }
}

#[tokio::test]
async fn a_component_id_that_spin_refuses_is_refused() {
    let text = "[trigger]\n[component.snake_case]\nsource = 'x.wasm'\n";
    let error = refusal(&ManifestFile::new(text)).await;
    assert!(error.contains("`snake_case`"), "{error}");
}

#[tokio::test]
async fn triggers_are_also_read_from_arrays() {
    let text = format!(
        "application.targets = ['spin-up:4.1']\n\
         [trigger]\nhttp = [{{ route = '/instance', component = 'guest' }}]\n\
         [component]\nguest = {{ source = '{}' }}\n",
        guest_file()
    );
    let manifest = ManifestFile::new(&text);
    let app = builder().manifest(manifest.path()).spawn().await;
    app.get("/instance").await.expect_status(200);
}

#[tokio::test]
async fn ignored_settings_of_the_host_are_reported() {
    let manifest = ManifestFile::new("[trigger]\n");
    let config = manifest.folder().join("runtime-config.toml");
    fs::write(&config, "[outbound_pg]\nmax_connections = 1\n").expect("the file is written");
    let app = builder()
        .arg("--runtime-config-file")
        .arg(config.display())
        .spawn()
        .await;
    logged(&app, "Ignored `outbound_pg`").await;
}
