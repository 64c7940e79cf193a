//! A client of Server-Sent Events that hides nothing: comments and ids are seen as they came.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// How long [`EventStream::next`] waits unless told otherwise: longer than a stream may be
/// silent.
const PATIENCE: Duration = Duration::from_secs(20);

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

/// A block of an event stream, up to its empty line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: Option<String>,
    /// The type; empty where the stream names none.
    pub event: String,
    pub data: String,
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

    /// Whether the block holds nothing but a comment.
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
}

impl EventStream {
    /// Sends the request and reads as far as the headers.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn open(request: RequestBuilder) -> Self {
        Self::try_open(request)
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// As [`open`](Self::open), for tests in which nobody may answer.
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
        })
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The next event, comments passed over; nothing once the stream has ended.
    ///
    /// # Panics
    ///
    /// When none comes within 20 s.
    pub async fn next(&mut self) -> Option<Event> {
        let next = async {
            loop {
                match self.next_block().await {
                    Some(block) if block.is_comment() => {}
                    other => return other,
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .unwrap_or_else(|_| panic!("no event within {PATIENCE:?}"))
    }

    /// The next event of a type, all others passed over.
    ///
    /// # Panics
    ///
    /// When the stream ends before it comes, or is silent for 20 s.
    pub async fn next_of(&mut self, event: &str) -> Event {
        loop {
            let next = self
                .next()
                .await
                .unwrap_or_else(|| panic!("the stream ended before {event}"));
            if next.event == event {
                return next;
            }
        }
    }

    /// The next event or comment, however long it takes; nothing once the stream has ended.
    pub async fn next_block(&mut self) -> Option<Event> {
        loop {
            if let Some(block) = self.parser.blocks.pop_front() {
                return Some(block);
            }
            self.parser.feed(&self.chunks.next().await?.ok()?);
        }
    }
}

/// Splits what arrives into blocks.
#[derive(Default)]
struct Parser {
    /// A line that has not ended yet.
    partial: Vec<u8>,
    block: Event,
    has_data: bool,
    blocks: VecDeque<Event>,
}

impl Parser {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned();
                self.line(line.trim_end_matches('\r'));
            } else {
                self.partial.push(*byte);
            }
        }
    }

    fn line(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => self.end_block(),
            "" => self.block.comment = Some(value.into()),
            "id" => self.block.id = Some(value.into()),
            "event" => self.block.event = value.into(),
            "data" => self.add_data(value),
            _ => {}
        }
    }

    fn add_data(&mut self, line: &str) {
        if self.has_data {
            self.block.data.push('\n');
        }
        self.block.data.push_str(line);
        self.has_data = true;
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.has_data = false;
        if block != Event::default() {
            self.blocks.push_back(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Parser};

    fn blocks(text: &str) -> Vec<Event> {
        let mut parser = Parser::default();
        text.as_bytes()
            .chunks(3)
            .for_each(|chunk| parser.feed(chunk));
        parser.blocks.into()
    }

    #[test]
    fn events_are_put_together_from_whatever_arrives() {
        let found = blocks(
            "id: 7\nevent: new-message\ndata: {\"a\":1}\n\n: still here\n\ndata: one\r\ndata:two\r\n\r\ndata: cut off",
        );
        let event = |id: Option<&str>, event: &str, data: &str| Event {
            id: id.map(Into::into),
            event: event.into(),
            data: data.into(),
            comment: None,
        };
        let comment = Event {
            comment: Some("still here".into()),
            ..Event::default()
        };
        assert_eq!(
            found,
            [
                event(Some("7"), "new-message", "{\"a\":1}"),
                comment.clone(),
                event(None, "", "one\ntwo")
            ]
        );
        assert!(comment.is_comment());
    }
}
