//! The page at `/`, in a headless Chromium, against the real service.
//!
//! # Layout
//!
//! - `browser`: a Chromium of one's own; without one, the tests say so and are skipped
//! - `files`: what the page consists of, and the headers it comes with
//! - `talk`, `outage`, `history`, `keyboard`, `phone`, `sign_in`: what people do
//! - `store`: the page's own state, whatever the order in which it hears of things

mod browser;
mod files;
mod history;
mod keyboard;
mod outage;
mod phone;
mod sign_in;
mod store;
mod talk;

use std::time::Duration;

use browser::{Browser, Screen};
use testkit::App;
use tests::Room;

/// How long anything on the page may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Each participant of a room with a browser, in which the room is open. `None` without a browser.
async fn gather(app: &App, room: &Room) -> Option<Vec<Browser>> {
    let mut browsers = Vec::new();
    for user in &room.users {
        let browser = Browser::start(Screen::Desktop).await?;
        browser.open(app, *user).await;
        browser.enter(room.id).await;
        browsers.push(browser);
    }
    Some(browsers)
}

fn name(user: i64) -> String {
    format!("User {user}")
}
