//! A receiver of webhooks, good or bad.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How it answers a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With a status, and a short body.
    Status(u16),
    /// With a status, after a time.
    Later(u16, Duration),
    /// With a redirect to this URL.
    Redirect(String),
    /// With 200 and a body without end.
    Endless,
    /// With a head that comes byte by byte, one each time.
    Slowly(Duration),
    /// Not at all: the connection stays open.
    Never,
    /// Not at all: the connection is closed.
    Closed,
}

/// A request that it received.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path with the query.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// When it was complete.
    pub at: Instant,
}

impl Received {
    /// A header.
    ///
    /// # Panics
    ///
    /// When it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

type Behaviour = Box<dyn Fn(&Received) -> Answer + Send + Sync>;

struct Shared {
    received: Mutex<Vec<Received>>,
    behaviour: Mutex<Behaviour>,
}

/// An HTTP server on a port of its own. It ends with the runtime of the test.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Starts one that answers every request with 204.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            behaviour: Mutex::new(Box::new(|_| Answer::Status(204))),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                tokio::spawn(async move { drop(serve(client, &shared).await) });
            }
        });
        Self { address, shared }
    }

    /// Its URL, with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on it answers like this.
    pub fn answer(&self, behaviour: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        *lock(&self.shared.behaviour) = Box::new(behaviour);
    }

    /// All requests so far, in their order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    while let Some(received) = read(&mut client).await? {
        lock(&shared.received).push(received.clone());
        let answer = lock(&shared.behaviour)(&received);
        respond(client.get_mut(), answer).await?;
    }
    Ok(())
}

/// A request; `None` at the end of the connection.
async fn read(client: &mut BufReader<TcpStream>) -> io::Result<Option<Received>> {
    let mut line = String::new();
    if client.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).await?;
    Ok(Some(Received {
        path,
        headers,
        body,
        at: Instant::now(),
    }))
}

async fn respond(client: &mut TcpStream, answer: Answer) -> io::Result<()> {
    match answer {
        Answer::Status(status) => head(client, status, "").await,
        Answer::Later(status, after) => {
            tokio::time::sleep(after).await;
            head(client, status, "").await
        }
        Answer::Redirect(to) => head(client, 302, &format!("location: {to}\r\n")).await,
        Answer::Endless => {
            client
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
                .await?;
            loop {
                client.write_all(&[b'x'; 65536]).await?;
            }
        }
        Answer::Slowly(pause) => {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" {
                client.write_all(&[*byte]).await?;
                tokio::time::sleep(pause).await;
            }
            Ok(())
        }
        Answer::Never => std::future::pending().await,
        Answer::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

async fn head(client: &mut TcpStream, status: u16, headers: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status} Status\r\n{headers}content-length: 0\r\n\r\n");
    client.write_all(head.as_bytes()).await
}
