//! A proxy before a store that loses acknowledgements: the statement or command is carried out, and the
//! connection breaks before its result arrives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running proxy. It ends with the runtime of the test.
pub struct LossyProxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: String,
    /// How many more results with the marker get lost.
    losses: AtomicUsize,
    marker: Vec<u8>,
}

impl LossyProxy {
    /// Starts a proxy before `server` (host:port). Results that contain `marker` are the
    /// acknowledgements that it may lose; with an empty marker these are all.
    pub async fn start(server: String, marker: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            server,
            losses: AtomicUsize::new(0),
            marker: marker.into(),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, Arc::clone(&serving)));
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Loses the next acknowledgement.
    pub fn lose_next(&self) {
        self.lose(1);
    }

    /// Loses the next `count` acknowledgements.
    pub fn lose(&self, count: usize) {
        self.state.losses.store(count, Ordering::SeqCst);
    }

    /// Whether the acknowledgement was lost.
    pub fn has_lost(&self) -> bool {
        self.state.losses.load(Ordering::SeqCst) == 0
    }
}

async fn forward(client: TcpStream, state: Arc<State>) {
    let Ok(server) = TcpStream::connect(&state.server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = async {
        tokio::io::copy(&mut from_client, &mut to_server)
            .await
            .map(drop)
    };
    let results = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from_server.read(&mut buffer).await?;
            let result = &buffer[..length];
            if length == 0 || state.loses(result) {
                return std::io::Result::Ok(());
            }
            to_client.write_all(result).await?;
        }
    };
    // Either end closes both connections.
    tokio::select! {
        _ = requests => {}
        _ = results => {}
    }
}

impl State {
    fn loses(&self, result: &[u8]) -> bool {
        let marked = self.marker.is_empty()
            || result
                .windows(self.marker.len())
                .any(|part| part == &*self.marker);
        marked
            && self
                .losses
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }
}
