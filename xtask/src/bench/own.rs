//! This repository's app, as released.

use anyhow::Result;
use dev_services::{Stores, ports};

use super::server::Server;
use super::side::Side;
use crate::devhost;

/// Where the ids of conversations start: beyond those of a baseline on the same
/// Redis, which names its keys by the same pattern.
const FIRST_ID: &str = "select setval(pg_get_serial_sequence('conversations', 'id'), greatest(1000000, max(id))) from conversations";

pub async fn start(stores: &Stores) -> Result<Side> {
    dev_services::connect(stores.database_url())
        .await?
        .batch_execute(FIRST_ID)
        .await?;
    let address = format!("127.0.0.1:{}", ports::free()?);
    let mut command = devhost::command(&address, stores)?;
    // No line per request: others write none either.
    command.arg("--quiet");
    let server = Server::start("devhost", command, address).await?;
    Ok(Side::started("this app", server))
}
