//! Opens Redis connections, for guests and for triggers, and tells operators
//! in the agreed words how that went.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, RedisError, RedisResult,
    aio::{MultiplexedConnection, PubSub},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::secrets::redact;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// During an outage, errors are logged no more often than this.
const ERROR_INTERVAL: Duration = Duration::from_secs(1);

/// Opens connections, and remembers whether Redis could be reached lately.
#[derive(Default)]
pub struct RedisClient {
    tcp: TcpSettings,
    link: Mutex<Link>,
}

#[derive(Clone, Copy, Default)]
enum Link {
    #[default]
    Untried,
    Up,
    Down {
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
            link: Mutex::default(),
        }
    }

    /// Understands `address`, with the special characters in a password that `redis-cli` takes,
    /// without connecting.
    pub fn parse(&self, address: &str) -> RedisResult<Client> {
        let canonical = store_url::redis(address);
        Client::open(
            canonical
                .as_deref()
                .unwrap_or(address)
                .into_connection_info()?
                .set_tcp_settings(self.tcp.clone()),
        )
    }

    /// Opens a connection for commands. Commands have no time limit of their
    /// own: a guest may block in one.
    pub async fn open(&self, client: &Client, address: &str) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        let opened = client
            .get_multiplexed_async_connection_with_config(&config)
            .await;
        self.note(opened, address)
    }

    /// Opens a connection and subscribes it to `channel`.
    pub async fn subscribe(
        &self,
        client: &Client,
        address: &str,
        channel: &str,
    ) -> RedisResult<PubSub> {
        let subscribing = async {
            let mut connection = client.get_async_pubsub().await?;
            connection.subscribe(channel).await?;
            Ok(connection)
        };
        let timed_out = |_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, subscribing)
            .await
            .unwrap_or_else(timed_out);
        self.note(opened, address)
    }

    fn note<C>(&self, opened: RedisResult<C>, address: &str) -> RedisResult<C> {
        match &opened {
            Ok(_) => self.note_success(),
            Err(error) => self.note_failure(error, address),
        }
        opened
    }

    fn note_success(&self) {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*link, Link::Up) {
            *link = Link::Up;
            tracing::info!("Redis connected successfully");
        }
    }

    /// Logs `error` if it means that the server cannot be reached.
    pub fn note_failure(&self, error: &RedisError, address: &str) {
        self.note_outage(&redact(&error.to_string(), address));
    }

    /// Logs why the server cannot be reached.
    pub fn note_outage(&self, reason: &str) {
        let now = Instant::now();
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if let Link::Down { last_logged } = *link
            && now.duration_since(last_logged) < ERROR_INTERVAL
        {
            return;
        }
        *link = Link::Down { last_logged: now };
        tracing::error!("Redis connection error: {reason}");
    }
}
