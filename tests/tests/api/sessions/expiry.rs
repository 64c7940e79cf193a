//! Idle and absolute ends.

use std::time::{Duration, Instant};

use testkit::{unique_user, wait_for};
use tests::token;

use super::{Browser, SESSIONS, sessions_of};

#[tokio::test]
async fn a_session_that_is_used_goes_on_and_one_that_is_not_ends() {
    let app = token::closed()
        .variable("session_idle_ttl", 3)
        .variable("rate_limit", 0)
        .spawn()
        .await;
    let user = unique_user();
    let (used, idle) = (
        Browser::sign_in(&app, user).await,
        Browser::sign_in(&app, user).await,
    );
    let begun = Instant::now();
    let observe = async || {
        assert_eq!(used.status(&app).await, 200, "after {:?}", begun.elapsed());
        sessions_of(&app, user).await.len()
    };
    let limit = Duration::from_secs(10);
    wait_for("the idle session ends", limit, observe, |left| *left == 1).await;
    assert!(begun.elapsed() > Duration::from_secs(2));
    assert_eq!(idle.status(&app).await, 401);
    // For longer than a session may go unused.
    while begun.elapsed() < Duration::from_secs(7) {
        assert_eq!(used.status(&app).await, 200, "after {:?}", begun.elapsed());
    }
    let list = used.get(&app, SESSIONS).await.expect_status(200).json();
    assert!(list[0]["lastSeenAt"].as_str() > list[0]["createdAt"].as_str());
    let observe = async || sessions_of(&app, user).await.len();
    wait_for("the other ends too", limit, observe, |left| *left == 0).await;
    assert_eq!(used.status(&app).await, 401);
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used_and_its_stream_with_it() {
    let app = token::closed()
        .variable("session_ttl", 4)
        .variable("rate_limit", 0)
        .spawn()
        .await;
    let user = unique_user();
    let browser = Browser::sign_in(&app, user).await;
    let begun = Instant::now();
    let feed = format!("/api/v1/messages/users/{user}/events");
    let feed = browser.request(&app, reqwest::Method::GET, &feed);
    let mut stream = testkit::EventStream::open(feed).await;
    assert_eq!(stream.status(), 200);
    let observe = async || browser.status(&app).await;
    let what = "the session ends";
    wait_for(what, Duration::from_secs(10), observe, |status| {
        *status == 401
    })
    .await;
    assert!(begun.elapsed() > Duration::from_secs(3));
    stream.end_within(Duration::from_secs(5)).await;
}
