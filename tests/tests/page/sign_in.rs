//! The page with `auth_mode` jwt.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use testkit::{App, send, unique_user};
use thirtyfour::Key;

use crate::browser::{Browser, Screen};

const SECRET: &str = "a secret of this test, long enough";

/// A token of a user for the next ten minutes.
fn token(user: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    jwt_signer::hs256(
        SECRET.as_bytes(),
        &json!({ "sub": user.to_string(), "exp": now + 600 }),
    )
}

async fn post(app: &App, user: i64, path: &str, body: serde_json::Value) -> serde_json::Value {
    let request = app
        .request(reqwest::Method::POST, path)
        .bearer_auth(token(user))
        .json(&body);
    send(request).await.expect_status(201).json()
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn the_page_asks_for_a_token_and_then_works_with_it() {
    let page = Browser::start(Screen::Desktop).await;
    let app = App::builder()
        .variable("auth_mode", "jwt")
        .variable("jwt_secret", SECRET)
        .spawn()
        .await;
    let (user, other) = (unique_user(), unique_user());
    let room = post(
        &app,
        user,
        "/api/v1/conversations",
        json!({ "title": "Closed file", "participantIds": [user, other] }),
    )
    .await;

    page.visit(&app.url("/")).await;
    page.shows("#sign-in-dialog").await;
    page.press([Key::Escape, Key::Escape]).await;
    page.shows("#sign-in-dialog").await;
    page.write("#token", "no token").await;
    page.click("#sign-in-form [type='submit']").await;
    page.reads("#token-error", &["This is not an access token of a user."])
        .await;
    page.run("document.getElementById('token').value = '';", json!(null))
        .await;
    page.write("#token", &token(user).replace('.', ".x")).await;
    page.click("#sign-in-form [type='submit']").await;
    page.reads("#token-error", &["This is not an access token of a user."])
        .await;

    page.run("document.getElementById('token').value = '';", json!(null))
        .await;
    page.write("#token", &token(user)).await;
    page.click("#sign-in-form [type='submit']").await;
    page.reads(".conversation-title", &["Closed file"]).await;
    page.enter(room["id"].as_i64().expect("an id")).await;
    let body = json!({ "conversationId": room["id"], "senderId": other, "content": "Live" });
    page.hides("#banner").await;
    post(&app, other, "/api/v1/messages", body).await;
    page.reads(".content", &["Live"]).await;
    page.say("Back").await;
    page.reads(".content", &["Live", "Back"]).await;

    page.click("#identity button").await;
    page.shows("#sign-in-dialog").await;
    page.write(
        "#token",
        &jwt_signer::hs256(b"another secret", &json!({ "sub": user.to_string() })),
    )
    .await;
    page.click("#sign-in-form [type='submit']").await;
    page.reads(
        "#token-error",
        &["The token was refused. It may have expired."],
    )
    .await;
}
