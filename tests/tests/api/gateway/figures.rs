//! The figures of docs/gateway.md. They take minutes and prove nothing, so they run only by name:
//! `cargo test -p tests --test api gateway::figures -- --ignored --nocapture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use serde_json::json;
use testkit::{App, EventStream, Socket, socket_path, unique_user};
use tests::Room;
use tokio::sync::mpsc;

/// The resident memory of processes whose command line has a text, in kB.
fn resident(of: &str) -> u64 {
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    processes
        .filter_map(|entry| {
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&command)
                .contains(of)
                .then_some(())?;
            let status = std::fs::read_to_string(entry.path().join("smaps_rollup")).ok()?;
            let line = status.lines().find(|line| line.starts_with("Pss:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum()
}

/// Pushpin with its children, devhost, Redis.
fn memory(app: &App) -> [u64; 3] {
    let of_tree = |pid: Option<u32>| -> u64 {
        let tree = dev_services::process::tree(pid.unwrap_or_default());
        let of = |pid: &u32| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = text
                .lines()
                .find(|line| line.starts_with("Pss:"))?
                .to_owned();
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        tree.iter().filter_map(of).sum()
    };
    [
        of_tree(app.gateway().server().pid()),
        of_tree(app.devhost().pid()),
        resident("redis-server 127.0.0.1"),
    ]
}

async fn app() -> App {
    let builder = App::builder().own_stores().gateway();
    builder.variable("max_streams_per_user", 0).spawn().await
}

async fn open(app: &App, users: Vec<i64>) -> Vec<Socket> {
    let address = app.gateway().listen().to_string();
    let sockets = stream::iter(users).map(|user| {
        let address = address.clone();
        async move {
            let mut socket = Socket::open(&address, &socket_path(user), &[])
                .await
                .expect("a socket");
            socket.next_text().await.expect("hello");
            socket
        }
    });
    sockets.buffered(16).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "figures"]
async fn memory_of_idle_sockets() {
    let app = app().await;
    let warm = open(&app, (0..50).map(|_| unique_user()).collect()).await;
    let before = memory(&app);
    let count: usize = std::env::var("SOCKETS").map_or(2_000, |n| n.parse().expect("a number"));
    let sockets = open(&app, (0..count).map(|_| unique_user()).collect()).await;
    let after = memory(&app);
    for (name, (after, before)) in ["Pushpin", "devhost", "Redis"]
        .iter()
        .zip(after.iter().zip(before))
    {
        let each = (*after as f64 - before as f64) / count as f64;
        println!("{name}: {before} kB, with {count} sockets {after} kB, {each:.1} kB each");
    }
    drop((warm, sockets));
}

/// Opens event streams at this address: the proxy's, or the host's.
async fn open_streams(base: &str, users: Vec<i64>) -> Vec<EventStream> {
    let client = reqwest::Client::new();
    let streams = stream::iter(users).map(|user| {
        let request = client.get(format!("{base}/api/v1/messages/users/{user}/events"));
        async move {
            let mut stream = EventStream::open(request).await;
            stream.next_block().await.expect("an opening");
            stream
        }
    });
    streams.buffered(16).collect().await
}

/// Processor seconds of Pushpin with its children, devhost, Redis.
fn processor(app: &App) -> [f64; 2] {
    [app.gateway().server().pid(), app.devhost().pid()].map(|pid| {
        let tree = dev_services::process::tree(pid.unwrap_or_default());
        let ticks = tree.iter().filter_map(|pid| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let fields: Vec<u64> = text
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .skip(11)
                .take(2)
                .filter_map(|field| field.parse().ok())
                .collect();
            Some(fields.iter().sum::<u64>())
        });
        ticks.sum::<u64>() as f64 / 100.0
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "figures"]
async fn cost_of_idle_streams() {
    let app = app().await;
    let count: usize = std::env::var("STREAMS").map_or(1_000, |n| n.parse().expect("a number"));
    for (way, base) in [("held", app.page_url("")), ("straight", app.url(""))] {
        let warm = open_streams(&base, (0..50).map(|_| unique_user()).collect()).await;
        let before = memory(&app);
        let streams = open_streams(&base, (0..count).map(|_| unique_user()).collect()).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let after = memory(&app);
        for (name, (after, before)) in ["Pushpin", "devhost", "Redis"]
            .iter()
            .zip(after.iter().zip(before))
        {
            let each = (*after as f64 - before as f64) / count as f64;
            println!("{way}: {name} {each:.1} kB each");
        }
        let begun = processor(&app);
        tokio::time::sleep(Duration::from_secs(30)).await;
        let ended = processor(&app);
        let share = |at: usize| (ended[at] - begun[at]) / 30.0 * 100.0;
        println!(
            "{way}: {count} idle, % of a core: Pushpin {:.1} devhost {:.1}",
            share(0),
            share(1)
        );
        drop((warm, streams));
        tokio::time::sleep(Duration::from_secs(15)).await;
    }
}

fn percentile(sorted: &[Duration], of: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * of) as usize]
}

/// Sends on a channel when each post arrives, as its number.
fn listen(sockets: Vec<Socket>, arrived: &mpsc::UnboundedSender<(usize, Instant)>) {
    for mut socket in sockets {
        let arrived = arrived.clone();
        tokio::spawn(async move {
            while let Some(text) = socket.next_text().await {
                let number = text.split_once(r#""content":"post "#).map(|(_, rest)| rest);
                let number = number.and_then(|rest| rest.split('"').next()?.parse().ok());
                if let Some(number) = number {
                    let _ = arrived.send((number, Instant::now()));
                }
            }
        });
    }
}

async fn measure(app: App, rooms: Vec<Room>, per_second: f64, posts: usize) {
    let app = Arc::new(app);
    let readers: Vec<i64> = rooms
        .iter()
        .flat_map(|room| room.users[1..].to_vec())
        .collect();
    let each = readers.len() / rooms.len();
    println!("{} sockets in {} conversations", readers.len(), rooms.len());
    let (sender, mut arrived) = mpsc::unbounded_channel();
    listen(open(&app, readers).await, &sender);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let accepted = Arc::new(AtomicU64::new(0));
    let mut sent = Vec::new();
    let begun = Instant::now();
    for n in 0..posts {
        tokio::time::sleep_until((begun + Duration::from_secs_f64(n as f64 / per_second)).into())
            .await;
        let room = &rooms[n % rooms.len()];
        let body = json!({"conversationId": room.id, "senderId": room.users[0], "content": format!("post {n}")});
        sent.push(Instant::now());
        let (app, accepted) = (Arc::clone(&app), Arc::clone(&accepted));
        tokio::spawn(async move {
            app.post("/api/v1/messages", body).await.expect_status(201);
            accepted.fetch_add(1, Ordering::Relaxed);
        });
    }
    let mut latencies = Vec::new();
    while latencies.len() < posts * each {
        let next = tokio::time::timeout(Duration::from_secs(15), arrived.recv()).await;
        let Ok(Some((number, at))) = next else { break };
        latencies.push(at.duration_since(sent[number]));
    }
    let took = begun.elapsed();
    latencies.sort();
    println!(
        "{} of {} frames; p50 {:?} p99 {:?} max {:?}; {:.0} deliveries a second",
        latencies.len(),
        posts * each,
        percentile(&latencies, 0.5),
        percentile(&latencies, 0.99),
        latencies.last(),
        latencies.len() as f64 / took.as_secs_f64(),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "figures"]
async fn latency_of_a_hundred_posts_a_second() {
    let app = app().await;
    let mut rooms = vec![];
    for _ in 0..1_000 {
        rooms.push(Room::new(&app, 2).await);
    }
    measure(app, rooms, 100.0, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "figures"]
async fn one_conversation_with_many_readers() {
    let app = app().await;
    let room = Room::new(&app, 500).await;
    measure(app, vec![room], 1.0, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "figures"]
async fn deliveries_at_saturation() {
    let app = app().await;
    let room = Room::new(&app, 500).await;
    measure(app, vec![room], 50.0, 400).await;
}
