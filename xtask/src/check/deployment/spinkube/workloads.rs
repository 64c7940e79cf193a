//! What scales and what migrates.

use anyhow::{Result, bail, ensure};

use super::documents::{Documents, get};
use super::{API, MIGRATE, NAME};
use crate::check::deployment::yaml::{at, list, text};

/// The operator lets a replica count be scaled only if the app says so and names none.
pub fn check_scaling(documents: &Documents) -> Result<()> {
    let scaler = get(documents, "HorizontalPodAutoscaler", API)?;
    let target = text(scaler, &["spec", "scaleTargetRef", "name"])?;
    let app = get(documents, "SpinApp", target)?;
    ensure!(
        at(app, &["spec", "enableAutoscaling"])?.as_bool() == Some(true)
            && at(app, &["spec", "replicas"]).is_err(),
        "{target} cannot be scaled"
    );
    Ok(())
}

/// The Job runs the image that belongs to the apps, with the URL of their database.
pub fn check_migration(documents: &Documents) -> Result<()> {
    let image = text(get(documents, "SpinApp", API)?, &["spec", "image"])?;
    let job = get(documents, "Job", MIGRATE)?;
    let [container] = list(job, &["spec", "template", "spec", "containers"])? else {
        bail!("the Job should have one container");
    };
    let expected = image.replacen(NAME, &format!("{NAME}-migrations"), 1);
    ensure!(
        text(container, &["image"])? == expected,
        "the Job's image should be {expected}"
    );
    let [variable] = list(container, &["env"])? else {
        bail!("the Job should have one variable");
    };
    let reference = at(variable, &["valueFrom", "secretKeyRef"])?;
    let secret = get(documents, "Secret", text(reference, &["name"])?)?;
    at(secret, &["stringData", text(reference, &["key"])?]).map(drop)
}
