//! Earlier and unread messages.

use serde_json::json;
use testkit::app;
use tests::Room;

use crate::browser::{Browser, Screen, entry};

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn earlier_messages_are_loaded_on_scrolling_up() {
    const MESSAGES: usize = 130;
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 1..=MESSAGES {
        room.say(app, room.users[0], &format!("Note {n}")).await;
    }
    let page = Browser::start(Screen::Desktop).await;
    page.open(app, room.users[0]).await;
    page.enter(room.id).await;
    let notes =
        |from: usize| -> Vec<String> { (from..=MESSAGES).map(|n| format!("Note {n}")).collect() };
    page.reads(".content", &notes(81)).await;
    let scroll = "document.getElementById('log-scroll').scrollTop = 0;";
    page.run(scroll, json!(null)).await;
    page.reads(".content", &notes(31)).await;
    // The messages that were in view stay in view.
    let top = page
        .run(
            "return document.getElementById('log-scroll').scrollTop;",
            json!(null),
        )
        .await;
    assert!(top.as_f64().is_some_and(|top| top > 1000.0), "{top}");
    page.run(scroll, json!(null)).await;
    page.reads(".content", &notes(1)).await;
    page.hides("#older").await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn unread_messages_are_marked_and_are_read_once_they_are_in_view() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let longer = Room::of(app, room.users.clone()).await;
    for n in 1..=40 {
        room.say(app, room.users[1], &format!("Note {n}")).await;
    }
    for n in 1..=45 {
        longer.say(app, room.users[1], &format!("Read {n}")).await;
    }
    let page = Browser::start(Screen::Desktop).await;
    page.open(app, room.users[0]).await;
    let badge = format!("{} .badge", entry(room.id));
    page.reads(&badge, &["40"]).await;
    page.enter(longer.id).await;
    page.click("#to-newest").await;
    page.enter(room.id).await;
    page.shows(".unread-mark").await;
    page.reads("#to-newest-text", &["40 new"]).await;
    page.reads(&badge, &["40"]).await;
    page.click("#to-newest").await;
    page.hides(&badge).await;
    page.hides("#to-newest").await;
}
