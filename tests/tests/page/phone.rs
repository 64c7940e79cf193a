//! The page on the screen of a phone.

use serde_json::json;
use testkit::app;
use tests::Room;

use crate::browser::{Browser, Screen};

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn one_pane_is_shown_at_a_time() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(
        app,
        room.users[1],
        &"A-word-too-long-for-any-line-".repeat(20),
    )
    .await;
    let page = Browser::start(Screen::Phone).await;
    page.open(app, room.users[0]).await;
    page.hides(".thread-pane").await;
    page.fits().await;

    page.enter(room.id).await;
    page.hides(".list-pane").await;
    page.fits().await;
    page.write("#message", "From a phone").await;
    page.click("#send").await;
    page.reads(".own .content", &["From a phone"]).await;
    page.hides(".pending").await;

    page.click("#back").await;
    page.shows(".list-pane").await;
    page.hides(".thread-pane").await;
    page.reads(".conversation-preview", &["You: From a phone"])
        .await;

    page.enter(room.id).await;
    page.go_back().await;
    page.hides(".thread-pane").await;
}

impl Browser {
    /// Asserts that the page does not scroll sideways.
    pub async fn fits(&self) {
        let width = self
            .run(
                "return [document.documentElement.scrollWidth, innerWidth];",
                json!(null),
            )
            .await;
        assert_eq!(width, json!([390, 390]));
    }
}
