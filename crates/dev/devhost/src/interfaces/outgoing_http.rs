//! HTTP requests that guests send. `allowed_outbound_hosts` covers them too.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::{config::allowed_hosts::Destination, guest::GuestContext};

/// Sends a component's requests.
pub struct OutgoingHttp {
    context: Arc<GuestContext>,
}

impl OutgoingHttp {
    /// A client for the instances of one component.
    pub fn new(context: Arc<GuestContext>) -> Self {
        Self { context }
    }

    fn may_send(&self, uri: &http::Uri) -> bool {
        let destination = || Destination::new(uri.scheme_str()?, uri.host()?, uri.port_u16());
        destination().is_some_and(|destination| self.context.may_connect(&destination))
    }
}

type Ending = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for OutgoingHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_ended: Ending,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ending), Error>> + Send> {
        let allowed = self.may_send(request.uri());
        Box::new(async move {
            if !allowed {
                return Err(Error::HttpRequestDenied);
            }
            let (response, io) = default_send_request(request, options).await?;
            Ok((
                response.map(|body| body.boxed_unsync()),
                Box::new(io) as Ending,
            ))
        })
    }
}
