//! An HTTP/1.1 client without checks: a library would refuse to send these requests.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the deadline of a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is opened on demand.
pub struct Connection {
    address: String,
    stream: Option<BufStream<TcpStream>>,
}

/// A response, as far as it was read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Connection {
    pub fn to(address: &str) -> Self {
        Self {
            address: address.into(),
            stream: None,
        }
    }

    /// Sends bytes unchanged and reads the response; of an event stream, only the headers.
    pub async fn send(&mut self, request: &[u8], has_body: bool) -> Result<Answer> {
        let exchange = async {
            let stream = self.open().await?;
            // The host may answer and close before the request is sent completely.
            let _ = stream.write_all(request).await;
            let _ = stream.flush().await;
            read(stream, has_body).await
        };
        let answer = timeout(PATIENCE, exchange).await.context("no answer")?;
        let goes_on = matches!(&answer, Ok((answer, whole))
            if *whole && answer.headers.get("connection").is_none_or(|value| value != "close"));
        if !goes_on {
            self.stream = None;
        }
        answer.map(|(answer, _)| answer)
    }

    async fn open(&mut self) -> Result<&mut BufStream<TcpStream>> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(BufStream::new(stream));
        }
        self.stream.as_mut().context("just opened")
    }
}

/// The response, and whether it was read completely.
async fn read(stream: &mut BufStream<TcpStream>, has_body: bool) -> Result<(Answer, bool)> {
    let status = line(stream).await?;
    let status = status.split(' ').nth(1).context("no status")?.parse()?;
    let mut headers = HashMap::new();
    loop {
        let line = line(stream).await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut answer = Answer {
        status,
        headers,
        body: vec![],
    };
    let whole = body(stream, &mut answer, has_body).await?;
    Ok((answer, whole))
}

async fn body(
    stream: &mut BufStream<TcpStream>,
    answer: &mut Answer,
    has_body: bool,
) -> Result<bool> {
    let header = |name: &str| answer.headers.get(name).map_or("", String::as_str);
    if !has_body || matches!(answer.status, 204 | 304) {
        return Ok(true);
    }
    if header("content-type") == "text/event-stream" {
        return Ok(false);
    }
    if let Ok(length) = header("content-length").parse() {
        answer.body = vec![0; length];
        stream.read_exact(&mut answer.body).await?;
        return Ok(true);
    }
    if header("transfer-encoding") != "chunked" {
        stream.read_to_end(&mut answer.body).await?;
        return Ok(false);
    }
    loop {
        let length = usize::from_str_radix(line(stream).await?.trim(), 16)?;
        let mut chunk = vec![0; length];
        stream.read_exact(&mut chunk).await?;
        line(stream).await?;
        answer.body.extend(chunk);
        if length == 0 {
            return Ok(true);
        }
    }
}

async fn line(stream: &mut BufStream<TcpStream>) -> Result<String> {
    let mut line = vec![];
    stream.read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        bail!("the connection was closed");
    }
    ensure!(line.ends_with(b"\n"), "the connection was cut");
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
