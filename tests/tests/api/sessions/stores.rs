//! Sessions and revocations while a store is away, and after it came back without what it knew.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use testkit::{App, send, unique_user, wait_for};
use tests::token::{self, now};

use super::{Browser, SESSIONS, begin, issued, revoke, with_token};

async fn own() -> App {
    let app = token::closed().variable("rate_limit", 0);
    app.own_stores().spawn().await
}

async fn command(app: &App, words: &[&str]) {
    let mut redis = app.redis().await;
    let () = redis::cmd(words[0])
        .arg(&words[1..])
        .query_async(&mut redis)
        .await
        .expect("Redis takes the command");
}

/// The status of a call that Redis is not needed for.
async fn list_status(app: &App, user: i64, authorization: &str) -> u16 {
    let path = format!("/api/v1/conversations?userId={user}");
    let request = app.request(Method::GET, &path);
    let request = request.header("authorization", authorization);
    send(request).await.status()
}

#[tokio::test]
async fn without_redis_cookies_are_refused_with_503_and_tokens_go_on() {
    let app = own().await;
    let (user, revoked) = (unique_user(), unique_user());
    let browser = Browser::sign_in(&app, user).await;
    let other = Browser::sign_in(&app, revoked).await;
    let kept = token::user(user);
    let lost = token::user(revoked);
    app.stop_redis().await;
    let path = format!("/api/v1/conversations?userId={user}");
    let refused = browser.get(&app, &path).await.expect_status(503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(list_status(&app, user, &kept).await, 200);
    assert_eq!(list_status(&app, revoked, &lost).await, 200);
    // A revocation needs Redis neither to be made nor to hold.
    revoke(&app, revoked).await;
    assert_eq!(list_status(&app, revoked, &lost).await, 401);
    let request = app.request(Method::DELETE, SESSIONS);
    let request = request.header("authorization", &kept);
    send(request).await.expect_status(204);
    assert_eq!(list_status(&app, user, &kept).await, 200);
    app.start_redis().await;
    for ended in [&browser, &other] {
        let observe = async || ended.status(&app).await;
        let what = "Redis answers again";
        let limit = Duration::from_secs(15);
        let status = wait_for(what, limit, observe, |status| *status != 503).await;
        assert_eq!(status, 401);
    }
    assert_eq!(list_status(&app, revoked, &lost).await, 401);
}

#[tokio::test]
async fn a_redis_that_lost_everything_forgets_no_revocation() {
    let app = own().await;
    let user = unique_user();
    let browser = Browser::sign_in(&app, user).await;
    let earlier = token::user(user);
    revoke(&app, user).await;
    let fresh = issued(user, now() + 1);
    let begun = begin(&app, &fresh, json!({})).await.expect_status(201);
    let later = Browser::of(&begun);
    assert_eq!(later.status(&app).await, 200);
    command(&app, &["FLUSHALL"]).await;
    assert_eq!(with_token(&app, &earlier).await, 401);
    assert_eq!(browser.status(&app).await, 401);
    // Sessions are in Redis alone: their users sign in again.
    assert_eq!(later.status(&app).await, 401);
    assert_eq!(with_token(&app, &fresh).await, 200);
    let begun = begin(&app, &fresh, json!({})).await.expect_status(201);
    assert_eq!(Browser::of(&begun).status(&app).await, 200);
}

#[tokio::test]
async fn a_redis_that_came_back_older_revives_no_session() {
    let app = own().await;
    let users: Vec<i64> = (0..5).map(|_| unique_user()).collect();
    let mut browsers = Vec::new();
    for user in &users {
        let browser = Browser::sign_in(&app, *user).await;
        assert_eq!(browser.status(&app).await, 200);
        browsers.push(browser);
    }
    let tokens: Vec<String> = users.iter().map(|user| token::user(*user)).collect();
    for token in &tokens {
        assert_eq!(with_token(&app, token).await, 200);
    }
    let snapshot = app.snapshot_redis().await;
    let current = format!("{SESSIONS}/current");
    let by_id = format!("{SESSIONS}/{}", browsers[1].id);
    browsers[0].delete(&app, &current).await.expect_status(204);
    browsers[1].delete(&app, &by_id).await.expect_status(204);
    browsers[2].delete(&app, SESSIONS).await.expect_status(204);
    revoke(&app, users[3]).await;
    app.kill_redis().await;
    app.restore_redis(&snapshot);
    app.start_redis().await;
    for _ in 0..10 {
        for ended in &browsers[..4] {
            let status = ended.status(&app).await;
            assert!([401, 503].contains(&status), "{status}");
        }
        let status = with_token(&app, &tokens[3]).await;
        assert!([401, 503].contains(&status), "{status}");
    }
    let observe = async || browsers[4].status(&app).await;
    let limit = Duration::from_secs(15);
    let what = "the session that did not end goes on";
    wait_for(what, limit, observe, |status| *status == 200).await;
    for ended in &browsers[..4] {
        assert_eq!(ended.status(&app).await, 401);
    }
    assert_eq!(with_token(&app, &tokens[3]).await, 401);
    assert_eq!(with_token(&app, &tokens[0]).await, 200);
}

#[tokio::test]
async fn a_redis_that_refuses_writes_keeps_no_ended_session_alive() {
    let one = own().await;
    let two = token::closed().variable("rate_limit", 0);
    let two = two.same_stores_as(&one).spawn().await;
    let (user, revoked) = (unique_user(), unique_user());
    let browser = Browser::sign_in(&one, user).await;
    let other = Browser::sign_in(&one, revoked).await;
    let lost = token::user(revoked);
    for app in [&one, &two] {
        assert_eq!(browser.status(app).await, 200);
        assert_eq!(other.status(app).await, 200);
        assert_eq!(with_token(app, &lost).await, 200);
    }
    command(&one, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    let request = one.request(Method::DELETE, &format!("{SESSIONS}/{}", browser.id));
    let request = request.header("authorization", token::user(user));
    send(request).await.expect_status(204);
    revoke(&one, revoked).await;
    command(&one, &["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    for _ in 0..10 {
        for app in [&two, &one] {
            assert_eq!(browser.status(app).await, 401);
            assert_eq!(other.status(app).await, 401);
            assert_eq!(with_token(app, &lost).await, 401);
        }
    }
}

#[tokio::test]
async fn without_postgres_those_who_are_known_go_on() {
    let app = own().await;
    let user = unique_user();
    let browser = Browser::sign_in(&app, user).await;
    let bearer = token::user(user);
    let online = format!("/api/v1/messages/users/{user}/online");
    let heartbeat = async |by_cookie: bool| {
        let request = if by_cookie {
            browser.request(&app, Method::POST, &online)
        } else {
            let request = app.request(Method::POST, &online);
            request.header("authorization", &bearer)
        };
        send(request).await.status()
    };
    for by_cookie in [true, false] {
        assert_eq!(heartbeat(by_cookie).await, 200);
    }
    app.stop_postgres().await;
    for by_cookie in [true, false] {
        assert_eq!(heartbeat(by_cookie).await, 200);
    }
    // Whether this one is revoked is not known.
    let stranger = token::user(unique_user());
    assert_eq!(with_token(&app, &stranger).await, 503);
    app.start_postgres().await;
}
