//! A running app, its API and its stores.

use std::sync::Arc;

use anyhow::Result;
use dev_services::{Pushpin, ServerProcess};
use redis::aio::MultiplexedConnection;
use reqwest::{Client, Method, RequestBuilder};
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::{Builder, Data, EventStream, Refused, Response, Socket, cleanup, send};

/// spin.toml on devhost, with real stores.
pub struct App {
    devhost: Arc<ServerProcess>,
    data: Arc<Data>,
    base_url: String,
    client: Client,
    gateway: Option<Pushpin>,
}

/// The app that all tests of a test binary share. The first call starts it.
///
/// # Panics
///
/// When it cannot be started.
pub async fn app() -> &'static App {
    static APP: OnceCell<Result<App, String>> = OnceCell::const_new();
    let start = async || {
        let app = App::builder()
            .try_spawn()
            .await
            .map_err(|error| format!("{error:#}"))?;
        let devhost = Arc::clone(&app.devhost);
        cleanup::at_exit(async move { drop(devhost.kill().await) });
        Ok(app)
    };
    match APP.get_or_init(start).await {
        Ok(app) => app,
        Err(error) => panic!("cannot start the app: {error}"),
    }
}

impl App {
    /// An app for one test: other variables, own stores, a second replica.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(
        devhost: ServerProcess,
        data: Arc<Data>,
        port: u16,
        gateway: Option<Pushpin>,
    ) -> Result<Self> {
        // Every test has a runtime of its own, and a pooled connection fails after the end of the
        // runtime that opened it.
        let client = Client::builder().pool_max_idle_per_host(0).build()?;
        Ok(Self {
            devhost: Arc::new(devhost),
            data,
            base_url: format!("http://127.0.0.1:{port}"),
            client,
            gateway,
        })
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    /// Posts a JSON body.
    pub async fn post(&self, path: &str, body: impl Serialize) -> Response {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// Patches with a JSON body.
    pub async fn patch(&self, path: &str, body: impl Serialize) -> Response {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Response {
        send(self.request(Method::DELETE, path)).await
    }

    /// A request to add headers or a body to, then sent by [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Opens an event stream.
    pub async fn events(&self, path: &str) -> EventStream {
        EventStream::open(self.request(Method::GET, path)).await
    }

    /// Opens an event stream that resumes after an event.
    pub async fn events_after(&self, path: &str, last_event_id: impl ToString) -> EventStream {
        let request = self
            .request(Method::GET, path)
            .header("last-event-id", last_event_id.to_string());
        EventStream::open(request).await
    }

    /// The Pushpin in front of it.
    ///
    /// # Panics
    ///
    /// When the app was built without one.
    pub fn gateway(&self) -> &Pushpin {
        self.gateway.as_ref().expect("Builder::gateway")
    }

    pub(crate) fn gateway_if_any(&self) -> Option<&Pushpin> {
        self.gateway.as_ref()
    }

    /// Opens the socket of a user, through the gateway.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn socket(&self, user: i64) -> Socket {
        let opened = self.try_socket(&socket_path(user), &[]).await;
        opened.unwrap_or_else(|refused| panic!("no socket: {refused:?}"))
    }

    /// Opens the socket at a path with more headers, through the gateway.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub async fn try_socket(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Socket, Refused> {
        let address = self.gateway().listen().to_string();
        Socket::open(&address, path, headers).await
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// The URL of a path for a browser: through the gateway, if there is one.
    pub fn page_url(&self, path: &str) -> String {
        match &self.gateway {
            Some(gateway) => format!("http://{}{path}", gateway.listen()),
            None => self.url(path),
        }
    }

    /// The address that it listens on, as `host:port`.
    pub fn address(&self) -> &str {
        self.base_url.trim_start_matches("http://")
    }

    /// The URL of its Redis.
    pub fn redis_url(&self) -> &str {
        self.data.redis_url()
    }

    /// A connection to its Redis.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn redis(&self) -> MultiplexedConnection {
        let client =
            redis::Client::open(self.data.redis_url()).expect("the stores' Redis URL is valid");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("Redis answers")
    }

    /// A connection to its Redis for subscriptions.
    ///
    /// # Panics
    ///
    /// When Redis does not answer.
    pub async fn subscriber(&self) -> redis::aio::PubSub {
        let client =
            redis::Client::open(self.data.redis_url()).expect("the stores' Redis URL is valid");
        client.get_async_pubsub().await.expect("Redis answers")
    }

    /// A session with its database.
    ///
    /// # Panics
    ///
    /// When PostgreSQL does not answer.
    pub async fn postgres(&self) -> tokio_postgres::Client {
        dev_services::connect(self.data.database_url())
            .await
            .expect("PostgreSQL answers")
    }

    /// What devhost has logged so far, in earlier runs too.
    pub fn log(&self) -> String {
        self.devhost.log()
    }

    /// The process, to stop and start it.
    pub fn devhost(&self) -> &ServerProcess {
        &self.devhost
    }

    /// Its stores.
    pub fn data(&self) -> &Arc<Data> {
        &self.data
    }
}

/// The path of a user's socket.
pub fn socket_path(user: i64) -> String {
    format!("/api/v1/messages/users/{user}/socket")
}
