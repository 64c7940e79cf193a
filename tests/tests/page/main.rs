//! The page at `/`, in a headless Chromium, with the real service. Its state and logic alone have
//! unit tests in `components/web/tests`.
//!
//! # Layout
//!
//! - `browser`: a Chromium for each test, and waiting for what it shows
//! - `closed`: an app that asks for tokens or sessions, and users who sign in to it
//! - `files`: the files of the page and their headers
//! - `conversation`, `outage`, `gateway`, `history`, `keyboard`, `phone`, `search`, `sign_in`, `devices`:
//!   the page in use
//!
//! `cargo xtask test` installs Chromium. Where it cannot, it sets the feature `no-browser`, which
//! ignores the tests that need one.

mod browser;
mod closed;
mod conversation;
mod devices;
mod files;
mod gateway;
mod history;
mod keyboard;
mod outage;
mod phone;
mod search;
mod sign_in;

use std::time::Duration;

use browser::{Browser, Screen};
use testkit::App;
use tests::Room;

/// How long a change may take to reach the page.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A browser in which a user has a conversation open.
async fn open_room(app: &App, room: &Room, user: i64) -> Browser {
    let browser = Browser::start(Screen::Desktop).await;
    browser.open(app, user).await;
    browser.enter(room.id).await;
    browser
}

/// A new conversation of two users, which both have open.
async fn open_for_two(app: &App) -> (Room, Browser, Browser) {
    let room = Room::new(app, 2).await;
    let one = open_room(app, &room, room.users[0]).await;
    let two = open_room(app, &room, room.users[1]).await;
    (room, one, two)
}

fn name(user: i64) -> String {
    format!("User {user}")
}
