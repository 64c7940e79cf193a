//! `spin:postgres`: each `open` borrows a client from a pool per address.
//!
//! * [`pool`] makes the pools and checks where they lead.
//! * [`client`] runs statements.
//! * [`rows`] hands their rows to the guest.
//! * [`types`] and [`raw`] convert values.

#![allow(
    clippy::result_large_err,
    reason = "the error's shape is the WIT's, and errors are rare"
)]

mod client;
mod pool;
mod raw;
mod rows;
mod types;

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use self::client::Client;
pub use self::pool::POOL_SIZE;
use crate::{
    bindings::spin::postgres::postgres::{
        Column, Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
        HostConnectionWithStore, ParameterValue, Row, RowSet,
    },
    guest::{GuestContext, GuestState, SpinHost},
};

/// What a guest's `connection` resource stands for.
#[derive(Clone)]
pub struct Connection {
    client: Arc<Client>,
}

/// What a guest's `connection-builder` resource stands for.
#[derive(Clone)]
pub struct ConnectionBuilder {
    address: String,
    /// A certificate in PEM form, trusted beside the system's.
    ca_root: Option<String>,
}

impl ConnectionBuilder {
    async fn build(self, context: Arc<GuestContext>) -> Result<Connection, Error> {
        pool::check_allowed(&context, &self.address)?;
        let pool_size = context.services.postgres_pool_size;
        let client = pool::client(self.address, self.ca_root, pool_size).await?;
        Ok(Connection {
            client: Arc::new(client),
        })
    }
}

fn too_many<E>(_: E) -> Error {
    Error::ConnectionFailed("too many connections".to_owned())
}

impl GuestState {
    async fn connect(&mut self, builder: ConnectionBuilder) -> Result<Resource<Connection>, Error> {
        let connection = builder.build(self.context.clone()).await?;
        self.table.push(connection).map_err(too_many)
    }

    fn client(&self, connection: &Resource<Connection>) -> Result<Arc<Client>, Error> {
        let found = self.table.get(connection);
        Ok(found
            .map_err(|error| Error::ConnectionFailed(error.to_string()))?
            .client
            .clone())
    }

    fn builder(&self, builder: &Resource<ConnectionBuilder>) -> Result<ConnectionBuilder, Error> {
        let found = self.table.get(builder);
        found
            .cloned()
            .map_err(|error| Error::ConnectionFailed(error.to_string()))
    }
}

impl Host for GuestState {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl HostConnectionBuilder for GuestState {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder {
            address,
            ca_root: None,
        })?)
    }

    async fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> Result<(), Error> {
        pool::check_certificate(&certificate)?;
        let found = self.table.get_mut(&builder);
        found
            .map_err(|error| Error::ConnectionFailed(error.to_string()))?
            .ca_root = Some(certificate);
        Ok(())
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let builder = self.builder(&builder)?;
        self.connect(builder).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl HostConnection for GuestState {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        self.connect(ConnectionBuilder {
            address,
            ca_root: None,
        })
        .await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        rows::collect(self.client(&connection)?.query(&statement, params).await?).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        self.client(&connection)?.execute(&statement, params).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

async fn connect<T: Send>(
    accessor: &Accessor<T, SpinHost>,
    builder: ConnectionBuilder,
) -> Result<Resource<Connection>, Error> {
    let context = accessor.with(|mut access| access.get().context.clone());
    let connection = builder.build(context).await?;
    accessor
        .with(|mut access| access.get().table.push(connection))
        .map_err(too_many)
}

impl<T: Send> HostConnectionBuilderWithStore<T> for SpinHost {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let builder = accessor.with(|mut access| access.get().builder(&builder))?;
        connect(accessor, builder).await
    }
}

impl<T: Send> HostConnectionWithStore<T> for SpinHost {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        connect(
            accessor,
            ConnectionBuilder {
                address,
                ca_root: None,
            },
        )
        .await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<
        (
            Vec<Column>,
            StreamReader<Row>,
            FutureReader<Result<(), Error>>,
        ),
        Error,
    > {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        let answer = rows::Answer::start(client.query(&statement, params).await?).await;
        accessor
            .with(|access| answer.into_guest(access))
            .map_err(|error| Error::Other(error.to_string()))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        client.execute(&statement, params).await
    }
}
