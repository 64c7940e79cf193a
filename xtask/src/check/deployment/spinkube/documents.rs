//! The YAML documents of the folder.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_yaml_ng::{Deserializer, Value};

use crate::check::components::ensure_same;
use crate::check::deployment::{
    read,
    yaml::{text, texts},
};
use crate::workspace;

const DIRECTORY: &str = "deploy/spinkube";
/// These are applied before the rest, each by itself.
const APART: [&str; 2] = ["migrate.yaml", "secrets.example.yaml"];

/// The documents of all files, by kind and name.
pub type Documents = BTreeMap<(String, String), Value>;

/// Reads all files, and checks that kustomization.yaml lists those that belong together.
pub fn documents() -> Result<Documents> {
    let mut documents = Documents::new();
    let mut listed = BTreeSet::new();
    for file in files()? {
        let text = read(&format!("{DIRECTORY}/{file}"))?;
        for document in Deserializer::from_str(&text) {
            let document = Value::deserialize(document).with_context(|| file.clone())?;
            if file == "kustomization.yaml" {
                listed.extend(texts(&document, &["resources"])?);
                continue;
            }
            let key = key(&document).with_context(|| file.clone())?;
            ensure!(
                documents.insert(key, document).is_none(),
                "{file} has a document twice"
            );
        }
    }
    let together = files()?
        .into_iter()
        .filter(|file| file != "kustomization.yaml" && !APART.contains(&file.as_str()))
        .collect();
    ensure_same("kustomization.yaml", &listed, DIRECTORY, &together)?;
    Ok(documents)
}

fn files() -> Result<BTreeSet<String>> {
    let entries = std::fs::read_dir(workspace::root().join(DIRECTORY))?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    // An operator's own secrets are not in the repository.
    Ok(names
        .filter(|name| name.ends_with(".yaml") && name != "secrets.yaml")
        .collect())
}

pub fn key(document: &Value) -> Result<(String, String)> {
    text(document, &["apiVersion"])?;
    let (kind, name) = (
        text(document, &["kind"])?,
        text(document, &["metadata", "name"])?,
    );
    Ok((kind.to_string(), name.to_string()))
}

/// The document of a kind and name.
pub fn get<'a>(documents: &'a Documents, kind: &str, name: &str) -> Result<&'a Value> {
    documents
        .get(&(kind.to_string(), name.to_string()))
        .with_context(|| format!("there is no {kind} {name}"))
}
