//! `spin:postgres`: each `open` borrows a client from a pool per address.
//!
//! # Layout
//!
//! * this file: the resources that a guest holds
//! * [`calls`]: the calls that it makes on them
//! * [`address`]: checks the hosts of an address
//! * [`pool`]: the pools
//! * [`client`]: runs statements; [`error`]: their errors
//! * [`result`] and [`row_stream`]: returns their rows to the guest
//! * [`types`]: converts values

#![allow(
    clippy::result_large_err,
    reason = "the error's shape is the WIT's, and errors are rare"
)]

mod address;
mod calls;
mod client;
mod error;
mod pool;
mod result;
mod row_stream;
mod types;

use std::sync::Arc;

use wasmtime::component::Resource;

use self::client::Client;
pub use self::pool::{POOL_SIZE, Pools};
use crate::{
    bindings::spin::postgres::postgres::Error,
    guest::{GuestContext, GuestState},
};

/// The resource `connection`.
#[derive(Clone)]
pub struct Connection {
    client: Arc<Client>,
}

/// The resource `connection-builder`.
#[derive(Clone)]
pub struct ConnectionBuilder {
    address: String,
    /// A certificate in PEM form, trusted in addition to the system's.
    ca_root: Option<String>,
}

impl ConnectionBuilder {
    fn new(address: String) -> Self {
        Self {
            address,
            ca_root: None,
        }
    }

    async fn build(self, context: &GuestContext) -> Result<Connection, Error> {
        address::check_allowed(context, &self.address)?;
        let key = pool::Key {
            address: self.address,
            ca_root: self.ca_root,
        };
        let client = pool::client(context, key).await?;
        Ok(Connection {
            client: Arc::new(client),
        })
    }
}

impl GuestState {
    fn client(&self, connection: &Resource<Connection>) -> Result<Arc<Client>, Error> {
        let found = self.table.get(connection).map_err(unknown_resource)?;
        Ok(found.client.clone())
    }

    fn builder(
        &mut self,
        builder: &Resource<ConnectionBuilder>,
    ) -> Result<&mut ConnectionBuilder, Error> {
        self.table.get_mut(builder).map_err(unknown_resource)
    }

    fn add(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let too_many = |_| Error::ConnectionFailed("too many connections".to_owned());
        self.table.push(connection).map_err(too_many)
    }
}

fn unknown_resource(error: wasmtime::component::ResourceTableError) -> Error {
    Error::ConnectionFailed(error.to_string())
}
