//! A flood of malicious requests through the real components: nothing breaks or leaks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use futures::future::join_all;
use testkit::{App, unique_user, wait_for};
use tests::{Room, token};

use crate::connection::{Answer, Connection};
use crate::malice::{self, Request, Target};

/// The number of requests, unless `FUZZ_REQUESTS` is set.
const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 32;

/// Texts that no response may contain.
const INTERNALS: [&str; 10] = [
    "postgres",
    "redis://",
    "select ",
    "SQLSTATE",
    "panicked",
    "src/",
    "wasm",
    "EVAL",
    "ERR ",
    "stack backtrace",
];

#[tokio::test]
async fn no_request_breaks_the_service() {
    for auth_mode in ["open", "jwt"] {
        let app = token::closed()
            .variable("auth_mode", auth_mode)
            .variable("rate_limit", 0)
            .spawn()
            .await;
        flood(&app, number("FUZZ_REQUESTS", REQUESTS) / 2).await;
        app.get("/api/v1/health/live").await.expect_status(200);
        let log = app.log();
        for sign in ["ERROR", "panicked", "trap"] {
            assert!(
                !log.contains(sign),
                "{sign} in the log:\n{}",
                around(&log, sign)
            );
        }
        closes_connections(&app).await;
    }
}

async fn flood(app: &App, requests: usize) {
    let target = target(app).await;
    let seed = number("FUZZ_SEED", Rng::new().usize(..1_000_000)) as u64;
    println!("FUZZ_SEED={seed}");
    let statuses = RefCell::new(BTreeMap::new());
    let worker = async |number| {
        let mut rng = Rng::with_seed(seed + number as u64 * 1_000_000_007);
        let mut connection = Connection::to(app.address());
        for _ in 0..requests / CONNECTIONS {
            let request = malice::request(&mut rng, &target);
            let answer = connection.send(&request.bytes, !request.is_head).await;
            let status = check(seed, &request, answer);
            *statuses.borrow_mut().entry(status).or_insert(0) += 1;
        }
    };
    join_all((0..CONNECTIONS).map(worker)).await;
    let statuses = statuses.take();
    println!("{statuses:?}");
    // Requests of all kinds were accepted.
    for status in [200, 201, 204, 400, 404, 405, 415, 422] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
}

fn check(seed: u64, request: &Request, answer: Result<Answer>) -> u16 {
    let Request { summary, .. } = request;
    let answer = answer.unwrap_or_else(|error| panic!("{error:#} (seed {seed}): {summary}"));
    let status = answer.status;
    assert!(
        status < 500,
        "{status} {} (seed {seed}): {summary}",
        answer.text()
    );
    let text = if status < 400 {
        String::new()
    } else {
        answer.text()
    };
    for word in INTERNALS {
        assert!(
            !text.contains(word),
            "{word} in {text} (seed {seed}): {summary}"
        );
    }
    status
}

/// Existing conversations, and callers who may read some of them.
async fn target(app: &App) -> Target {
    let setup = token::closed()
        .same_stores_as(app)
        .variable("auth_mode", "open");
    let setup = setup.spawn().await;
    let users: Vec<i64> = (0..4).map(|_| unique_user()).collect();
    let (mut conversations, mut messages) = (vec![], vec![]);
    for pair in users.windows(2) {
        let room = Room::of(&setup, pair.to_vec()).await;
        for content in ["one", "two"] {
            let message = room.say(&setup, pair[0], content).await;
            messages.push(message["id"].as_i64().expect("an id"));
        }
        conversations.push(room.id);
    }
    let mut tokens: Vec<String> = users.iter().map(|user| token::user(*user)).collect();
    tokens.push(token::service());
    Target {
        conversations,
        messages,
        users,
        tokens,
    }
}

/// The flood leaves nothing open: connections to Redis go down to those of an idle app.
async fn closes_connections(app: &App) {
    let mut redis = app.redis().await;
    let observe = async || -> Option<usize> {
        let mut info = redis::cmd("INFO");
        let info = info.arg("clients").query_async(&mut redis).await;
        let info: String = info.expect("info");
        let count = info
            .lines()
            .find_map(|line| line.strip_prefix("connected_clients:"));
        count?.trim().parse().ok()
    };
    let is_idle = |clients: &Option<usize>| clients.is_some_and(|count| count < 60);
    let (what, limit) = (
        "fewer than 60 clients are connected",
        Duration::from_secs(40),
    );
    wait_for(what, limit, observe, is_idle).await;
}

fn number(variable: &str, otherwise: usize) -> usize {
    let value = std::env::var(variable).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

/// The lines around the first occurrence of a text.
fn around(log: &str, sign: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains(sign))
        .unwrap_or_default();
    lines[at.saturating_sub(3)..(at + 6).min(lines.len())].join("\n")
}
