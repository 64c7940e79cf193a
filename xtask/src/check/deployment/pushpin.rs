//! `deploy/pushpin`, and Pushpin in the other deployments.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_yaml_ng::Value;

use super::arguments::listen;
use super::compose::asks;
use super::read;
use super::yaml::{map, texts};
use crate::check::spin_manifest::Manifest;

pub struct Files {
    pub settings: String,
    pub start: String,
    pub container: String,
}

impl Files {
    pub fn read() -> Result<Self> {
        Ok(Self {
            settings: read("deploy/pushpin/pushpin.conf")?,
            start: read("deploy/pushpin/start.sh")?,
            container: read("deploy/pushpin/Containerfile")?,
        })
    }
}

/// The script puts in what the settings leave open, and the image has what the script reads.
pub fn check(files: &Files) -> Result<()> {
    let open = files.settings.split('@').skip(1).step_by(2);
    for name in open.filter(|name| *name != "KEY") {
        ensure!(
            files.start.contains(&format!("s|@{name}@|")),
            "start.sh leaves {name} open"
        );
    }
    for file in ["pushpin.conf", "zurl.conf"] {
        let copied = files.container.lines().any(|line| {
            line.strip_prefix("COPY ")
                .is_some_and(|names| names.split(' ').any(|name| name == file))
        });
        ensure!(
            files.start.contains(&format!("$here/{file}")) && copied,
            "the image lacks {file}"
        );
    }
    Ok(())
}

/// Pushpin in a compose file is in front of the API, and publishes no control port.
pub fn service(
    manifest: &Manifest,
    service: &Value,
    api: &Value,
    components: &BTreeSet<String>,
) -> Result<()> {
    let environment = map(service, &["environment"])?;
    let port = |address: &str| address.rsplit_once(':').map(|(_, port)| port.to_owned());
    let command = texts(api, &["command"])?;
    let target = listen(&command).and_then(port);
    let value = |name: &str| environment.get(name).map(String::as_str);
    let set = value("PUSHPIN_TARGET").and_then(|text| text.strip_prefix("api:"));
    ensure!(
        set.is_some() && set == target.as_deref(),
        "Pushpin's target is not where the API listens"
    );
    let listen = value("PUSHPIN_LISTEN").and_then(port);
    let listen = listen.context("Pushpin has no port for clients")?;
    asks(manifest, service, components, &listen)?;
    let published = texts(service, &["ports"])?;
    ensure!(
        published
            .iter()
            .all(|ports| ports.ends_with(&format!(":{listen}"))),
        "Pushpin publishes another port than {listen}"
    );
    Ok(())
}

/// Where Pushpin of a unit passes requests on to.
pub fn target_of_unit(unit: &str) -> Option<&str> {
    unit.lines()
        .find_map(|line| line.strip_prefix("Environment=PUSHPIN_TARGET="))
}

#[cfg(test)]
mod tests {
    use super::super::compose;
    use super::{Files, Manifest, check, read};

    #[test]
    fn a_setting_that_the_script_does_not_know_is_found() {
        let mut files = Files::read().unwrap();
        files.settings.push_str("x=@OTHER@\n");
        assert!(check(&files).unwrap_err().to_string().contains("OTHER"));
    }

    #[test]
    fn the_image_has_what_the_script_reads() {
        let mut files = Files::read().unwrap();
        files.container = files.container.replace("zurl.conf ", "");
        assert!(check(&files).unwrap_err().to_string().contains("zurl.conf"));
    }

    #[test]
    fn the_control_port_is_published_nowhere() {
        let text = read(compose::FILE).unwrap();
        let text = text.replace(
            r#"["127.0.0.1:7999:7999"]"#,
            r#"["127.0.0.1:7999:7999", "5561:5561"]"#,
        );
        let error = compose::check(&Manifest::read().unwrap(), &text).unwrap_err();
        assert!(error.to_string().contains("another port"), "{error:#}");
    }
}
