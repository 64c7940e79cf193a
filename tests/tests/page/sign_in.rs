//! The page with `auth_mode` jwt: signing in and out, reloads, several tabs, and sessions that end.

use serde_json::json;
use testkit::{unique_user, wait_for};
use thirtyfour::Key;

use crate::TIMEOUT;
use crate::browser::{Browser, Screen};
use crate::closed::{
    closed_app, contents, conversation_of, end_sessions, say, sessions_of, signed_in, token_of,
};

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_token_is_exchanged_for_a_session_and_forgotten() {
    let app = closed_app().await;
    let (user, other) = (unique_user(), unique_user());
    let room = conversation_of(app, &[user, other], "Closed file").await;
    let page = Browser::start(Screen::Desktop).await;

    page.visit(&app.url("/")).await;
    page.shows("#sign-in-dialog").await;
    page.press([Key::Escape, Key::Escape]).await;
    page.shows("#sign-in-dialog").await;
    let refused = ["The token was refused. It may have expired."];
    for token in ["no token", &token_of(user).replace('.', ".x")] {
        page.show_token(token).await;
        page.reads("#token-error", &refused).await;
    }
    let service = tests::token::service();
    page.show_token(service.trim_start_matches("Bearer ")).await;
    page.reads("#token-error", &["This is not an access token of a user."])
        .await;

    let token = token_of(user);
    page.show_token(&token).await;
    page.reads(".conversation-title", &["Closed file"]).await;
    page.keeps_nothing().await;
    let field = "return document.getElementById('token').value;";
    assert_eq!(page.run(field, json!(null)).await, json!(""));
    let [session] = &sessions_of(app, user).await[..] else {
        panic!("one session");
    };
    let device = session["device"].as_str().unwrap_or_default();
    assert!(device.ends_with(" on Linux"), "{device}");

    page.enter(room).await;
    page.hides("#banner").await;
    say(app, other, room, "Live").await;
    page.reads(".content", &["Live"]).await;
    page.say("Back").await;
    page.reads(".content", &["Live", "Back"]).await;
    page.reload().await;
    page.reads(".content", &["Live", "Back"]).await;
    page.hides("#sign-in-dialog").await;
    page.has_a_clean_log().await;
}

/// A text that the service refuses, and so stays with the page.
async fn leave_unsent(page: &Browser) {
    let write = "const field = document.getElementById('message');
        field.value = 'x'.repeat(20_000);
        field.dispatchEvent(new Event('input'));";
    page.run(write, json!(null)).await;
    page.click("#send").await;
    page.shows(".refused").await;
    page.write("#message", "A draft").await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn signing_out_leaves_nothing_behind() {
    let app = closed_app().await;
    let user = unique_user();
    let room = conversation_of(app, &[user], "Mine").await;
    let page = signed_in(app, user).await;
    page.enter(room).await;
    leave_unsent(&page).await;
    let stored = page.stored().await.to_string();
    assert!(stored.contains("xxx"), "unsent texts survive a reload");

    page.click(".sign-out").await;
    page.reads(
        "#sign-out-text",
        &["What is not sent yet, and drafts, are discarded."],
    )
    .await;
    page.click("#sign-out-dialog [data-close]").await;
    page.shows(".refused").await;
    page.click(".sign-out").await;
    page.click("#sign-out-form [type='submit']").await;
    page.shows("#sign-in-dialog").await;
    page.keeps_nothing().await;
    page.has_no_cookie().await;
    assert_eq!(sessions_of(app, user).await, [0; 0]);

    page.go_back().await;
    page.shows("#sign-in-dialog").await;
    page.hides(".conversation, .content").await;
    let field = "return document.getElementById('message').value;";
    assert_eq!(page.run(field, json!(null)).await, json!(""));
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn all_tabs_follow_a_sign_out_and_a_sign_in() {
    let app = closed_app().await;
    let (user, other) = (unique_user(), unique_user());
    conversation_of(app, &[user], "Of the one").await;
    conversation_of(app, &[other], "Of the other").await;
    let page = signed_in(app, user).await;
    let first = page.tab().await;
    let second = page.open_tab(&app.url("/")).await;
    page.reads(".conversation-title", &["Of the one"]).await;

    page.click(".sign-out").await;
    page.shows("#sign-in-dialog").await;
    page.switch_to(&first).await;
    page.shows("#sign-in-dialog").await;
    page.hides(".conversation").await;

    page.sign_in(other).await;
    page.reads(".conversation-title", &["Of the other"]).await;
    page.switch_to(&second).await;
    page.hides("#sign-in-dialog").await;
    page.reads(".conversation-title", &["Of the other"]).await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn what_is_unsent_when_the_session_ends_is_sent_once_its_user_is_back() {
    let app = closed_app().await;
    let user = unique_user();
    let room = conversation_of(app, &[user], "Mine").await;
    let page = signed_in(app, user).await;
    page.enter(room).await;
    page.say("Before").await;
    page.reads(".receipt", &["Sent"]).await;

    end_sessions(app, user).await;
    // At once, since the first key that is pressed would already meet the end of the session.
    let write = "const field = document.getElementById('message');
        const write = (text) => {
          field.value = text;
          field.dispatchEvent(new Event('input'));
        };
        write('Not sent yet');
        document.getElementById('composer').requestSubmit();
        write('A draft');";
    page.run(write, json!(null)).await;
    page.shows("#sign-in-dialog").await;
    page.hides(".conversation, .content, #message").await;
    page.keeps_nothing().await;
    assert_eq!(contents(app, room).await, ["Before"]);

    page.sign_in(user).await;
    page.reads(".content", &["Before", "Not sent yet"]).await;
    page.reads(".receipt", &["Sent"]).await;
    page.say(", and more").await;
    page.reads(".content", &["Before", "Not sent yet", "A draft, and more"])
        .await;
    page.reads(".receipt", &["Sent"]).await;
    page.keeps_nothing().await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn another_user_finds_nothing_of_a_former_one() {
    let app = closed_app().await;
    let (user, other) = (unique_user(), unique_user());
    let room = conversation_of(app, &[user, other], "Shared").await;
    let page = signed_in(app, user).await;
    page.enter(room).await;
    leave_unsent(&page).await;
    end_sessions(app, user).await;
    page.press([Key::Enter]).await;
    page.shows("#sign-in-dialog").await;

    page.sign_in(other).await;
    page.hides(".content, .pending").await;
    page.enter(room).await;
    page.shows("#thread-notice[data-shown='empty']").await;
    let field = "return document.getElementById('message').value;";
    assert_eq!(page.run(field, json!(null)).await, json!(""));
    page.say("Mine").await;
    page.reads(".receipt", &["Sent"]).await;
    assert_eq!(contents(app, room).await, ["Mine"]);
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn an_idle_page_notices_that_its_session_was_revoked() {
    let app = closed_app().await;
    let user = unique_user();
    let room = conversation_of(app, &[user], "Mine").await;
    say(app, user, room, "Confidential").await;
    let page = signed_in(app, user).await;
    page.enter(room).await;
    page.hides("#banner").await;
    end_sessions(app, user).await;
    let shown = async || page.texts("#sign-in-dialog").await;
    // An open stream ends within 15 s, and the page then asks whether the session is there.
    wait_for("the page asks for a token", 2 * TIMEOUT, shown, |texts| {
        !texts.is_empty()
    })
    .await;
    page.hides(".content").await;
    page.reads(
        "#token-error",
        &["Your session has ended. Sign in to go on."],
    )
    .await;
}
