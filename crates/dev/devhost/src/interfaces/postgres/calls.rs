//! The calls of `spin:postgres`.

use wasmtime::component::{Accessor, Resource};

use super::{
    Connection, ConnectionBuilder,
    result::{self, GuestResult, PartialResult},
};
use crate::{
    bindings::spin::postgres::postgres::{
        Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
        HostConnectionWithStore, ParameterValue, RowSet,
    },
    guest::{GuestState, SpinHost},
    tls,
};

impl Host for GuestState {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl GuestState {
    async fn connect(&mut self, builder: ConnectionBuilder) -> Result<Resource<Connection>, Error> {
        let connection = builder.build(&self.context.clone()).await?;
        self.add(connection)
    }
}

impl HostConnectionBuilder for GuestState {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder::new(address))?)
    }

    async fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> Result<(), Error> {
        let invalid =
            |error: anyhow::Error| Error::Other(format!("invalid root certificate: {error:#}"));
        tls::check_certificate(&certificate).map_err(invalid)?;
        self.builder(&builder)?.ca_root = Some(certificate);
        Ok(())
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let builder = self.builder(&builder)?.clone();
        self.connect(builder).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl HostConnection for GuestState {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        self.connect(ConnectionBuilder::new(address)).await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        let rows = self.client(&connection)?.query(&statement, params).await?;
        result::collect(rows).await
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
    let connection = builder.build(&context).await?;
    accessor.with(|mut access| access.get().add(connection))
}

impl<T: Send> HostConnectionBuilderWithStore<T> for SpinHost {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let builder = accessor.with(|mut access| {
            access
                .get()
                .builder(&builder)
                .map(|builder| builder.clone())
        })?;
        connect(accessor, builder).await
    }
}

impl<T: Send> HostConnectionWithStore<T> for SpinHost {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        connect(accessor, ConnectionBuilder::new(address)).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<GuestResult, Error> {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        let result = PartialResult::start(client.query(&statement, params).await?).await;
        accessor
            .with(|access| result.into_guest(access))
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
