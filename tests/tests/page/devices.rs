//! The dialog of the user's devices.

use serde_json::json;
use testkit::{unique_user, wait_for};

use crate::TIMEOUT;
use crate::browser::Browser;
use crate::closed::{closed_app, conversation_of, sessions_of, signed_in};

/// The pages of so many devices of a user, and the first of them with the dialog open.
async fn devices_of(user: i64, count: usize) -> Vec<Browser> {
    let app = closed_app().await;
    conversation_of(app, &[user], "Mine").await;
    let mut pages = Vec::new();
    for _ in 0..count {
        pages.push(signed_in(app, user).await);
    }
    pages[0].click("[aria-label='Your devices']").await;
    pages[0]
        .reads(".device .device-mark:not(:empty)", &["This device"])
        .await;
    pages
}

impl Browser {
    /// Waits until the page asks for a token because its session was ended elsewhere.
    async fn is_signed_out(&self) {
        let shown = async || self.texts("#sign-in-dialog").await;
        // An open stream ends within 15 s, and the page then asks whether the session is there.
        wait_for("the page asks for a token", 2 * TIMEOUT, shown, |texts| {
            !texts.is_empty()
        })
        .await;
        self.hides(".conversation").await;
    }

    async fn lists_devices(&self, count: usize) {
        let shown = async || self.texts(".device").await.len();
        wait_for("the devices", TIMEOUT, shown, |shown| *shown == count).await;
    }
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_user_ends_the_session_of_another_device() {
    let user = unique_user();
    let pages = devices_of(user, 2).await;
    pages[0].lists_devices(2).await;
    let names = pages[0].texts(".device-name").await;
    assert!(
        names.iter().all(|name| name.ends_with(" on Linux")),
        "{names:?}"
    );
    let end = ".device button:not([hidden])";
    let label = pages[0].run(
        "return document.querySelector(arguments[0]).ariaLabel;",
        json!(end),
    );
    assert_eq!(label.await, json!(format!("Sign out {}", names[0])));
    pages[0].click(end).await;
    pages[0].lists_devices(1).await;
    pages[0].focuses("#devices-close").await;
    pages[0].hides("#end-others").await;
    pages[1].is_signed_out().await;
    pages[0].click("#devices-close").await;
    pages[0].reads(".conversation-title", &["Mine"]).await;
    pages[0].has_a_clean_log().await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn all_other_devices_are_signed_out_and_then_this_one() {
    let app = closed_app().await;
    let user = unique_user();
    let pages = devices_of(user, 3).await;
    pages[0].lists_devices(3).await;
    pages[0].click("#end-others").await;
    pages[0].lists_devices(1).await;
    assert_eq!(sessions_of(app, user).await.len(), 1);
    for page in &pages[1..] {
        page.is_signed_out().await;
    }

    pages[0].click("#end-all").await;
    pages[0]
        .reads("#sign-out-text", &["All your devices are signed out."])
        .await;
    pages[0].click("#sign-out-form [type='submit']").await;
    pages[0].is_signed_out().await;
    pages[0].keeps_nothing().await;
    assert_eq!(sessions_of(app, user).await, [0; 0]);
}
