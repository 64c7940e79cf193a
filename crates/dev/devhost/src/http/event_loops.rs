//! One event loop per core, each on a thread of its own.
//!
//! A request, the instance that answers it and the connections which that
//! instance opens stay on one thread. So no task wakes another thread, and what
//! becomes ready together is handled together: the commands that the requests
//! of one turn send to Redis leave in one write. A request takes two thirds of
//! the processor time that it takes on threads which share their tasks.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{net::TcpListener, runtime, sync::mpsc};

use super::server::Server;
use crate::shutdown::Drain;

/// A pause after a failed `accept`, so that a lack of file descriptors does
/// not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that an event loop is given before the next one is: a few clients
/// share their instances, as in Spin, and keep them warm.
const COMPANY: usize = 4;

/// Servers that run and wait for connections.
pub struct EventLoops {
    loops: Vec<EventLoop>,
    /// Ends when the last of them has ended.
    running: mpsc::Receiver<Infallible>,
}

struct EventLoop {
    accepted: mpsc::UnboundedSender<Accepted>,
    /// Has a clone in every open connection.
    open: Arc<()>,
}

/// A connection that one of the event loops is to serve.
pub struct Accepted {
    /// Does not block.
    pub stream: TcpStream,
    /// The other side.
    pub client: SocketAddr,
    /// To be dropped with the connection.
    pub open: Arc<()>,
}

impl EventLoops {
    /// Gives each server a thread.
    pub fn start(servers: Vec<Server>) -> io::Result<Self> {
        let (runs, running) = mpsc::channel(1);
        let start = |server| EventLoop::start(server, runs.clone());
        let loops = servers.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { loops, running })
    }

    /// Accepts connections until the drain begins, and returns when the last
    /// server has ended.
    pub async fn serve(mut self, listener: TcpListener, drain: Drain) {
        while let Some(accepted) = drain.begun.run_until_cancelled(listener.accept()).await {
            let given = accepted.and_then(|(stream, client)| self.give(stream.into_std()?, client));
            if let Err(error) = given {
                tracing::warn!("Could not accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        drop((listener, self.loops));
        self.running.recv().await;
    }

    /// Gives a connection to the event loop that has the fewest.
    fn give(&self, stream: TcpStream, client: SocketAddr) -> io::Result<()> {
        let by_company = |event_loop: &&EventLoop| event_loop.connections() / COMPANY;
        let ended = || io::Error::other("its event loop has ended");
        let least = self.loops.iter().min_by_key(by_company).ok_or_else(ended)?;
        let accepted = Accepted {
            stream,
            client,
            open: least.open.clone(),
        };
        least.accepted.send(accepted).map_err(|_| ended())
    }
}

impl EventLoop {
    fn start(server: Server, runs: mpsc::Sender<Infallible>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (accepted, connections) = mpsc::unbounded_channel();
        let run = move || {
            runtime.block_on(server.run(connections));
            drop(runs);
        };
        thread::Builder::new().name("http".to_owned()).spawn(run)?;
        Ok(Self {
            accepted,
            open: Arc::default(),
        })
    }

    fn connections(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }
}
