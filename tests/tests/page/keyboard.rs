//! The page by keyboard and for screen readers.

use testkit::app;
use tests::Room;
use thirtyfour::Key;

use crate::browser::{Browser, Screen, entry};

impl Browser {
    /// Presses Tab until the focus is at the element.
    async fn tab_to(&self, css: &str) {
        for _ in 0..12 {
            if self.is_at(css).await {
                return;
            }
            self.press([Key::Tab]).await;
        }
        panic!("Tab does not reach {css}");
    }
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn everything_is_reached_by_keyboard() {
    let app = app().await;
    let older = Room::new(app, 2).await;
    let newer = Room::of(app, older.users.clone()).await;
    older.say(app, older.users[1], "In the older one").await;
    newer.say(app, newer.users[1], "In the newer one").await;
    let page = Browser::start(Screen::Desktop).await;
    page.open(app, older.users[0]).await;

    page.press([Key::Tab]).await;
    assert!(page.is_at(".skip-link").await);
    page.tab_to(&entry(newer.id)).await;
    page.press([Key::Down]).await;
    assert!(page.is_at(&entry(older.id)).await);
    page.press([Key::Enter]).await;
    page.focuses("#message").await;
    page.reads(".content", &["In the older one"]).await;

    page.type_text("Two lines").await;
    page.press_with(Key::Shift, Key::Enter).await;
    page.type_text("of mine").await;
    page.press([Key::Enter]).await;
    page.reads(".content", &["In the older one", "Two lines\nof mine"])
        .await;
    page.hides(".pending").await;

    page.press_with(Key::Shift, Key::Tab).await;
    page.focuses(".message.own").await;
    page.press([Key::Up]).await;
    assert!(!page.is_at(".message.own").await);
    page.press([Key::Down]).await;
    page.tab_to("[aria-label='Edit']").await;
    page.press([Key::Enter]).await;
    page.focuses("#message").await;
    page.press([Key::Escape]).await;
    page.hides("#composer-context").await;
    page.press_with(Key::Shift, Key::Tab).await;
    page.focuses(".message.own").await;
    page.tab_to("[aria-label='Delete']").await;
    page.press([Key::Enter]).await;
    page.shows("#delete-dialog").await;
    page.press([Key::Escape]).await;
    page.hides("#delete-dialog").await;
    page.focuses(".message.own").await;
    page.press([Key::Escape]).await;
    page.focuses("#message").await;
    page.press([Key::Escape]).await;
    page.focuses(&entry(older.id)).await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn every_control_has_a_name_and_new_messages_are_announced() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(app, room.users[1], "Good morning").await;
    let page = Browser::start(Screen::Desktop).await;
    page.open(app, room.users[0]).await;
    page.enter(room.id).await;
    page.shows("[role='log'][aria-label='Messages']").await;
    let nameless = "return [...document.querySelectorAll('button, input, select, textarea')]
        .filter((one) => one.checkVisibility())
        .filter((one) => !(one.ariaLabel || one.labels?.length || one.textContent.trim()))
        .map((one) => one.outerHTML);";
    assert_eq!(
        page.run(nameless, serde_json::json!(null)).await,
        serde_json::json!([])
    );
    room.say(app, room.users[1], "Any news?").await;
    page.reads(
        "#announcer",
        &[format!("User {}: Any news?", room.users[1])],
    )
    .await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_conversation_keeps_the_focus_when_it_moves_up_in_the_list() {
    let app = app().await;
    let older = Room::new(app, 2).await;
    let newer = Room::of(app, older.users.clone()).await;
    older.say(app, older.users[1], "First").await;
    newer.say(app, newer.users[1], "Second").await;
    let page = Browser::start(Screen::Desktop).await;
    page.open(app, older.users[0]).await;
    page.tab_to(&entry(newer.id)).await;
    page.press([Key::Down]).await;
    page.focuses(&entry(older.id)).await;
    older.say(app, older.users[1], "Third").await;
    let preview = format!("User {}: Third", older.users[1]);
    page.reads("li:first-child .conversation-preview", &[preview])
        .await;
    assert!(page.is_at(&entry(older.id)).await);
}
