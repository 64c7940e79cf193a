//! Commands and scripts.

use std::ops::Range;

use spin_sdk::redis::{RedisParameter, RedisResult};

use super::connection::{self, Criticality};
use super::reply::FromReply;
use super::{Argument, RedisError, Repeat, Script};
use crate::args;

/// The instance's Redis, as critical as it is to the request at hand.
#[derive(Debug, Clone, Copy)]
pub struct RedisClient {
    criticality: Criticality,
}

impl RedisClient {
    /// A client for requests that can do without Redis.
    #[must_use]
    pub const fn optional() -> Self {
        let criticality = Criticality::Optional;
        Self { criticality }
    }

    /// A client for requests about what only Redis holds.
    #[must_use]
    pub const fn required() -> Self {
        let criticality = Criticality::Required;
        Self { criticality }
    }

    /// Runs a command; its first argument is its key.
    pub async fn command<T: FromReply>(
        &self,
        repeat: Repeat,
        command: &'static str,
        arguments: Vec<RedisParameter>,
    ) -> Result<T, RedisError> {
        let key = 0..arguments.len().min(1);
        self.execute(repeat, command, &arguments, key)
            .await
            .and_then(T::from_reply)
    }

    /// Runs a script on its one key.
    pub async fn script<T: FromReply>(
        &self,
        script: Script,
        key: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<T, RedisError> {
        self.script_on(script, &[key], arguments).await
    }

    /// Runs a script on keys of one hash slot: by its name, and by its text where Redis does not know
    /// it yet.
    pub async fn script_on<T: FromReply>(
        &self,
        script: Script,
        keys: &[&str],
        arguments: Vec<RedisParameter>,
    ) -> Result<T, RedisError> {
        let mut all = args![&script.name[..], keys.len()];
        all.extend(keys.iter().map(|key| key.parameter()));
        all.extend(arguments);
        let keys = 2..2 + keys.len();
        let by_name = self.execute(script.repeat, "EVALSHA", &all, keys.clone());
        let reply = match by_name.await {
            Err(RedisError::NoScript(_)) => {
                all[0] = script.source.parameter();
                self.execute(script.repeat, "EVAL", &all, keys).await
            }
            reply => reply,
        };
        reply.and_then(T::from_reply)
    }

    /// A value of another type under a key of ours is not ours: it counts as absent. `keys` is where the
    /// keys are among the arguments.
    async fn execute(
        &self,
        repeat: Repeat,
        command: &'static str,
        arguments: &[RedisParameter],
        keys: Range<usize>,
    ) -> Result<Vec<RedisResult>, RedisError> {
        let reply = connection::execute(self.criticality, repeat, command, arguments).await;
        if !matches!(reply, Err(RedisError::WrongType(_))) || keys.is_empty() {
            return reply;
        }
        log::warn!("deleted a key of ours that held a value of another type ({command})");
        let keys = &arguments[keys];
        connection::execute(self.criticality, Repeat::Safe, "DEL", keys).await?;
        connection::execute(self.criticality, repeat, command, arguments).await
    }
}
