//! Nothing is lost and nothing comes twice, when hosts and proxies die.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use testkit::{App, wait_for};
use tests::Room;

use super::client::Client;

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

/// Posts numbers, each until it is accepted.
async fn post_numbers(app: &App, room: &Room, range: std::ops::Range<usize>) {
    for n in range {
        loop {
            let body = json!({
                "conversationId": room.id, "senderId": room.users[0],
                "content": n.to_string(), "clientMessageId": format!("n{n}"),
            });
            let request = app
                .request(reqwest::Method::POST, "/api/v1/messages")
                .json(&body);
            match request.send().await {
                Ok(response) if response.status().is_success() => break,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// Clients of a room, while numbers are posted and `fault` happens.
async fn survive(app: &App, clients: usize, count: usize, fault: impl AsyncFnOnce()) {
    let room = Room::new(app, clients + 1).await;
    let readers = room.users[1..].iter();
    let mut readers: Vec<Client> = readers.map(|user| Client::new(app, *user)).collect();
    join_all(readers.iter_mut().map(Client::connect)).await;
    let read = join_all(readers.iter_mut().map(|reader| {
        reader.run_until(|events| {
            let messages = events.iter().filter(|event| event["type"] == "new-message");
            messages.count() >= count
        })
    }));
    let write = async {
        post_numbers(app, &room, 0..count / 2).await;
        fault().await;
        post_numbers(app, &room, count / 2..count).await;
    };
    let all = async { futures::join!(read, write) };
    let all = tokio::time::timeout(Duration::from_secs(240), all).await;
    if all.is_err() {
        for reader in &readers {
            let lacks: Vec<String> = numbers(count)
                .into_iter()
                .filter(|n| !reader.contents(room.id).contains(n))
                .collect();
            println!(
                "lacks {lacks:?}, resumed {} resynced {}",
                reader.resumed, reader.resynced
            );
        }
        panic!("not all arrived; {}", app.log());
    }
    for reader in &readers {
        assert_eq!(reader.contents(room.id), numbers(count));
        assert_eq!(reader.resynced, 0);
    }
}

async fn own_app() -> App {
    App::builder().own_stores().gateway().spawn().await
}

#[tokio::test]
async fn a_restart_of_the_proxy_loses_nothing() {
    let app = own_app().await;
    survive(&app, 5, 60, async || {
        app.gateway().crash().await.expect("it ends");
        app.gateway().server().start().await.expect("it starts");
    })
    .await;
}

#[tokio::test]
async fn a_crash_of_the_host_loses_nothing() {
    let app = own_app().await;
    survive(&app, 5, 60, async || app.crash_and_restart().await).await;
}

/// 1,000 sockets with 200 posts each, of which two conversations can have 499, take minutes:
/// `READERS=499 POSTS=200`.
#[tokio::test]
async fn many_sockets_get_every_post_once_while_proxy_and_host_are_killed() {
    let number = |name, default| {
        std::env::var(name).map_or(default, |text: String| text.parse().expect("a number"))
    };
    let (readers, posts) = (number("READERS", 40), number("POSTS", 60));
    let builder = App::builder().own_stores().gateway();
    let app = builder.variable("max_streams_per_user", 0).spawn().await;
    let killed = survive(&app, readers, posts, async || {
        app.gateway().crash().await.expect("it ends");
        app.gateway().server().start().await.expect("it starts");
        app.crash_and_restart().await;
    });
    let undisturbed = survive(&app, readers, posts, async || {});
    futures::join!(killed, undisturbed);
}

#[tokio::test]
async fn a_proxy_that_takes_nothing_for_a_while_catches_up_and_delays_no_other() {
    let app = own_app().await;
    let room = Room::new(&app, 3).await;
    let (ann, bob, eve) = (room.users[0], room.users[1], room.users[2]);
    let mut socket = app.socket(bob).await;
    socket.next_of("hello").await;
    let feed = format!("/api/v1/messages/users/{eve}/events");
    let mut stream = app.events(&feed).await;
    room.say(&app, ann, "before").await;
    assert_eq!(
        socket.next_of("new-message").await["message"]["content"],
        "before"
    );
    stream.next_of("new-message").await;
    // Only the control port hangs: the proxy's handler, which publishes.
    app.gateway().server().pause();
    let mut slowest = Duration::ZERO;
    for n in 0..5 {
        let begun = Instant::now();
        room.say(&app, ann, &n.to_string()).await;
        stream.next_of("new-message").await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(
        slowest < Duration::from_millis(900),
        "a stream waited {slowest:?}"
    );
    wait_for(
        "a backlog is kept",
        Duration::from_secs(10),
        async || backlog(&app).await,
        |users| *users > 0,
    )
    .await;
    app.gateway().server().resume();
    for n in 0..5 {
        let event = socket.next_of("new-message").await;
        assert_eq!(event["message"]["content"], n.to_string());
    }
    wait_for(
        "the backlog is empty",
        Duration::from_secs(10),
        async || backlog(&app).await,
        |users| *users == 0,
    )
    .await;
}

/// For how many users something waits.
async fn backlog(app: &App) -> i64 {
    let mut redis = app.redis().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("messaging:proxy:*:backlog")
        .query_async(&mut redis)
        .await
        .expect("keys");
    let mut users = 0;
    for key in keys {
        let waiting: i64 = redis::cmd("HLEN")
            .arg(key)
            .query_async(&mut redis)
            .await
            .expect("a length");
        users += waiting;
    }
    users
}
