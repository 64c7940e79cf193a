//! Commands and scripts.

use spin_sdk::redis::{RedisParameter, RedisResult};

use super::connection::{self, Criticality};
use super::reply::FromReply;
use super::{RedisError, Repeat, Script};
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
        let key = arguments.first().cloned();
        self.execute(repeat, command, arguments, key)
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
        let mut all = args![script.source, 1_i64, key];
        let key = all.last().cloned();
        all.extend(arguments);
        self.execute(script.repeat, "EVAL", all, key)
            .await
            .and_then(T::from_reply)
    }

    /// A value of another type under a key of ours is not ours: it counts as absent.
    async fn execute(
        &self,
        repeat: Repeat,
        command: &'static str,
        arguments: Vec<RedisParameter>,
        key: Option<RedisParameter>,
    ) -> Result<Vec<RedisResult>, RedisError> {
        let reply = connection::execute(self.criticality, repeat, command, &arguments).await;
        let (Err(RedisError::WrongType(_)), Some(key)) = (&reply, key) else {
            return reply;
        };
        log::warn!("deleted a key of ours that held a value of another type ({command})");
        connection::execute(self.criticality, Repeat::Safe, "DEL", &[key]).await?;
        connection::execute(self.criticality, repeat, command, &arguments).await
    }
}
