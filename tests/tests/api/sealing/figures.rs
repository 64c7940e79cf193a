//! The figures of decision 21: the CPU time of a host with sealed contents and of one without, in the same
//! minutes. They prove nothing, so they run only by name:
//! `cargo test -p tests --test api sealing::figures -- --ignored --nocapture`.

use futures::{StreamExt, stream};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use testkit::App;
use tests::Room;

use super::with_keys;

/// How many requests are under way at the same time.
const CONCURRENT: usize = 8;
const ROUNDS: usize = 7;

/// The CPU time that a host has used, in milliseconds.
fn cpu_ms(app: &App) -> f64 {
    let pid = app.devhost().pid().expect("it runs");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its times");
    let fields = stat.rsplit_once(')').expect("a name").1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks
        .map(|ticks| ticks.parse::<f64>().expect("a number"))
        .sum();
    ticks * 10.0
}

/// The CPU time of one of these requests, in microseconds.
async fn cost(app: &App, count: usize, request: impl Fn(usize) -> RequestBuilder) -> f64 {
    let before = cpu_ms(app);
    let sent = stream::iter(0..count).map(|n| {
        let request = request(n);
        async move {
            let response = request.send().await.expect("a response");
            assert!(response.status().is_success());
            response.bytes().await.expect("a body").len()
        }
    });
    let lengths: Vec<usize> = sent.buffer_unordered(CONCURRENT).collect().await;
    assert!(lengths.iter().all(|length| *length > 0));
    (cpu_ms(app) - before) * 1000.0 / count as f64
}

/// The medians of both hosts, measured in turn.
async fn compare(name: &str, hosts: [&App; 2], measure: impl AsyncFn(usize) -> f64) {
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (n, _) in hosts.iter().enumerate() {
            costs[n].push(measure(n).await);
        }
    }
    let [plain, sealed] = costs.map(|mut costs| {
        costs.sort_by(f64::total_cmp);
        costs[ROUNDS / 2]
    });
    println!(
        "{name}: {plain:.0} µs plain, {sealed:.0} µs sealed, ratio {:.2}",
        sealed / plain
    );
}

/// Rooms of fifty messages of a usual length.
async fn rooms(app: &App, count: usize) -> Vec<Room> {
    let mut rooms = Vec::new();
    for _ in 0..count {
        let room = Room::new(app, 2).await;
        for n in 0..50 {
            let text = format!(
                "Message {n} of a list, with about as many words as people write at a time."
            );
            room.say(app, room.users[n % 2], &text).await;
        }
        rooms.push(room);
    }
    rooms
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "figures"]
async fn the_cost_of_lists_and_posts() {
    let plain = with_keys(&[]).own_stores().spawn().await;
    let sealed = with_keys(&[("one", 1)]).own_stores().spawn().await;
    let hosts = [&plain, &sealed];
    let rooms = [rooms(&plain, 64).await, rooms(&sealed, 64).await];
    let client = Client::new();
    for (name, of) in [("a list of one conversation", 1), ("a list of 64", 64)] {
        let list = async |host: usize| {
            cost(hosts[host], 3000, |n| {
                client.get(hosts[host].url(&rooms[host][n % of].list(50)))
            })
            .await
        };
        compare(name, hosts, list).await;
    }
    let single = async |host: usize| {
        cost(hosts[host], 3000, |n| {
            client.get(hosts[host].url(&rooms[host][n % 64].list(1)))
        })
        .await
    };
    compare("a list of one message", hosts, single).await;
    let post = async |host: usize| {
        cost(hosts[host], 2000, |n| {
            let room = &rooms[host][n % 64];
            let text =
                format!("Message {n} of many, with about as many words as people write at a time.");
            let body =
                json!({ "conversationId": room.id, "senderId": room.users[0], "content": text });
            client
                .request(Method::POST, hosts[host].url("/api/v1/messages"))
                .json(&body)
        })
        .await
    };
    compare("a post", hosts, post).await;
}
