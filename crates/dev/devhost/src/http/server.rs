//! Answers the requests of one event loop.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tracing::Level;
use wasmtime_wasi_http::WasiBody;

use super::{
    event_loops::Accepted,
    feeds::{self, AnswerBody},
    headers,
    routes::{Match, Routes, WELL_KNOWN},
    workers::{Handler, RequestTag},
};
use crate::shutdown::Drain;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An HTTP server for all routes.
pub struct Server {
    routes: Routes<Handler>,
    drain: Drain,
}

/// What the requests of a running server share.
struct Shared {
    routes: Routes<Handler>,
    end_of_feeds: CancellationToken,
}

impl Server {
    /// A server whose instances end when the drain begins.
    pub fn new(routes: Routes<Handler>, drain: Drain) -> Self {
        Self { routes, drain }
    }

    /// Lists the routes in the log, as Spin does on its standard output.
    pub fn log_routes(&self, address: SocketAddr) {
        tracing::info!("Available Routes:");
        for route in self.routes.iter() {
            tracing::info!(
                "  {}: http://{address}{}",
                route.handler.state().component(),
                route.absolute
            );
        }
    }

    /// Serves `connections` until there are no more, then until the last answer
    /// has ended and its instance has nothing left to do.
    pub async fn run(self, mut connections: mpsc::UnboundedReceiver<Accepted>) {
        let shared = Arc::new(Shared {
            routes: self.routes,
            end_of_feeds: feeds::end(&self.drain.begun),
        });
        let serving = GracefulShutdown::new();
        while let Some(accepted) = connections.recv().await {
            let client = accepted.client;
            if let Err(error) = shared.clone().serve(accepted, &serving) {
                tracing::warn!("Could not serve the connection of {client}: {error}");
            }
        }
        serving.shutdown().await;
        self.drain.instances.close();
        self.drain.instances.wait().await;
    }
}

impl Shared {
    fn serve(self: Arc<Self>, accepted: Accepted, serving: &GracefulShutdown) -> io::Result<()> {
        let Accepted {
            stream,
            client,
            open,
        } = accepted;
        let stream = TcpStream::from_std(stream)?;
        // Small answers must not wait for the client's delayed acknowledgement.
        stream.set_nodelay(true)?;
        let service = service_fn(move |request| {
            let shared = self.clone();
            async move { Ok::<_, Infallible>(shared.answer(request, client).await) }
        });
        let builder = auto::Builder::new(TokioExecutor::new());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = serving.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("Connection of {client} failed: {error}");
            }
            drop(open);
        });
        Ok(())
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<AnswerBody> {
        headers::strip(request.headers_mut());
        let path = request.uri().path().to_owned();
        let response = if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            well_known(name)
        } else if let Some(found) = self.routes.find(&path) {
            logged(request, &found, client).await
        } else {
            tracing::info!(method = %request.method(), route = %"-", status = 404);
            empty(StatusCode::NOT_FOUND)
        };
        feeds::wrap(response, &self.end_of_feeds)
    }
}

fn well_known(name: &str) -> Response<WasiBody> {
    match name {
        "health" => {
            let body = Full::new(Bytes::from_static(b"OK"));
            Response::new(body.map_err(|never| match never {}).boxed_unsync())
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Lets the component answer, and writes a line about it.
async fn logged(
    request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
) -> Response<WasiBody> {
    let handler = &found.route.handler;
    let tag = Arc::new(RequestTag::new(request.headers().get(REQUEST_ID)));
    if !tracing::enabled!(Level::INFO) {
        return handle(request, found, client, &tag).await;
    }
    let method = request.method().clone();
    let start = Instant::now();
    let response = handle(request, found, client, &tag).await;
    let id = response
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    tracing::info!(
        method = %method,
        route = %found.route.absolute,
        status = response.status().as_u16(),
        ms = format_args!("{:.1}", start.elapsed().as_secs_f64() * 1e3),
        component = %handler.state().component(),
        request = %id.map_or_else(|| tag.id().to_string(), str::to_owned),
    );
    response
}

async fn handle(
    request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
    tag: &Arc<RequestTag>,
) -> Response<WasiBody> {
    let handler = &found.route.handler;
    let failed = |error: anyhow::Error, status: StatusCode| {
        tracing::error!(component = %handler.state().component(), request = %tag.id(), "Request failed: {error:#}");
        empty(status)
    };
    let request = match prepare(request, found, client) {
        Ok(request) => request,
        Err((status, error)) => return failed(error, status),
    };
    let admission = handler.state().admit(tag.clone(), request.method()).await;
    match handler.handle(admission, request).await {
        Ok(response) => {
            tag.answered();
            response
        }
        Err(error) => failed(error.into(), StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn prepare(
    mut request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
) -> Result<Request<WasiBody>, (StatusCode, anyhow::Error)> {
    headers::make_absolute(&mut request).map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    headers::add(&mut request, found, client)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))?;
    Ok(request.map(|body| body.map_err(Into::into).boxed_unsync()))
}
