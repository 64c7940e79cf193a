//! The service fails and recovers while users write.

use std::time::Duration;

use serde_json::json;
use testkit::{App, wait_for};
use tests::Room;

use crate::{TIMEOUT, open_for_two, open_room};

/// How long a relay that crashed may delay the feed of a user (docs/event-streams.md), and the page.
const RELAY_CRASH_TIMEOUT: Duration = Duration::from_secs(30 + TIMEOUT.as_secs());

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_restart_neither_loses_nor_duplicates_messages() {
    let app = App::builder().spawn().await;
    let (room, one, two) = open_for_two(&app).await;
    one.say("Before.").await;
    two.reads(".content", &["Before."]).await;

    app.devhost().kill().await.expect("devhost ends");
    for browser in [&one, &two] {
        browser.reads("#banner-text", &["Reconnecting…"]).await;
    }
    for text in ["First", "Second", "Third"] {
        one.say(text).await;
    }
    one.reads(".pending .receipt", &["Sending…"; 3]).await;
    app.devhost().start().await.expect("devhost starts");

    let all = ["Before.", "First", "Second", "Third"];
    for browser in [&one, &two] {
        browser
            .reads_within(RELAY_CRASH_TIMEOUT, ".content", &all)
            .await;
        browser.hides("#banner").await;
    }
    one.hides(".pending").await;
    two.say("After.").await;
    one.reads(".content", &[&all[..], &["After."]].concat())
        .await;
    let contents = contents(&app, &room).await;
    assert_eq!(contents, [&all[..], &["After."]].concat());
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn messages_that_are_sent_during_restarts_arrive_once_and_in_order() {
    const MESSAGES: usize = 40;
    let app = App::builder().spawn().await;
    let (room, one, two) = open_for_two(&app).await;
    // Faster than a user, so that the crashes hit requests under way.
    let write = format!(
        "let n = 0;
         const timer = setInterval(() => {{
           const field = document.getElementById('message');
           field.value = `Message ${{++n}}`;
           field.dispatchEvent(new Event('input'));
           document.getElementById('composer').requestSubmit();
           if (n === {MESSAGES}) clearInterval(timer);
         }}, 50);"
    );
    one.run(&write, json!(null)).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        app.crash_and_restart().await;
    }
    let all: Vec<String> = (1..=MESSAGES).map(|n| format!("Message {n}")).collect();
    one.reads(".content", &all).await;
    one.hides(".pending").await;
    two.reads_within(RELAY_CRASH_TIMEOUT, ".content", &all)
        .await;
    assert_eq!(contents(&app, &room).await, all);
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn events_that_redis_lost_are_loaded_after_the_reconnection() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let page = open_room(&app, &room, room.users[0]).await;
    let message = room.say(&app, room.users[1], "Draft 1").await;
    page.reads(".content", &["Draft 1"]).await;
    app.devhost().kill().await.expect("devhost ends");
    page.shows("#banner").await;
    // Another replica writes, and Redis loses the feed from which the stream would resume.
    let other = App::builder().same_stores_as(&app).spawn().await;
    let path = tests::path_of(&message);
    other
        .patch(
            &path,
            json!({ "content": "Draft 2", "senderId": room.users[1] }),
        )
        .await
        .expect_status(200);
    for n in 0..60 {
        room.say(&other, room.users[1], &format!("{n}")).await;
    }
    let health = async || other.get("/api/v1/health").await.json();
    wait_for("the events are relayed", TIMEOUT, health, |health| {
        health["relay"]["backlog"] == 0
    })
    .await;
    let mut redis = other.redis().await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .expect("an empty Redis");
    app.devhost().start().await.expect("devhost starts");
    let all: Vec<String> = std::iter::once("Draft 2".to_owned())
        .chain((0..60).map(|n| n.to_string()))
        .collect();
    page.reads(".content", &all).await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn pending_messages_survive_a_reload_of_the_page() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 1).await;
    let page = open_room(&app, &room, room.users[0]).await;
    app.stop_postgres().await;
    page.say("Not forgotten").await;
    page.shows(".pending").await;
    page.reload().await;
    page.shows(".pending").await;
    app.start_postgres().await;
    page.reads(".content", &["Not forgotten"]).await;
    page.hides(".pending").await;
    page.has_its_list().await;
    assert_eq!(contents(&app, &room).await, ["Not forgotten"]);
}

async fn contents(app: &App, room: &Room) -> Vec<String> {
    let messages = room.messages(app, 100).await;
    let contents = messages
        .iter()
        .map(|message| message["content"].as_str().expect("a text").to_owned());
    contents.collect()
}
