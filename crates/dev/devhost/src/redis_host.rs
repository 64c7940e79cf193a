//! `spin:redis`: a TCP connection per `open`, shared by the calls that a guest
//! makes at the same time.

use std::sync::Arc;

use redis::{Cmd, FromRedisValue, RedisError, Value, aio::MultiplexedConnection, cmd};
use wasmtime::component::{Accessor, Resource};

use crate::{
    bindings::spin::redis::redis::{
        Error, Host, HostConnection, HostConnectionWithStore, Payload, RedisParameter, RedisResult,
    },
    guest::{GuestContext, GuestState, SpinHost},
    hosts::Destination,
    secrets::redact,
};

/// Spin's limit for one reply.
const MAX_REPLY_BYTES: usize = 128 << 20;

/// What a guest's `connection` resource stands for.
#[derive(Clone)]
pub struct Connection {
    connection: MultiplexedConnection,
    address: Arc<str>,
    context: Arc<GuestContext>,
}

impl Connection {
    async fn open(context: Arc<GuestContext>, address: String) -> Result<Self, Error> {
        let destination = Destination::from_url(&address).ok_or(Error::InvalidAddress)?;
        if !context.may_connect(&destination) {
            return Err(Error::InvalidAddress);
        }
        let redis = &context.services.redis;
        let client = redis.parse(&address).map_err(|_| Error::InvalidAddress)?;
        let opened = redis.open(&client, &address).await;
        let connection = opened.map_err(|error| other(&error, &address))?;
        Ok(Self {
            connection,
            address: address.into(),
            context,
        })
    }

    /// Sends a command; other calls may send theirs before its reply is here.
    async fn run<T: FromRedisValue>(mut self, command: Cmd) -> Result<T, Error> {
        command
            .query_async(&mut self.connection)
            .await
            .map_err(|error| {
                if error.is_unrecoverable_error() {
                    self.context
                        .services
                        .redis
                        .note_failure(&error, &self.address);
                }
                other(&error, &self.address)
            })
    }
}

fn other(error: &RedisError, address: &str) -> Error {
    Error::Other(redact(&error.to_string(), address))
}

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
        let mut results = Vec::new();
        flatten(reply, &mut results)?;
        check_size(results.iter().map(size).sum())?;
        Ok(results)
    }
}

/// Puts a reply's values one after the other, as Spin does; guests see no
/// nesting.
fn flatten(reply: Value, results: &mut Vec<RedisResult>) -> Result<(), Error> {
    match reply {
        Value::Nil => results.push(RedisResult::Nil),
        Value::Int(number) => results.push(RedisResult::Int64(number)),
        Value::Boolean(truth) => results.push(RedisResult::Int64(truth.into())),
        Value::BulkString(bytes) => results.push(RedisResult::Binary(bytes)),
        Value::Double(number) => results.push(RedisResult::Binary(number.to_string().into_bytes())),
        Value::SimpleString(text) => results.push(RedisResult::Status(text)),
        Value::Okay => results.push(RedisResult::Status("OK".to_owned())),
        Value::Array(values) | Value::Set(values) => {
            results.reserve(values.len());
            for value in values {
                flatten(value, results)?;
            }
        }
        Value::ServerError(error) => return Err(Error::Other(RedisError::from(error).to_string())),
        Value::Map(_) => return Err(unsupported("Map")),
        Value::Attribute { .. } => return Err(unsupported("Attribute")),
        Value::Push { .. } => return Err(unsupported("Push")),
        Value::VerbatimString { .. } => return Err(unsupported("string with format attribute")),
        _ => return Err(unsupported("value of this")),
    }
    Ok(())
}

fn unsupported(kind: &str) -> Error {
    Error::Other(format!(
        "Could not convert Redis response: Redis {kind} type is not supported"
    ))
}

fn size(result: &RedisResult) -> usize {
    size_of::<RedisResult>()
        + match result {
            RedisResult::Binary(bytes) => bytes.len(),
            RedisResult::Status(text) => text.len(),
            RedisResult::Nil | RedisResult::Int64(_) => 0,
        }
}

fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_REPLY_BYTES {
        return Err(Error::Other(format!(
            "query result exceeds limit of {MAX_REPLY_BYTES} bytes"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_replies_are_flattened_in_order() {
        let reply = Value::Array(vec![
            Value::Int(1),
            Value::Array(vec![Value::BulkString(b"a".to_vec()), Value::Nil]),
            Value::Okay,
            Value::Boolean(true),
            Value::Double(1.5),
        ]);
        let mut results = Vec::new();
        flatten(reply, &mut results).unwrap();
        assert!(matches!(
            results.as_slice(),
            [
                RedisResult::Int64(1),
                RedisResult::Binary(_),
                RedisResult::Nil,
                RedisResult::Status(_),
                RedisResult::Int64(1),
                RedisResult::Binary(_),
            ]
        ));
    }

    #[test]
    fn maps_are_refused() {
        assert!(flatten(Value::Map(Vec::new()), &mut Vec::new()).is_err());
    }
}
