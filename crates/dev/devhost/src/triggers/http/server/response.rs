//! The host's own responses.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use wasmtime_wasi_http::WasiBody;

/// The response of the path `name` below `/.well-known/spin/`.
pub fn well_known(name: &str) -> Response<WasiBody> {
    match name {
        "health" => {
            let body = Full::new(Bytes::from_static(b"OK"));
            Response::new(body.map_err(|never| match never {}).boxed_unsync())
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// A response without a body.
pub fn empty(status: StatusCode) -> Response<WasiBody> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
