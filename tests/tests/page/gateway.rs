//! The page with a gateway: it uses a socket, and restarts of proxy, host and Redis lose nothing.

use std::time::Duration;

use redis::AsyncCommands as _;
use testkit::{App, unique_user, wait_for};
use tests::token;

use crate::closed::{conversation_of, end_sessions, say, signed_in};
use crate::{TIMEOUT, open_for_two};

/// Two heartbeats of a socket.
const HEARTBEATS: Duration = Duration::from_secs(60);

/// How many sockets and how many event streams a user has open.
async fn open_connections(app: &App, user: i64) -> (i64, i64) {
    let mut redis = app.redis().await;
    let sockets = redis.zcard(format!("{{user:{user}:feed}}:sockets")).await;
    let streams = redis.zcard(format!("user:{user}:streams")).await;
    (sockets.expect("a number"), streams.expect("a number"))
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn the_page_uses_a_socket_and_restarts_lose_nothing() {
    let app = App::builder().own_stores().gateway().spawn().await;
    let (room, one, two) = open_for_two(&app).await;
    let observe = async || open_connections(&app, room.users[1]).await;
    wait_for("there is a socket", TIMEOUT, observe, |open| {
        *open == (1, 0)
    })
    .await;
    one.say("Before.").await;
    two.reads(".content", &["Before."]).await;

    app.gateway().crash().await.expect("Pushpin ends");
    for browser in [&one, &two] {
        browser.reads("#banner-text", &["Reconnecting…"]).await;
    }
    one.say("Without Pushpin").await;
    app.gateway()
        .server()
        .start()
        .await
        .expect("Pushpin starts");
    two.reads(".content", &["Before.", "Without Pushpin"]).await;

    app.crash_and_restart().await;
    one.say("After the host").await;
    let all = ["Before.", "Without Pushpin", "After the host"];
    two.reads(".content", &all).await;

    app.stop_redis().await;
    one.say("Without Redis").await;
    app.start_redis().await;
    // A Redis that lost the leases of the sockets publishes to none until the proxy renews them; the
    // pages learn of it by their own heartbeats.
    let all = [&all[..], &["Without Redis"]].concat();
    two.reads_within(HEARTBEATS, ".content", &all).await;
    two.say("And back").await;
    let all = [&all[..], &["And back"]].concat();
    for browser in [&one, &two] {
        browser.reads_within(HEARTBEATS, ".content", &all).await;
        browser.hides("#banner").await;
    }
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_session_opens_the_socket_and_its_end_closes_it() {
    let app = token::closed().own_stores().gateway().spawn().await;
    let (user, other) = (unique_user(), unique_user());
    let room = conversation_of(&app, &[user, other], "Closed file").await;
    let page = signed_in(&app, user).await;
    page.enter(room).await;
    let observe = async || open_connections(&app, user).await;
    wait_for("there is a socket", TIMEOUT, observe, |open| {
        *open == (1, 0)
    })
    .await;
    say(&app, other, room, "By socket").await;
    page.reads(".content", &["By socket"]).await;

    end_sessions(&app, user).await;
    let shown = async || page.texts("#sign-in-dialog").await;
    wait_for("the page asks for a token", HEARTBEATS, shown, |texts| {
        !texts.is_empty()
    })
    .await;
    page.hides(".content").await;
}
