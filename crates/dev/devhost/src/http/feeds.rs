//! Ends endless answers when the process stops.
//!
//! A feed of server-sent events would hold a drain up for ever. Its client
//! knows how to resume, so it is ended early and in good order, while other
//! answers may finish.

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

/// How long after the drain begins feeds are ended.
const FEED_GRACE: Duration = Duration::from_secs(1);

pin_project! {
    /// An answer's body; ends early if it is a feed and the time has come.
    pub struct AnswerBody {
        #[pin]
        body: WasiBody,
        #[pin]
        end: Option<WaitForCancellationFutureOwned>,
    }
}

/// A token that is cancelled [`FEED_GRACE`] after `draining`.
pub fn end(draining: &CancellationToken) -> CancellationToken {
    let end = CancellationToken::new();
    let (draining, trigger) = (draining.clone(), end.clone());
    tokio::spawn(async move {
        draining.cancelled().await;
        tokio::time::sleep(FEED_GRACE).await;
        trigger.cancel();
    });
    end
}

/// Makes `response` end at `end_of_feeds`, if it is a feed.
pub fn wrap(
    response: Response<WasiBody>,
    end_of_feeds: &CancellationToken,
) -> Response<AnswerBody> {
    let content_type = response.headers().get(CONTENT_TYPE);
    let is_feed =
        content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let end = is_feed.then(|| end_of_feeds.clone().cancelled_owned());
    response.map(|body| AnswerBody { body, end })
}

impl Body for AnswerBody {
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
