//! Opens Redis connections, for guests and for triggers, and logs when Redis
//! becomes reachable or unreachable.
//!
//! Operators search the log for these lines, so their words are fixed.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, RedisError, RedisResult,
    aio::{MultiplexedConnection, PubSub},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::redact::redact;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The shortest time between two logged errors of one outage.
const ERROR_INTERVAL: Duration = Duration::from_secs(1);

/// Opens connections, and knows whether the last attempt succeeded.
#[derive(Default)]
pub struct RedisClient {
    tcp: TcpSettings,
    state: Mutex<ConnectionState>,
}

#[derive(Clone, Copy, Default)]
enum ConnectionState {
    #[default]
    Unknown,
    Connected,
    Disconnected {
        last_logged: Instant,
    },
}

impl RedisClient {
    /// A client whose connections probe an idle peer after `keep_alive`;
    /// zero sends no probes.
    pub fn new(keep_alive: Duration) -> Self {
        let tcp = TcpSettings::default().set_nodelay(true);
        let tcp = match keep_alive {
            Duration::ZERO => tcp,
            time => tcp.set_keepalive(TcpKeepalive::new().with_time(time)),
        };
        Self {
            tcp,
            state: Mutex::default(),
        }
    }

    /// Parses `address`, with the special characters in a password that `redis-cli` takes, without
    /// connecting.
    pub fn parse(&self, address: &str) -> RedisResult<Client> {
        let canonical = store_url::redis(address);
        let info = canonical
            .as_deref()
            .unwrap_or(address)
            .into_connection_info()?;
        Client::open(info.set_tcp_settings(self.tcp.clone()))
    }

    /// Opens a connection for commands. Commands have no time limit of their
    /// own: a guest may send one that blocks.
    pub async fn open(&self, client: &Client, address: &str) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        let opened = client
            .get_multiplexed_async_connection_with_config(&config)
            .await;
        self.record(opened, address)
    }

    /// Opens a connection and subscribes it to `channels`.
    pub async fn subscribe(
        &self,
        client: &Client,
        address: &str,
        channels: &[&str],
    ) -> RedisResult<PubSub> {
        let subscribing = async {
            let mut connection = client.get_async_pubsub().await?;
            connection.subscribe(channels).await?;
            Ok(connection)
        };
        let timed_out = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, subscribing)
            .await
            .unwrap_or_else(timed_out);
        self.record(opened, address)
    }

    fn record<C>(&self, opened: RedisResult<C>, address: &str) -> RedisResult<C> {
        match &opened {
            Ok(_) => self.record_success(),
            Err(error) => self.record_error(error, address),
        }
        opened
    }

    fn record_success(&self) {
        let mut state = self.state();
        if !matches!(*state, ConnectionState::Connected) {
            *state = ConnectionState::Connected;
            tracing::info!("Redis connected successfully");
        }
    }

    /// Logs an error of a connection, without the password of `address`.
    pub fn record_error(&self, error: &RedisError, address: &str) {
        self.record_outage(&redact(&error.to_string(), address));
    }

    /// Logs why the server cannot be reached, at most once a second.
    pub fn record_outage(&self, reason: &str) {
        let now = Instant::now();
        let mut state = self.state();
        if let ConnectionState::Disconnected { last_logged } = *state
            && now.duration_since(last_logged) < ERROR_INTERVAL
        {
            return;
        }
        *state = ConnectionState::Disconnected { last_logged: now };
        tracing::error!("Redis connection error: {reason}");
    }

    fn state(&self) -> MutexGuard<'_, ConnectionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
