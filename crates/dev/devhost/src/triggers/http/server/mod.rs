//! Serves the connections of one event loop.
//!
//! # Layout
//!
//! * [`request`]: finds the component for a request, and returns its response
//! * [`response`]: the host's own responses

mod request;
mod response;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{event_loops::Connection, response_body, routes::Routes, workers::Handler};
use crate::shutdown::Drain;

/// An HTTP server for all routes.
pub struct Server {
    routes: Routes<Handler>,
    drain: Drain,
    nodelay: bool,
}

/// What the requests of a running server share.
struct Shared {
    routes: Routes<Handler>,
    end_of_streams: CancellationToken,
    nodelay: bool,
}

impl Server {
    /// A server whose idle instances end when the drain starts, and whose
    /// connections have TCP_NODELAY if `nodelay`.
    pub fn new(routes: Routes<Handler>, drain: Drain, nodelay: bool) -> Self {
        Self {
            routes,
            drain,
            nodelay,
        }
    }

    /// Logs the routes, which Spin prints to its standard output.
    pub fn log_routes(&self, address: SocketAddr) {
        tracing::info!("Available Routes:");
        for route in self.routes.iter() {
            let component = route.handler.state().component();
            tracing::info!("  {component}: http://{address}{}", route.absolute);
        }
    }

    /// Serves `connections` until there are no more, then until the last
    /// response has ended and its instance has nothing left to do.
    pub async fn run(self, mut connections: mpsc::UnboundedReceiver<Connection>) {
        let shared = Arc::new(Shared {
            routes: self.routes,
            end_of_streams: response_body::end_of_streams(&self.drain.started),
            nodelay: self.nodelay,
        });
        let open = GracefulShutdown::new();
        while let Some(connection) = connections.recv().await {
            let client = connection.client;
            if let Err(error) = shared.clone().serve(connection, &open) {
                tracing::warn!("Could not serve the connection of {client}: {error}");
            }
        }
        open.shutdown().await;
        self.drain.instances.close();
        self.drain.instances.wait().await;
    }
}

impl Shared {
    fn serve(self: Arc<Self>, connection: Connection, open: &GracefulShutdown) -> io::Result<()> {
        let Connection {
            stream,
            client,
            open: guard,
        } = connection;
        let stream = TcpStream::from_std(stream)?;
        // With it, short responses do not wait for the client's delayed acknowledgement.
        stream.set_nodelay(self.nodelay)?;
        let service = service_fn(move |request| {
            let shared = self.clone();
            async move { Ok::<_, Infallible>(shared.respond(request, client).await) }
        });
        let builder = auto::Builder::new(TokioExecutor::new());
        let serving = builder.serve_connection(TokioIo::new(stream), service);
        let serving = open.watch(serving.into_owned());
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!("Connection of {client} failed: {error}");
            }
            drop(guard);
        });
        Ok(())
    }
}
