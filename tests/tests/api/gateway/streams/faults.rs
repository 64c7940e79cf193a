//! Nothing is lost and nothing comes twice on streams that the proxy holds, when something dies.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use testkit::{App, EventStream, wait_for};
use tests::Room;

use super::{feed_of, held, held_after, request, user_feed};

/// A reader like a browser's: it opens a stream anew when the old one ended, from its last event.
struct Reader<'a> {
    app: &'a App,
    path: String,
    stream: Option<EventStream>,
    last: Option<String>,
    contents: Vec<String>,
    resynced: usize,
}

impl<'a> Reader<'a> {
    async fn open(app: &'a App, path: String) -> Self {
        let mut stream = held(app, &path).await;
        let last = stream.next_block().await.expect("an opening").id;
        Self {
            app,
            path,
            stream: Some(stream),
            last,
            contents: vec![],
            resynced: 0,
        }
    }

    /// Reads until the last message came. Who has to fetch the state anew may find it there.
    async fn run_until(&mut self, last: &str) {
        while self.resynced == 0 && self.contents.last().map(String::as_str) != Some(last) {
            match &mut self.stream {
                None => self.reopen().await,
                Some(stream) => match stream.next_block().await {
                    Some(event) => self.take(&event),
                    None => self.stream = None,
                },
            }
        }
    }

    async fn reopen(&mut self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let last = self.last.clone().unwrap_or_default();
        let get = request(self.app, reqwest::Method::GET, &self.path).header("last-event-id", last);
        let stream = EventStream::try_open(get).await.ok();
        self.stream = stream.filter(|stream| stream.status() == 200);
    }

    fn take(&mut self, event: &testkit::Event) {
        if let Some(id) = &event.id {
            self.last = Some(id.clone());
        }
        if event.event == "resync" {
            self.resynced += 1;
        }
        if event.event == "new-message" {
            let content = event.json()["message"]["content"].clone();
            self.contents
                .push(content.as_str().expect("a text").to_owned());
        }
    }
}

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

/// Readers of a conversation and of users' feeds, while numbers are posted and `fault` happens.
async fn survive(app: &App, fault: impl AsyncFnOnce()) -> usize {
    const COUNT: usize = 60;
    let room = Room::new(app, 5).await;
    let paths = room.users[1..].iter().flat_map(|user| {
        let both = [feed_of(&room, *user), user_feed(*user)];
        both.into_iter()
    });
    let readers = paths.map(|path| Reader::open(app, path));
    let mut readers = join_all(readers).await;
    let last = (COUNT - 1).to_string();
    let read = join_all(readers.iter_mut().map(|reader| reader.run_until(&last)));
    let write = async {
        post_numbers(app, &room, 0..COUNT / 2).await;
        fault().await;
        post_numbers(app, &room, COUNT / 2..COUNT).await;
    };
    let all = async { futures::join!(read, write) };
    let all = tokio::time::timeout(Duration::from_secs(120), all).await;
    let numbers: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
    if all.is_err() {
        for reader in &readers {
            println!("{} has {:?}", reader.path, reader.contents);
        }
        panic!("not all arrived; {}", app.log());
    }
    let mut resynced = 0;
    for reader in &readers {
        if reader.resynced == 0 {
            assert_eq!(reader.contents, numbers, "{}", reader.path);
        }
        resynced += reader.resynced;
        assert!(
            !reader.path.contains("conversations") || reader.resynced == 0,
            "a conversation is in the database"
        );
    }
    resynced
}

async fn own_app() -> App {
    App::builder().own_stores().gateway().spawn().await
}

#[tokio::test]
async fn a_restart_of_the_proxy_loses_no_event() {
    let app = own_app().await;
    let resynced = survive(&app, async || {
        app.gateway().crash().await.expect("it ends");
        app.gateway().server().start().await.expect("it starts");
    });
    assert_eq!(resynced.await, 0);
}

#[tokio::test]
async fn a_crash_of_the_host_loses_no_event() {
    let app = own_app().await;
    assert_eq!(
        survive(&app, async || app.crash_and_restart().await).await,
        0
    );
}

#[tokio::test]
async fn a_restart_of_redis_loses_no_event_of_a_conversation() {
    let app = own_app().await;
    survive(&app, async || {
        app.kill_redis().await;
        app.start_redis().await;
    })
    .await;
}

#[tokio::test]
async fn a_control_port_that_is_away_loses_no_event() {
    let app = own_app().await;
    let resynced = survive(&app, async || {
        // The proxy's handler hangs: it publishes, and holds the streams.
        app.gateway().server().pause();
        tokio::time::sleep(Duration::from_secs(4)).await;
        app.gateway().server().resume();
    });
    assert_eq!(resynced.await, 0);
}

/// A Redis that knows of no reader has all of them asked at once.
#[tokio::test]
async fn readers_that_redis_forgot_get_the_next_event_soon() {
    let app = own_app().await;
    let room = Room::new(&app, 2).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut socket = app.socket(bob).await;
    socket.next_of("hello").await;
    let mut streams = [
        held(&app, &feed_of(&room, bob)).await,
        held(&app, &user_feed(bob)).await,
    ];
    for stream in &mut streams {
        stream.next_block().await.expect("an opening");
    }
    room.say(&app, ann, "before").await;
    socket.next_of("new-message").await;
    for stream in &mut streams {
        stream.next_of("new-message").await;
    }
    app.kill_redis().await;
    app.start_redis().await;
    let known = async || {
        let mut redis = app.redis().await;
        // Only a change wakes the relay.
        room.say(&app, ann, "wake").await;
        let sockets = format!("{{user:{bob}:feed}}:sockets");
        let held = format!("{{conversation:{}:stream}}:held", room.id);
        let feed = format!("{{user:{bob}:feed}}:held");
        redis::cmd("EXISTS")
            .arg(&[sockets, held, feed])
            .query_async::<i64>(&mut redis)
            .await
            .unwrap_or(0)
    };
    wait_for("all are known", Duration::from_secs(12), known, |n| *n == 3).await;
    for stream in &mut streams {
        // What came before the reader was asked, it may have to fetch.
        let hears = async {
            loop {
                room.say(&app, ann, "after").await;
                let next = stream.next_of("new-message");
                let next = tokio::time::timeout(Duration::from_secs(1), next).await;
                if next.is_ok_and(|event| event.json()["message"]["content"] == "after") {
                    break;
                }
            }
        };
        let heard = tokio::time::timeout(Duration::from_secs(20), hears).await;
        heard.expect("the next event");
    }
    loop {
        let frame = socket.next_of("new-message").await;
        if frame["message"]["content"] == "after" {
            break;
        }
    }
}

#[tokio::test]
async fn a_gap_is_filled_by_the_link() {
    let app = own_app().await;
    let room = Room::new(&app, 2).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut stream = held_after(&app, &feed_of(&room, bob), "1").await;
    stream.next_block().await.expect("an opening");
    room.say(&app, ann, "one").await;
    stream.next_of("new-message").await;
    // The relay publishes nothing of what it does not know to be read.
    let mut redis = app.redis().await;
    let mark = format!("{{conversation:{}:stream}}:held", room.id);
    let held: i64 = redis::AsyncCommands::del(&mut redis, &mark)
        .await
        .expect("a deletion");
    assert_eq!(held, 1);
    room.say(&app, ann, "two").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let () = redis::AsyncCommands::set(&mut redis, &mark, 1)
        .await
        .expect("a mark");
    room.say(&app, ann, "three").await;
    for content in ["two", "three"] {
        let event = stream.next_of("new-message").await.json();
        assert_eq!(event["message"]["content"], content);
    }
}
