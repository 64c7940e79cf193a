//! A client of WebSockets that hides nothing: every frame is visible as it came.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long [`Socket::next`] waits.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many of the last frames a failure shows.
const SHOWN: usize = 10;

/// Why a socket did not open.
#[derive(Debug)]
pub struct Refused {
    /// The status of the response; 0 where there was none.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The last frames that were taken, for the message of a failure.
    taken: VecDeque<Value>,
}

impl Socket {
    /// Opens a socket at `ws://{address}{path}` with more headers.
    ///
    /// # Errors
    ///
    /// When the handshake is refused.
    pub async fn open(
        address: &str,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, Refused> {
        let request = format!("ws://{address}{path}").into_client_request();
        let mut request = request.map_err(refused)?;
        for (name, value) in headers {
            let value = value.parse().expect("a header's value");
            request.headers_mut().insert(*name, value);
        }
        let stream = TcpStream::connect(address).await.map_err(Error::Io);
        let stream = stream.map_err(refused)?;
        stream.set_nodelay(true).expect("a TCP connection");
        let (stream, _) = client_async(request, stream).await.map_err(refused)?;
        Ok(Self {
            stream,
            taken: VecDeque::new(),
        })
    }

    /// Sends a frame of JSON.
    ///
    /// # Panics
    ///
    /// When the connection is gone.
    pub async fn send(&mut self, frame: Value) {
        self.send_text(frame.to_string()).await;
    }

    /// Sends any text.
    ///
    /// # Panics
    ///
    /// When the connection is gone.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send_message(Message::Text(text.into().into())).await;
    }

    /// Sends a binary message.
    ///
    /// # Panics
    ///
    /// When the connection is gone.
    pub async fn send_binary(&mut self, content: Vec<u8>) {
        self.send_message(Message::Binary(content.into())).await;
    }

    async fn send_message(&mut self, message: Message) {
        self.stream.send(message).await.expect("an open socket");
    }

    /// The next frame; none once the socket has ended.
    ///
    /// # Panics
    ///
    /// When none comes within 20 s, or what comes is not JSON.
    pub async fn next(&mut self) -> Option<Value> {
        let next = tokio::time::timeout(TIMEOUT, self.next_message()).await;
        let next = next.unwrap_or_else(|_| panic!("no frame in time; {}", self.last_seen()));
        match next {
            Some(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{error} in the frame {text:?}"));
                self.taken.truncate(SHOWN - 1);
                self.taken.push_front(frame.clone());
                Some(frame)
            }
            _ => None,
        }
    }

    /// The next frame, without a timeout; none once the socket has ended.
    ///
    /// # Panics
    ///
    /// When what comes is not JSON.
    pub async fn try_next(&mut self) -> Option<Value> {
        let text = self.next_text().await?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    /// The next frame as it came, without a timeout; none once the socket has ended.
    pub async fn next_text(&mut self) -> Option<String> {
        match self.next_message().await? {
            Message::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Sends a frame of JSON to a connection that may be gone.
    ///
    /// # Errors
    ///
    /// When it is.
    pub async fn try_send(&mut self, frame: Value) -> Result<(), Refused> {
        let sent = self.stream.send(Message::Text(frame.to_string().into()));
        sent.await.map_err(refused)
    }

    /// The next frame of a type; others are skipped.
    ///
    /// # Panics
    ///
    /// When the socket ends before it, or is silent for 20 s.
    pub async fn next_of(&mut self, of: &str) -> Value {
        loop {
            let next = self.next().await;
            let next = next.unwrap_or_else(|| panic!("it ended before {of}; {}", self.last_seen()));
            if next["type"] == of {
                return next;
            }
        }
    }

    /// Sends a frame with a `ref` and returns its answer, `ok` or `error`; others are skipped.
    ///
    /// # Panics
    ///
    /// As [`next_of`](Self::next_of).
    pub async fn ask(&mut self, mut frame: Value) -> Value {
        let reference = crate::unique_id().to_string();
        frame["ref"] = reference.clone().into();
        self.send(frame).await;
        loop {
            let next = self.next().await;
            let next = next.unwrap_or_else(|| panic!("no answer; {}", self.last_seen()));
            if next["ref"] == *reference {
                return next;
            }
        }
    }

    /// Reads until the socket ends; the code of the proxy's close frame, if there is one.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    pub async fn end_within(&mut self, timeout: Duration) -> Option<u16> {
        let end = async {
            loop {
                match self.next_message().await {
                    Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        let ended = tokio::time::timeout(timeout, end).await;
        ended.unwrap_or_else(|_| panic!("the socket goes on after {timeout:?}"))
    }

    /// Closes it with a goodbye, and waits for the other side's.
    pub async fn close(mut self) {
        let goodbye = CloseFrame {
            code: 1000.into(),
            reason: "".into(),
        };
        let _ = self.stream.close(Some(goodbye)).await;
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// The next message that is no part of the protocol's own; none once the connection has ended.
    async fn next_message(&mut self) -> Option<Message> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                message => return Some(message),
            }
        }
    }

    fn last_seen(&self) -> String {
        format!("the last frames, newest first: {:#?}", self.taken)
    }
}

fn refused(error: Error) -> Refused {
    match error {
        Error::Http(response) => Refused {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into(),
        },
        other => Refused {
            status: 0,
            body: other.to_string(),
        },
    }
}
