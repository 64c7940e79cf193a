//! An endpoint of a language model, whose behaviour each test chooses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// What it does with each request.
#[derive(Clone)]
pub enum Behaviour {
    /// Answers with this text, after a while.
    Says(&'static str, Duration),
    /// Sends these bytes and closes the connection.
    Sends(Vec<u8>),
    /// Never answers.
    Hangs,
}

/// The endpoint.
pub struct Endpoint {
    /// Its base address, as `ai_url` has it.
    pub url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    requests: Arc<Mutex<Vec<String>>>,
    count: Arc<AtomicUsize>,
}

impl Endpoint {
    /// Starts one on a free port.
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let endpoint = Self {
            url: format!("http://{address}/v1"),
            behaviour: Arc::new(Mutex::new(behaviour)),
            requests: Arc::default(),
            count: Arc::default(),
        };
        let (behaviour, requests, count) = (
            Arc::clone(&endpoint.behaviour),
            Arc::clone(&endpoint.requests),
            Arc::clone(&endpoint.count),
        );
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (behaviour, requests, count) =
                    (behaviour.clone(), requests.clone(), count.clone());
                tokio::spawn(async move {
                    serve(stream, &behaviour, &requests, &count).await;
                });
            }
        });
        endpoint
    }

    /// What it does from now on.
    pub async fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().await = behaviour;
    }

    /// How many requests it has got.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// The newest request, head and body.
    pub async fn newest(&self) -> String {
        let requests = self.requests.lock().await;
        requests.last().cloned().expect("a request")
    }
}

async fn serve(
    mut stream: TcpStream,
    behaviour: &Mutex<Behaviour>,
    requests: &Mutex<Vec<String>>,
    count: &AtomicUsize,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    requests.lock().await.push(request);
    count.fetch_add(1, Ordering::SeqCst);
    let behaviour = behaviour.lock().await.clone();
    let bytes = match behaviour {
        Behaviour::Hangs => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            return;
        }
        Behaviour::Sends(bytes) => bytes,
        Behaviour::Says(text, after) => {
            tokio::time::sleep(after).await;
            completion(text)
        }
    };
    // A client that is gone hears nothing.
    let _ = stream.write_all(&bytes).await;
}

/// A response that says a text.
pub fn completion(text: &str) -> Vec<u8> {
    let body = serde_json::json!({
        "model": "a-model-1",
        "choices": [{ "message": { "role": "assistant", "content": text } }],
    });
    response("200 OK", "application/json", &body.to_string())
}

/// A response with these parts.
pub fn response(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Reads a request whose body has the length that its head says.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream
            .read(&mut part)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length?.trim().parse().ok()? {
            return Some(text.into_owned());
        }
    }
}
