//! The calls of `spin:redis`.

use redis::{Value, cmd};
use wasmtime::component::{Accessor, Resource};

use super::{
    Connection,
    reply::{check_size, flatten},
};
use crate::{
    bindings::spin::redis::redis::{
        Error, Host, HostConnection, HostConnectionWithStore, Payload, RedisParameter, RedisResult,
    },
    guest::{GuestState, SpinHost},
};

impl Host for GuestState {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl HostConnection for GuestState {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn connection<T: Send>(
    accessor: &Accessor<T, SpinHost>,
    connection: &Resource<Connection>,
) -> Result<Connection, Error> {
    accessor
        .with(|mut access| access.get().table.get(connection).cloned())
        .map_err(|error| Error::Other(error.to_string()))
}

impl<T: Send> HostConnectionWithStore<T> for SpinHost {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        let context = accessor.with(|mut access| access.get().context.clone());
        let connection = Connection::open(context, address).await?;
        accessor
            .with(|mut access| access.get().table.push(connection))
            .map_err(|_| Error::TooManyConnections)
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        channel: String,
        payload: Payload,
    ) -> Result<(), Error> {
        let mut command = cmd("PUBLISH");
        command.arg(channel).arg(payload);
        connection(accessor, &on)?.run(command).await
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        key: String,
    ) -> Result<Option<Payload>, Error> {
        let mut command = cmd("GET");
        command.arg(key);
        let value: Option<Payload> = connection(accessor, &on)?.run(command).await?;
        check_size(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        key: String,
        value: Payload,
    ) -> Result<(), Error> {
        let mut command = cmd("SET");
        command.arg(key).arg(value);
        connection(accessor, &on)?.run(command).await
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        key: String,
    ) -> Result<i64, Error> {
        let mut command = cmd("INCRBY");
        command.arg(key).arg(1);
        connection(accessor, &on)?.run(command).await
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        keys: Vec<String>,
    ) -> Result<u32, Error> {
        let mut command = cmd("DEL");
        command.arg(keys);
        connection(accessor, &on)?.run(command).await
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        let mut command = cmd("SADD");
        command.arg(key).arg(values);
        connection(accessor, &on)?.run(command).await
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        key: String,
    ) -> Result<Vec<String>, Error> {
        let mut command = cmd("SMEMBERS");
        command.arg(key);
        connection(accessor, &on)?.run(command).await
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        let mut command = cmd("SREM");
        command.arg(key).arg(values);
        connection(accessor, &on)?.run(command).await
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        on: Resource<Connection>,
        name: String,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Error> {
        let mut command = cmd(&name);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => command.arg(number),
                RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let reply: Value = connection(accessor, &on)?.run(command).await?;
        flatten(reply)
    }
}
