//! Calls of `spin:redis`.

use std::{cell::RefCell, rc::Rc};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use futures::join;
use serde_json::{Value, json};
use spin_sdk::{
    http::{BoxBody, FullBody, box_body},
    redis::{Connection, Error, RedisParameter, RedisResult},
    variables,
};

use crate::{number, parameter};

/// Opens a connection to `address` and reports the result.
pub async fn open(query: &str) -> Result<Value> {
    let address = parameter(query, "address").context("no address")?;
    Ok(match Connection::open(address).await {
        Ok(_) => json!("open"),
        Err(error) => json!(format!("{error:?}")),
    })
}

/// One `GET` on the connection of the instance; for benchmarks.
pub async fn get() -> Result<http::Response<BoxBody>> {
    let connection = shared().await?;
    let value = connection
        .get("conformance:value")
        .await
        .map_err(failed)?
        .unwrap_or_default();
    let length = value.len();
    let mut response = http::Response::new(box_body(FullBody::new(Bytes::from(value))));
    response
        .headers_mut()
        .insert("content-length", length.into());
    Ok(response)
}

/// Every call once, some of them together on one connection.
pub async fn commands() -> Result<Value> {
    let connection = connect().await?;
    let key = "conformance:commands";
    connection
        .del([key, "conformance:set"])
        .await
        .map_err(failed)?;
    let (set, added, incremented) = join!(
        connection.set(key, "1"),
        connection.sadd("conformance:set", ["a", "b"]),
        connection.incr(key),
    );
    set.map_err(failed)?;
    let (wrong, members) = join!(
        connection.incr("conformance:set"),
        connection.smembers("conformance:set")
    );
    let mut members = members.map_err(failed)?;
    members.sort();
    let nested = execute(
        &connection,
        "EVAL",
        &["return {1, {'a', false}, redis.status_reply('OK')}", "0"],
    );
    let maps = execute(&connection, "HELLO", &["3"]);
    Ok(json!({
        "added": added.map_err(failed)?,
        "incremented": incremented.map_err(failed)?,
        "value": text(connection.get(key).await.map_err(failed)?),
        "absent": text(connection.get("conformance:absent").await.map_err(failed)?),
        "members": members,
        "removed": connection.srem("conformance:set", ["a", "z"]).await.map_err(failed)?,
        "wrongType": wrong.map_err(|error| format!("{error:?}")).err(),
        "nested": nested.await,
        "map": maps.await,
        "published": connection.publish("conformance:no-subscriber", "x").await.is_ok(),
    }))
}

/// `XREAD BLOCK` for `ms` milliseconds.
pub async fn block(query: &str) -> Result<Value> {
    let connection = connect().await?;
    let milliseconds = number(query, "ms")?.to_string();
    let arguments = [
        "BLOCK",
        &milliseconds,
        "STREAMS",
        "conformance:no-stream",
        "$",
    ];
    Ok(json!(execute(&connection, "XREAD", &arguments).await))
}

async fn execute(connection: &Connection, command: &str, arguments: &[&str]) -> Vec<String> {
    let arguments = arguments
        .iter()
        .map(|argument| RedisParameter::Binary(argument.as_bytes().to_vec()));
    match connection
        .execute(command, arguments.collect::<Vec<_>>())
        .await
    {
        Ok(results) => results.iter().map(shown).collect(),
        Err(error) => vec![format!("{error:?}")],
    }
}

fn shown(result: &RedisResult) -> String {
    match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(status) => format!("status {status}"),
        RedisResult::Int64(number) => format!("int {number}"),
        RedisResult::Binary(bytes) => format!("binary {}", String::from_utf8_lossy(bytes)),
    }
}

fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

/// The connection of the instance, opened by its first request.
async fn shared() -> Result<Rc<Connection>> {
    thread_local! {
        static SHARED: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    }
    if let Some(connection) = SHARED.with_borrow(Clone::clone) {
        return Ok(connection);
    }
    let connection = Rc::new(connect().await?);
    SHARED.set(Some(connection.clone()));
    Ok(connection)
}

/// A connection to the Redis of the tests.
pub async fn connect() -> Result<Connection> {
    let address = variables::get("redis_url")
        .await
        .map_err(|error| anyhow!("{error:?}"))?;
    Connection::open(address).await.map_err(failed)
}

/// The SDK's error does not implement `std::error::Error`.
pub fn failed(error: Error) -> anyhow::Error {
    anyhow!("{error:?}")
}
