//! The way to one client: a body that holds two chunks at the most, so that a
//! client that reads slowly slows down its own feed and nothing else.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use ::http::{HeaderName, header};
use bytes::Bytes;
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::channel::oneshot;
use futures::future::{Either, pending, select};
use futures::{SinkExt, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use spin_sdk::http::{BoxBody, box_body};

use super::spread;
use super::sse::{self, Block};
use crate::clock;
use crate::http::Reply;

/// How often a client hears that the stream lives, at the least; also how soon
/// it is noticed that nobody listens any more.
const PULSE: Duration = Duration::from_secs(10);
/// How long a client may take to read what is on its way to it.
const STALLED: Duration = Duration::from_secs(60);
/// About how many bytes go out together.
const CHUNK: usize = 64 * 1024;

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Why a feed is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nobody listens.
    Abandoned,
    /// The viewer may see it no longer.
    Hidden,
}

/// Where a feed puts what it sends.
pub struct Outlet(Sender<Bytes>);

impl Outlet {
    /// Opens the stream: from here on the client knows where to go on.
    pub async fn open(&mut self, id: Option<String>) -> Result<(), Ended> {
        let retry = spread(Duration::from_secs(1), Duration::from_secs(2));
        self.send(sse::opening(retry, id)).await
    }

    /// Sends events, and leaves the list empty.
    pub async fn send_all(&mut self, blocks: &mut Vec<Block>) -> Result<(), Ended> {
        let mut text = String::new();
        for block in blocks.drain(..) {
            text.push_str(&block.to_string());
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

    async fn send(&mut self, text: String) -> Result<(), Ended> {
        match clock::timeout(STALLED, self.0.send(text.into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(clock::Elapsed) => Err(Ended::Abandoned),
        }
    }
}

/// Answers with a feed, which runs on behind the answer: until it ends, nobody
/// listens any more, or `lifetime` is over. Then the client comes back with the
/// last id that it got.
pub fn stream<F>(lifetime: Option<Duration>, feed: impl FnOnce(Outlet) -> F + 'static) -> Reply
where
    F: Future<Output = Ended> + 'static,
{
    let (sender, receiver) = channel(0);
    let (listening, left) = oneshot::channel();
    spin_sdk::wasip3::spawn(run(lifetime, feed, sender, left));
    Reply::stream("text/event-stream", body(receiver, listening))
        .header(header::CACHE_CONTROL, "no-store")
        .header(X_ACCEL_BUFFERING, "no")
}

async fn run<F>(
    lifetime: Option<Duration>,
    feed: impl FnOnce(Outlet) -> F,
    sender: Sender<Bytes>,
    left: oneshot::Receiver<Infallible>,
) where
    F: Future<Output = Ended>,
{
    let feed = pin!(feed(Outlet(sender.clone())));
    let alive = pin!(pulse(sender.clone()));
    let time_is_up = pin!(end_of(lifetime));
    // Whatever is dropped here takes its Redis connection with it, also out of
    // a read that waits.
    let over = select(select(feed, alive), select(left, time_is_up)).await;
    if let Either::Right((Either::Right(_), _)) = over {
        let mut outlet = Outlet(sender);
        let _ = outlet.send(sse::comment("time is up: resume")).await;
    }
}

/// The answer's body. The host drops it when a chunk finds nobody at the other
/// end, and `listening` with it.
fn body(receiver: Receiver<Bytes>, listening: oneshot::Sender<Infallible>) -> BoxBody {
    let chunks = receiver.map(move |chunk| {
        let _ = &listening;
        Ok::<_, Infallible>(Frame::data(chunk))
    });
    box_body(StreamBody::new(chunks))
}

/// Sends comments. A full channel tells as much: the client still has something
/// to read.
async fn pulse(mut sender: Sender<Bytes>) -> Infallible {
    loop {
        clock::sleep(PULSE).await;
        let _ = sender.try_send(sse::comment("alive").into());
    }
}

async fn end_of(lifetime: Option<Duration>) {
    match lifetime {
        Some(lifetime) => clock::sleep(lifetime).await,
        None => pending().await,
    }
}
