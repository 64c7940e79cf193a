//! The app of this repository, on devhost.

use anyhow::Result;
use dev_services::{Devhost, Stores, ports};

use super::service::Service;
use crate::workspace;

/// Where the ids of conversations start: above those of a baseline on the same Redis, which uses
/// the same names of keys.
const FIRST_ID: &str = "select setval(pg_get_serial_sequence('conversations', 'id'), greatest(1000000, max(id))) from conversations";

pub async fn start(stores: &Stores) -> Result<Service> {
    dev_services::connect(stores.database_url())
        .await?
        .batch_execute(FIRST_ID)
        .await?;
    let address = format!("127.0.0.1:{}", ports::free()?);
    let (redis, database) = (stores.redis_url(), stores.database_url());
    let devhost = Devhost::new(workspace::root(), address.clone(), redis, database)?;
    // Without a line per request: other services log none either.
    let process = devhost.argument("--quiet").into_process();
    Service::start("this app", process, &address).await
}
