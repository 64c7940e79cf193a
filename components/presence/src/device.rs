//! The device of a heartbeat or sign-off.

use messaging::api::RequestContext;
use messaging::content::DeviceId;
use messaging::{Error, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    device_id: Option<String>,
}

/// The device that the body names, if there is a body and it names one.
pub async fn read(context: RequestContext) -> Result<Option<DeviceId>> {
    let Body { device_id } = context.optional_json().await?;
    let device = device_id.map(DeviceId::parse).transpose();
    device.map_err(|error| Error::invalid("deviceId", error))
}
