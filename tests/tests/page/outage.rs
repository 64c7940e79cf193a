//! The service goes away while people write, and comes back.

use serde_json::json;
use testkit::{App, wait_until};
use tests::Room;

use crate::{PATIENCE, gather};

#[tokio::test]
async fn a_restart_loses_no_message_and_doubles_none() {
    let app = App::builder().spawn().await;
    let room = Room::new(&app, 2).await;
    let Some(browsers) = gather(&app, &room).await else {
        return;
    };
    let [one, two] = &browsers[..] else {
        unreachable!()
    };
    one.say("Before.").await;
    two.reads(".content", &["Before."]).await;

    app.devhost().kill().await.expect("devhost ends");
    for browser in &browsers {
        browser.reads("#banner-text", &["Reconnecting…"]).await;
    }
    for text in ["First", "Second", "Third"] {
        one.say(text).await;
    }
    one.reads(".pending .receipt", &["Sending…"; 3]).await;
    app.devhost().start().await.expect("devhost starts");

    let all = ["Before.", "First", "Second", "Third"];
    for browser in &browsers {
        browser.reads(".content", &all).await;
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
async fn messages_that_are_sent_during_restarts_arrive_once_and_in_order() {
    const MESSAGES: usize = 40;
    let app = App::builder().spawn().await;
    let room = Room::new(&app, 2).await;
    let Some(browsers) = gather(&app, &room).await else {
        return;
    };
    let [one, two] = &browsers[..] else {
        unreachable!()
    };
    // Faster than a person, so that the crashes hit requests under way.
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
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        app.crash_and_restart().await;
    }
    let all: Vec<String> = (1..=MESSAGES).map(|n| format!("Message {n}")).collect();
    one.reads(".content", &all).await;
    one.hides(".pending").await;
    two.reads(".content", &all).await;
    assert_eq!(contents(&app, &room).await, all);
}

#[tokio::test]
async fn what_was_missed_while_the_stream_was_gone_is_there_afterwards() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let Some(browsers) = gather(&app, &room).await else {
        return;
    };
    let message = room.say(&app, room.users[1], "Draft 1").await;
    browsers[0].reads(".content", &["Draft 1"]).await;
    app.devhost().kill().await.expect("devhost ends");
    browsers[0].shows("#banner").await;
    // Another replica does not know of the stream, and Redis forgets all that it had for it.
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
    let mut redis = other.redis().await;
    wait_until("the messages are relayed", PATIENCE, async || {
        other.get("/api/v1/health").await.status() == 200
    })
    .await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .expect("an empty Redis");
    app.devhost().start().await.expect("devhost starts");
    let all: Vec<String> = std::iter::once("Draft 2".to_owned())
        .chain((0..60).map(|n| n.to_string()))
        .collect();
    browsers[0].reads(".content", &all).await;
}

#[tokio::test]
async fn what_is_on_its_way_outlives_the_page() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 1).await;
    let Some(browsers) = gather(&app, &room).await else {
        return;
    };
    app.stop_postgres().await;
    browsers[0].say("Not forgotten").await;
    browsers[0].shows(".pending").await;
    browsers[0].reload().await;
    browsers[0].shows(".pending").await;
    app.start_postgres().await;
    browsers[0].reads(".content", &["Not forgotten"]).await;
    browsers[0].hides(".pending").await;
    browsers[0].has_its_list().await;
    assert_eq!(contents(&app, &room).await, ["Not forgotten"]);
}

async fn contents(app: &App, room: &Room) -> Vec<String> {
    let messages = room.messages(app, 100).await;
    let contents = messages
        .iter()
        .map(|message| message["content"].as_str().expect("a text").to_owned());
    contents.collect()
}
