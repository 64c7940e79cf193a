//! One event loop per core, each on a thread of its own.
//!
//! A request, the instance that answers it and the connections that this
//! instance opens stay on one thread. So no task wakes another thread, and what
//! becomes ready together is handled together: the commands that the requests
//! of one iteration send to Redis leave in one write. A request takes two
//! thirds of the processor time that it takes on threads which share their
//! tasks.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    sync::mpsc,
};

use super::server::Server;
use crate::shutdown::Drain;

/// A pause after a failed `accept`, so that a lack of file descriptors does
/// not cause a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that an event loop is given before the next one is: a few clients
/// share their instances, as in Spin, and keep them warm.
const BATCH: usize = 4;

/// Running servers, which wait for connections.
pub struct EventLoops {
    loops: Vec<EventLoop>,
    /// Closed when the last server has ended.
    running: mpsc::Receiver<Infallible>,
}

struct EventLoop {
    connections: mpsc::UnboundedSender<Connection>,
    /// Every open connection holds a clone.
    open: Arc<()>,
}

/// An accepted connection.
pub struct Connection {
    /// In non-blocking mode.
    pub stream: TcpStream,
    /// The client's address.
    pub client: SocketAddr,
    /// Dropped with the connection.
    pub open: Arc<()>,
}

impl EventLoops {
    /// Starts one thread for each server; or, for a single server, as many as
    /// `threads`, which share its tasks.
    pub fn start(servers: Vec<Server>, threads: NonZeroUsize) -> io::Result<Self> {
        let threads = threads.get() / servers.len().max(1);
        let (guard, running) = mpsc::channel(1);
        let start = |server| EventLoop::start(server, threads, guard.clone());
        let loops = servers.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { loops, running })
    }

    /// Accepts connections until the drain starts, and returns when the last
    /// server has ended.
    pub async fn serve(mut self, listener: TcpListener, drain: Drain) {
        while let Some(accepted) = drain.started.run_until_cancelled(listener.accept()).await {
            let assigned =
                accepted.and_then(|(stream, client)| self.assign(stream.into_std()?, client));
            if let Err(error) = assigned {
                tracing::warn!("Could not accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        drop((listener, self.loops));
        self.running.recv().await;
    }

    /// Passes a connection to the event loop that has the fewest.
    fn assign(&self, stream: TcpStream, client: SocketAddr) -> io::Result<()> {
        let batches = |event_loop: &&EventLoop| event_loop.open_connections() / BATCH;
        let ended = || io::Error::other("the event loop has ended");
        let least = self.loops.iter().min_by_key(batches).ok_or_else(ended)?;
        let connection = Connection {
            stream,
            client,
            open: least.open.clone(),
        };
        least.connections.send(connection).map_err(|_| ended())
    }
}

impl EventLoop {
    fn start(server: Server, threads: usize, guard: mpsc::Sender<Infallible>) -> io::Result<Self> {
        let runtime = new_runtime(threads)?;
        let (connections, accepted) = mpsc::unbounded_channel();
        let run = move || {
            runtime.block_on(server.run(accepted));
            drop(guard);
        };
        thread::Builder::new().name("http".to_owned()).spawn(run)?;
        Ok(Self {
            connections,
            open: Arc::default(),
        })
    }

    fn open_connections(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }
}

fn new_runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = if threads > 1 {
        runtime::Builder::new_multi_thread()
    } else {
        runtime::Builder::new_current_thread()
    };
    builder.worker_threads(threads.max(1)).enable_all().build()
}
