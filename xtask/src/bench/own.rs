//! This repository's app, as released.

use anyhow::Result;
use stores::{Stores, ports};

use super::server::Server;
use super::side::Side;
use crate::devhost;

pub async fn start(stores: &Stores) -> Result<Side> {
    let address = format!("127.0.0.1:{}", ports::free()?);
    let server = Server::start("devhost", devhost::command(&address, stores)?, address).await?;
    Ok(Side::started("this app", server))
}
