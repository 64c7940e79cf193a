//! Sending Server-Sent Events to one client: a body that buffers two chunks at the most, so that a
//! client that reads slowly puts backpressure on its own stream and on nothing else.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use ::http::{HeaderName, StatusCode, header};
use bytes::Bytes;
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::channel::oneshot;
use futures::future::{Either, pending, select};
use futures::{SinkExt, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use spin_sdk::http::{BoxBody, box_body};

use super::Response;
use super::sse::{self, SseEvent};
use crate::{clock, random, task};

/// The time between two keep-alive comments; also how soon a client that disconnected is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long a client may take to read what was sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// About how many bytes are sent together.
const CHUNK: usize = 64 * 1024;

/// The comment at the end of a stream whose lifetime is over.
pub const LIFETIME_OVER: &str = ": lifetime over: resume\n\n";

const MEDIA_TYPE: &str = "text/event-stream";
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Why a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// The client disconnected, or does not read.
    Disconnected,
    /// The client's right to it ended.
    AccessLost,
}

/// Sends events to one client.
pub struct SseSender(Sender<Bytes>);

impl SseSender {
    /// Opens the stream: from here on the client knows where to resume.
    pub async fn open(&mut self, id: Option<String>) -> Result<(), StreamEnd> {
        self.send(opening(id)).await
    }

    /// Sends events, and leaves the list empty.
    pub async fn send_all(&mut self, events: &mut Vec<SseEvent>) -> Result<(), StreamEnd> {
        let mut text = String::new();
        for event in events.drain(..) {
            text.push_str(&event.to_string());
            if text.len() >= CHUNK {
                self.send(std::mem::take(&mut text)).await?;
            }
        }
        if text.is_empty() {
            Ok(())
        } else {
            self.send(text).await
        }
    }

    async fn send(&mut self, text: String) -> Result<(), StreamEnd> {
        match clock::timeout(WRITE_TIMEOUT, self.0.send(text.into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(clock::Elapsed) => Err(StreamEnd::Disconnected),
        }
    }
}

/// A response with an event stream. `feed` runs on behind the response until it ends, the client
/// disconnects, or `lifetime` has passed; then the client resumes behind the last id that it got.
pub fn event_stream<F>(
    lifetime: Option<Duration>,
    feed: impl FnOnce(SseSender) -> F + 'static,
) -> Response
where
    F: Future<Output = StreamEnd> + 'static,
{
    let (sender, receiver) = channel(0);
    let (connected, disconnected) = oneshot::channel();
    task::spawn(run(lifetime, feed, sender, disconnected));
    with_headers(Response::stream(MEDIA_TYPE, body(receiver, connected)))
}

/// A response with a part of an event stream, as a whole body.
pub fn event_text(text: String) -> Response {
    with_headers(Response::whole(StatusCode::OK, MEDIA_TYPE, text))
}

fn with_headers(response: Response) -> Response {
    response
        .header(header::CACHE_CONTROL, "no-store")
        .header(X_ACCEL_BUFFERING, "no")
}

/// What a stream begins with: from here on the client knows where to resume.
#[must_use]
pub fn opening(id: Option<String>) -> String {
    let retry = random::duration(Duration::from_secs(1), Duration::from_secs(2));
    sse::opening(retry, id)
}

async fn run<F>(
    lifetime: Option<Duration>,
    feed: impl FnOnce(SseSender) -> F,
    sender: Sender<Bytes>,
    disconnected: oneshot::Receiver<Infallible>,
) where
    F: Future<Output = StreamEnd>,
{
    let feed = pin!(feed(SseSender(sender.clone())));
    let keep_alive = pin!(keep_alive(sender.clone()));
    let expired = pin!(expire(lifetime));
    // A feed that is dropped here closes its Redis connection, even in a read that blocks.
    let ended = select(select(feed, keep_alive), select(disconnected, expired)).await;
    if let Either::Right((Either::Right(_), _)) = ended {
        let mut sender = SseSender(sender);
        let _ = sender.send(LIFETIME_OVER.into()).await;
    }
}

/// The response's body. The host drops it when a chunk cannot be sent, and `connected` with it.
fn body(receiver: Receiver<Bytes>, connected: oneshot::Sender<Infallible>) -> BoxBody {
    let chunks = receiver.map(move |chunk| {
        let _ = &connected;
        Ok::<_, Infallible>(Frame::data(chunk))
    });
    box_body(StreamBody::new(chunks))
}

/// Sends comments, unless the client still has something to read.
async fn keep_alive(mut sender: Sender<Bytes>) -> Infallible {
    loop {
        clock::sleep(KEEP_ALIVE).await;
        let _ = sender.try_send(sse::comment("keep-alive").into());
    }
}

async fn expire(lifetime: Option<Duration>) {
    match lifetime {
        Some(lifetime) => clock::sleep(lifetime).await,
        None => pending().await,
    }
}
