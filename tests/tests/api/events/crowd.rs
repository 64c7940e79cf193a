//! Many concurrent readers.

use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use testkit::{App, EventStream, app, wait_for};
use tests::Room;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::reader::{Reader, post_until_acknowledged};
use super::{CREATED, SILENCE, feed_for_service, first_id, user_feed};

const READERS: usize = 200;

/// The seqs of the next events, each with the moment at which it came.
async fn timed(stream: &mut EventStream, count: usize) -> Vec<(i64, Instant)> {
    let mut events = Vec::with_capacity(count);
    while events.len() < count {
        let event = stream.next().await.expect("the stream goes on");
        if event.event == CREATED {
            continue;
        }
        events.push((event.json()["seq"].as_i64().expect("a seq"), Instant::now()));
    }
    events
}

async fn open(app: &App, paths: impl Iterator<Item = String>) -> Vec<EventStream> {
    let streams = paths.map(|path| async move {
        let mut stream = app.events(&path).await;
        first_id(&mut stream).await;
        stream
    });
    join_all(streams).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_readers_get_every_post_once_and_in_order() {
    const POSTS: usize = 100;
    let app = app().await;
    let room = Room::new(app, 2).await;
    let streams = open(app, (0..READERS).map(|_| feed_for_service(&room))).await;
    let readers = streams
        .into_iter()
        .map(|mut stream| tokio::spawn(async move { timed(&mut stream, POSTS).await }));
    let readers: Vec<_> = readers.collect();
    let mut posted = Vec::with_capacity(POSTS);
    for n in 0..POSTS {
        posted.push(Instant::now());
        room.say(app, room.users[1], &n.to_string()).await;
    }
    let mut delays = Vec::new();
    for events in try_join_all(readers).await.expect("no reader failed") {
        let seqs = events.iter().map(|(seq, _)| *seq);
        assert_eq!(Vec::from_iter(seqs), Vec::from_iter(2..=POSTS as i64 + 1));
        delays.extend(
            events
                .iter()
                .zip(&posted)
                .map(|((_, came), posted)| *came - *posted),
        );
    }
    report("POST to one of 200 readers", delays);
}

#[tokio::test]
async fn an_event_reaches_a_reader_within_a_second() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut stream = app.events(&feed_for_service(&room)).await;
    first_id(&mut stream).await;
    let mut delays = vec![];
    for n in 0..50 {
        let posted = Instant::now();
        room.say(app, room.users[1], &n.to_string()).await;
        delays.push(timed(&mut stream, 1).await[0].1 - posted);
    }
    report("POST to the only reader", delays);
}

/// Prints delays. Only the median is checked: on a busy machine the slowest means nothing.
fn report(what: &str, mut delays: Vec<Duration>) {
    delays.sort_unstable();
    let at = |part: usize| delays[(delays.len() - 1) * part / 100];
    println!("{what}: median {:?}, 99th percentile {:?}", at(50), at(99));
    assert!(at(50) < Duration::from_secs(1), "{:?}", at(50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_disconnect_and_resume_get_every_event_once() {
    const POSTS: usize = 500;
    let app = app().await;
    let room = Room::new(app, 2).await;
    let readers = (0..30).map(|_| Reader::new(app, feed_for_service(&room), "0", 0.05).read(POSTS));
    let posts = async {
        for n in 0..POSTS {
            post_until_acknowledged(app, &room, n).await;
        }
    };
    let (readers, ()) = futures::join!(join_all(readers), posts);
    for reader in &readers {
        assert_eq!(reader.seqs(&room), Vec::from_iter(2..=POSTS as i64 + 1));
    }
    let returns: usize = readers.iter().map(|reader| reader.returns).sum();
    assert!(returns > READERS, "they resumed {returns} times");
}

#[tokio::test]
async fn streams_outlive_the_last_request_of_their_instance() {
    // An instance accepts 128 requests in all: these are more than two accept.
    const STREAMS: usize = 300;
    let app = App::builder().spawn().await;
    let room = Room::new(&app, 2).await;
    let mut streams = open(&app, (0..STREAMS).map(|_| feed_for_service(&room))).await;
    tokio::time::sleep(SILENCE).await;
    room.say(&app, room.users[1], "still there?").await;
    let events = join_all(streams.iter_mut().map(|stream| timed(stream, 1))).await;
    assert!(events.iter().all(|events| events[0].0 == 2));
}

async fn redis_connections(app: &App) -> usize {
    let mut redis = app.redis().await;
    let list: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query_async(&mut redis)
        .await
        .expect("a list");
    list.lines().count()
}

/// Memory of devhost that is in use, in bytes.
fn memory(app: &App) -> usize {
    let pid = app.devhost().pid().expect("devhost runs");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.expect("a number of kB") * 1024
}

#[tokio::test]
async fn clients_that_vanish_leave_no_connection_behind() {
    const EACH: usize = 250;
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    drop(open(&app, [feed_for_service(&room)].into_iter()).await);
    let (before, memory_before) = (redis_connections(&app).await, memory(&app));
    let mut streams = open(&app, (0..EACH).map(|_| feed_for_service(&room))).await;
    streams.extend(open(&app, (1..=EACH as i64).map(user_feed)).await);
    let open = redis_connections(&app).await;
    assert!(open >= 2 * EACH, "{open} connections");
    let each = memory(&app).saturating_sub(memory_before) / streams.len();
    println!("an idle stream takes {} kB of devhost", each / 1024);
    drop(streams);
    let observe = async || redis_connections(&app).await;
    let what = format!("at most {before} connections are open");
    wait_for(&what, SILENCE, observe, |open| *open <= before).await;
}

/// A client that requests a feed and does not read it.
async fn idler(app: &App, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let address = app.address().parse().expect("an address");
    let mut stream = socket.connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", app.address());
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    stream
}

/// Reads on until an event has come.
async fn catch_up(mut stream: TcpStream, last: &str) {
    let mut text = Vec::new();
    let mut chunk = vec![0; 1 << 20];
    while !text.windows(last.len()).any(|part| part == last.as_bytes()) {
        let length = stream.read(&mut chunk).await.expect("more");
        assert!(length > 0, "the stream ended early");
        let kept = text.len().saturating_sub(last.len());
        text.drain(..kept);
        text.extend_from_slice(&chunk[..length]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_delays_no_other_and_uses_little_memory() {
    const POSTS: usize = 700;
    const IDLERS: usize = 10;
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let path = feed_for_service(&room);
    let idlers = join_all((0..IDLERS).map(|_| idler(&app, &path))).await;
    let mut stream = open(&app, [path.clone()].into_iter()).await.remove(0);
    let reader = tokio::spawn(async move { timed(&mut stream, POSTS).await });
    let (content, memory_before) = ("x".repeat(16_000), memory(&app));
    for _ in 0..POSTS {
        room.say(&app, room.users[1], &content).await;
    }
    let posted = Instant::now();
    let events = reader.await.expect("the reader got them all");
    let late = events
        .last()
        .expect("events")
        .1
        .saturating_duration_since(posted);
    assert!(late < Duration::from_secs(2), "{late:?}");
    let more = memory(&app).saturating_sub(memory_before);
    println!(
        "{IDLERS} clients that do not read {} MB each take {} MB in all",
        POSTS * 16 / 1000,
        more >> 20
    );
    assert!(
        more < IDLERS * POSTS * content.len() / 2,
        "{} MB",
        more >> 20
    );
    let last = format!("\nid: {POSTS}\n");
    join_all(idlers.into_iter().map(|idler| catch_up(idler, &last))).await;
}
