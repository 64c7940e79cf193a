//! A client of Server-Sent Events that hides nothing: comments and ids are visible as they came.

mod parser;

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

use parser::Parser;

/// How long [`EventStream::next`] waits by default: longer than a stream may be silent.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many of the last events a failure shows.
const SHOWN: usize = 10;

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

/// An event or a comment, up to its empty line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The id, if the event has one.
    pub id: Option<String>,
    /// The type; empty if the event has none.
    pub event: String,
    /// The data, lines joined by line feeds.
    pub data: String,
    /// The last comment.
    pub comment: Option<String>,
}

impl Event {
    /// The data as JSON.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data)
            .unwrap_or_else(|error| panic!("{error} in the event {self:?}"))
    }

    /// Whether this is only a comment.
    pub fn is_comment(&self) -> bool {
        self.comment.is_some() && self.data.is_empty() && self.event.is_empty()
    }
}

/// An open event stream.
pub struct EventStream {
    status: u16,
    headers: HeaderMap,
    chunks: Chunks,
    parser: Parser,
    /// The last events and comments that were taken, for the message of a failure.
    taken: VecDeque<Event>,
}

impl EventStream {
    /// Sends the request and reads the response's headers.
    ///
    /// # Panics
    ///
    /// When there is no response.
    pub async fn open(request: RequestBuilder) -> Self {
        Self::try_open(request)
            .await
            .unwrap_or_else(|error| panic!("no response: {error:?}"))
    }

    /// As [`open`](Self::open), for tests in which the host may be away.
    ///
    /// # Errors
    ///
    /// When there is no response.
    pub async fn try_open(request: RequestBuilder) -> reqwest::Result<Self> {
        let request = request.header("accept", "text/event-stream");
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let chunks = response.bytes_stream().map(|chunk| chunk.map(Vec::from));
        Ok(Self {
            status,
            headers,
            chunks: Box::pin(chunks),
            parser: Parser::default(),
            taken: VecDeque::new(),
        })
    }

    /// The status code of the response.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The next event, without comments; none once the stream has ended.
    ///
    /// # Panics
    ///
    /// When none comes within 20 s.
    pub async fn next(&mut self) -> Option<Event> {
        self.next_within(TIMEOUT).await
    }

    /// As [`next`](Self::next), with another timeout.
    ///
    /// # Panics
    ///
    /// When none comes in time; the message shows the last events.
    pub async fn next_within(&mut self, timeout: Duration) -> Option<Event> {
        let next = async {
            loop {
                match self.next_block().await {
                    Some(block) if block.is_comment() => {}
                    other => return other,
                }
            }
        };
        let next = tokio::time::timeout(timeout, next).await;
        next.unwrap_or_else(|_| panic!("no event within {timeout:?}; {}", self.last_seen()))
    }

    /// The next event of a type; others are skipped.
    ///
    /// # Panics
    ///
    /// When the stream ends before it, or is silent for 20 s.
    pub async fn next_of(&mut self, event: &str) -> Event {
        loop {
            let next = self.next().await;
            let next = next
                .unwrap_or_else(|| panic!("the stream ended before {event}; {}", self.last_seen()));
            if next.event == event {
                return next;
            }
        }
    }

    /// Reads until the stream ends.
    ///
    /// # Panics
    ///
    /// When it does not end in time; the message shows the last events.
    pub async fn end_within(&mut self, timeout: Duration) {
        let end = async { while self.next_block().await.is_some() {} };
        let ended = tokio::time::timeout(timeout, end).await;
        assert!(
            ended.is_ok(),
            "the stream goes on after {timeout:?}; {}",
            self.last_seen()
        );
    }

    /// The next event or comment, without a timeout; none once the stream has ended.
    pub async fn next_block(&mut self) -> Option<Event> {
        loop {
            if let Some(block) = self.parser.blocks.pop_front() {
                self.taken.truncate(SHOWN - 1);
                self.taken.push_front(block.clone());
                return Some(block);
            }
            self.parser.feed(&self.chunks.next().await?.ok()?);
        }
    }

    fn last_seen(&self) -> String {
        format!(
            "status {}, the last events, newest first: {:#?}",
            self.status, self.taken
        )
    }
}
