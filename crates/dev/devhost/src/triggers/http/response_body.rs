//! Ends event streams when the process stops.
//!
//! A response of server-sent events would delay a shutdown for ever. Its client
//! can resume it, so it is ended early and regularly, while other responses may
//! finish.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi_http::{Error, WasiBody};

/// The time between the start of the drain and the end of event streams.
const STREAM_GRACE: Duration = Duration::from_secs(1);

pin_project! {
    /// A response's body, which ends early if it is an event stream and the
    /// process stops.
    pub struct ResponseBody {
        #[pin]
        body: WasiBody,
        #[pin]
        end: Option<WaitForCancellationFutureOwned>,
    }
}

/// A token that is cancelled [`STREAM_GRACE`] after `drain_started`.
pub fn end_of_streams(drain_started: &CancellationToken) -> CancellationToken {
    let end = CancellationToken::new();
    let (started, trigger) = (drain_started.clone(), end.clone());
    tokio::spawn(async move {
        started.cancelled().await;
        tokio::time::sleep(STREAM_GRACE).await;
        trigger.cancel();
    });
    end
}

/// Makes `response` end at `end_of_streams`, if it is an event stream.
pub fn wrap(
    response: Response<WasiBody>,
    end_of_streams: &CancellationToken,
) -> Response<ResponseBody> {
    let is_stream = is_event_stream(&response);
    let end = is_stream.then(|| end_of_streams.clone().cancelled_owned());
    response.map(|body| ResponseBody { body, end })
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.project();
        if let Some(end) = this.end.as_pin_mut()
            && end.poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        this.body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
