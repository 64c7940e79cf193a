//! Finds the component for a request, and returns its response.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tracing::Level;
use wasmtime_wasi_http::WasiBody;

use super::{
    Shared,
    response::{empty, well_known},
};
use crate::triggers::http::{
    headers,
    response_body::{self, ResponseBody},
    routes::{Match, WELL_KNOWN},
    workers::{Handler, RequestTag},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Shared {
    /// Answers one request.
    pub(super) async fn respond(
        &self,
        mut request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<ResponseBody> {
        headers::strip(request.headers_mut());
        let path = request.uri().path().to_owned();
        let response = if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            well_known(name)
        } else if let Some(found) = self.routes.find(&path) {
            respond_and_log(request, &found, client).await
        } else {
            tracing::info!(method = %request.method(), route = %"-", status = 404);
            empty(StatusCode::NOT_FOUND)
        };
        response_body::wrap(response, &self.end_of_streams)
    }
}

/// Calls the component, and logs a line about it.
async fn respond_and_log(
    request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
) -> Response<WasiBody> {
    let tag = Arc::new(RequestTag::new(request.headers().get(REQUEST_ID)));
    if !tracing::enabled!(Level::INFO) {
        return respond(request, found, client, &tag).await;
    }
    let method = request.method().clone();
    let start = Instant::now();
    let response = respond(request, found, client, &tag).await;
    tracing::info!(
        method = %method,
        route = %found.route.absolute,
        status = response.status().as_u16(),
        ms = format_args!("{:.1}", start.elapsed().as_secs_f64() * 1e3),
        component = %found.route.handler.state().component(),
        request = %request_id(&response, &tag),
    );
    response
}

/// The id that the component returned, or the request's own.
fn request_id(response: &Response<WasiBody>, tag: &RequestTag) -> String {
    let returned = response.headers().get(REQUEST_ID);
    let returned = returned.and_then(|id| id.to_str().ok());
    returned.map_or_else(|| tag.id().to_string(), str::to_owned)
}

async fn respond(
    request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
    tag: &Arc<RequestTag>,
) -> Response<WasiBody> {
    call(request, found, client, tag)
        .await
        .unwrap_or_else(|(status, error)| {
            let component = found.route.handler.state().component();
            tracing::error!(component = %component, request = %tag.id(), "Request failed: {error:#}");
            empty(status)
        })
}

type Failure = (StatusCode, anyhow::Error);

async fn call(
    request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
    tag: &Arc<RequestTag>,
) -> Result<Response<WasiBody>, Failure> {
    let handler = &found.route.handler;
    let request = prepare(request, found, client)?;
    let admission = handler.state().admit(tag.clone(), request.method()).await;
    let response = handler.handle(admission, request).await;
    let failed = |error| {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            anyhow::Error::from(error),
        )
    };
    let response = response.map_err(failed)?;
    tag.set_answered();
    Ok(response)
}

fn prepare(
    mut request: Request<Incoming>,
    found: &Match<'_, '_, Handler>,
    client: SocketAddr,
) -> Result<Request<WasiBody>, Failure> {
    headers::make_absolute(&mut request).map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    headers::add(&mut request, found, client)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))?;
    Ok(request.map(|body| body.map_err(Into::into).boxed_unsync()))
}
