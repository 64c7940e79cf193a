//! `spin:redis`: a TCP connection per `open`, shared by the calls that a guest
//! makes at the same time.
//!
//! # Layout
//!
//! * this file: the resource that a guest holds
//! * `calls`: the calls that it makes on it
//! * `reply`: converts replies
//! * `error_text`: the texts of errors

mod calls;
mod error_text;
mod reply;

use std::sync::Arc;

use redis::{Cmd, FromRedisValue, RedisError, aio::MultiplexedConnection};

use crate::{
    bindings::spin::redis::redis::Error, config::allowed_hosts::Destination, guest::GuestContext,
    redact::redact,
};

/// The resource `connection`.
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
        let connection = opened.map_err(|error| other(&error, &address, &context))?;
        Ok(Self {
            connection,
            address: address.into(),
            context,
        })
    }

    /// Sends a command. Other calls may send theirs before its reply arrives.
    async fn run<T: FromRedisValue>(mut self, command: Cmd) -> Result<T, Error> {
        let reply = command.query_async(&mut self.connection).await;
        reply.map_err(|error| {
            if error.is_unrecoverable_error() {
                let redis = &self.context.services.redis;
                redis.record_error(&error, &self.address);
            }
            other(&error, &self.address, &self.context)
        })
    }
}

fn other(error: &RedisError, address: &str, context: &GuestContext) -> Error {
    let spin = !context.services.deviations.driver_error_texts;
    Error::Other(redact(&error_text::text(error, spin), address))
}
