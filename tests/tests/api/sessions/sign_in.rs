//! Beginning, listing and ending.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, send, unique_user};
use tests::token::{self, now};

use super::{ANY, Browser, SESSIONS, app, begin, by_service, issued, sessions_of, with_token};

#[tokio::test]
async fn a_token_is_exchanged_for_a_session_of_its_user() {
    let app = app().await;
    let (user, other) = (unique_user(), unique_user());
    let begun = begin(app, &token::user(user), json!({"device": "Büro: Firefox"})).await;
    let begun = begun.expect_status(201);
    let cookie = begun.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    let attributes = "; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=2592000";
    assert!(cookie.ends_with(attributes), "{cookie}");
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    let session = begun.json();
    assert_eq!(session["userId"], user);
    assert_eq!(session["device"], "Büro: Firefox");
    assert_eq!(session["createdAt"], session["lastSeenAt"]);
    assert!(session["expiresAt"].as_str() > session["createdAt"].as_str());
    let browser = Browser::of(&begun);
    assert_eq!(browser.secret().len(), 64);
    let unread = |user| format!("/api/v1/messages/users/{user}/unread-count");
    browser.get(app, &unread(user)).await.expect_status(200);
    browser.get(app, &unread(other)).await.expect_status(403);
    browser.get(app, "/api/v1/health").await.expect_status(403);
}

#[tokio::test]
async fn the_session_of_a_service_has_its_scope() {
    let app = app().await;
    let begun = begin(app, &token::service(), json!({}))
        .await
        .expect_status(201);
    assert_eq!(begun.json()["userId"], Value::Null);
    let browser = Browser::of(&begun);
    browser
        .get(app, "/api/v1/health/redis")
        .await
        .expect_status(200);
    let own = browser.get(app, SESSIONS).await.expect_status(200).json();
    assert_eq!(own[0]["id"], browser.id);
    browser.delete(app, SESSIONS).await.expect_status(204);
    assert_eq!(browser.status(app).await, 401);
}

#[tokio::test]
async fn a_session_begins_no_other() {
    let app = app().await;
    let browser = Browser::sign_in(app, unique_user()).await;
    let request = browser.request(app, Method::POST, SESSIONS);
    send(request.json(&json!({}))).await.expect_status(401);
}

#[tokio::test]
async fn a_session_is_of_the_caller_and_its_device_has_a_name() {
    let app = app().await;
    let caller = token::user(unique_user());
    let other = json!({"userId": unique_user()});
    begin(app, &caller, other.clone()).await.expect_status(403);
    begin(app, &token::service(), other)
        .await
        .expect_status(403);
    for device in ["", " ", "a\nb", "\u{202e}x", &"x".repeat(101)] {
        let refused = begin(app, &caller, json!({"device": device})).await;
        let refused = refused.expect_status(422).json();
        assert_eq!(refused["errors"][0]["field"], "device");
    }
    begin(app, &caller, json!({"device": 7}))
        .await
        .expect_status(400);
}

#[tokio::test]
async fn ten_devices_are_listed_and_end_one_by_one() {
    let app = app().await;
    let user = unique_user();
    let mut browsers = Vec::new();
    for device in 0..10 {
        let body = json!({"device": format!("device {device}")});
        let begun = begin(app, &issued(user, now()), body).await;
        browsers.push(Browser::of(&begun.expect_status(201)));
    }
    while let Some(browser) = browsers.pop() {
        let list = browser.get(app, SESSIONS).await.expect_status(200).json();
        let list = list.as_array().expect("an array");
        assert_eq!(list.len(), browsers.len() + 1);
        for session in list {
            assert_eq!(session["current"], session["id"] == browser.id, "{session}");
            assert_eq!(session["userId"], user);
        }
        let Some(other) = browsers.first() else {
            break;
        };
        let path = format!("{SESSIONS}/{}", browser.id);
        let ended = other.delete(app, &path).await.expect_status(204);
        // That of the other browser is kept.
        assert_eq!(ended.header("set-cookie"), None);
        assert_eq!(browser.status(app).await, 401);
        assert_eq!(other.status(app).await, 200);
        // Its end is a fact, however often it is asked for.
        other.delete(app, &path).await.expect_status(204);
    }
}

#[tokio::test]
async fn the_session_of_another_user_is_hidden() {
    let app = app().await;
    let (user, other) = (unique_user(), unique_user());
    let (mine, theirs) = (
        Browser::sign_in(app, user).await,
        Browser::sign_in(app, other).await,
    );
    let path = format!("{SESSIONS}/{}", theirs.id);
    mine.delete(app, &path).await.expect_status(404);
    let named = format!("{SESSIONS}?userId={other}");
    mine.get(app, &named).await.expect_status(403);
    mine.delete(app, &named).await.expect_status(403);
    assert_eq!(theirs.status(app).await, 200);
    let ended = by_service(app, Method::DELETE, &format!("{path}?userId={user}"), None).await;
    ended.expect_status(404);
    let ended = by_service(app, Method::DELETE, &format!("{path}?userId={other}"), None).await;
    ended.expect_status(204);
    assert_eq!(theirs.status(app).await, 401);
    assert_eq!(mine.status(app).await, 200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_sessions_and_no_token() {
    let app = app().await;
    let user = unique_user();
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(Browser::sign_in(app, user).await);
    }
    let bystander = Browser::sign_in(app, unique_user()).await;
    let ended = browsers[0].delete(app, SESSIONS).await.expect_status(204);
    let cookie = ended.header("set-cookie").expect("a cookie that expires");
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    for browser in &browsers {
        assert_eq!(browser.status(app).await, 401);
    }
    assert_eq!(bystander.status(app).await, 200);
    assert_eq!(sessions_of(app, user).await.len(), 0);
    assert_eq!(with_token(app, &token::user(user)).await, 200);
    assert_eq!(Browser::sign_in(app, user).await.status(app).await, 200);
}

#[tokio::test]
async fn a_cookie_that_signed_out_cannot_be_replayed() {
    let app = app().await;
    let browser = Browser::sign_in(app, unique_user()).await;
    assert_eq!(browser.status(app).await, 200);
    let current = format!("{SESSIONS}/current");
    let ended = browser.delete(app, &current).await.expect_status(204);
    let cookie = ended.header("set-cookie").unwrap_or_default();
    assert!(cookie.starts_with("__Host-session=;"), "{cookie}");
    for _ in 0..3 {
        assert_eq!(browser.status(app).await, 401);
    }
    browser.delete(app, &current).await.expect_status(401);
}

#[tokio::test]
async fn the_session_that_was_not_used_for_longest_gives_way_to_the_hundred_and_first() {
    let app = app().await;
    let user = unique_user();
    let first = Browser::sign_in(app, user).await;
    for _ in 0..100 {
        Browser::sign_in(app, user).await;
    }
    assert_eq!(sessions_of(app, user).await.len(), 100);
    assert_eq!(first.status(app).await, 401);
}

#[tokio::test]
async fn redis_and_postgres_hold_no_secret() {
    let app = App::builder()
        .own_stores()
        .variable("auth_mode", "open")
        .spawn()
        .await;
    let body = json!({"userId": unique_user()});
    let browser = Browser::of(&app.post(SESSIONS, body).await.expect_status(201));
    assert_eq!(browser.status(&app).await, 200);
    let mut redis = app.redis().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut redis)
        .await
        .expect("keys");
    assert!(
        keys.iter().any(|key| key.starts_with("session:")),
        "{keys:?}"
    );
    for key in keys {
        assert!(!key.contains(browser.secret()), "{key}");
        let value: redis::Value = redis::cmd("DUMP")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .expect("a value");
        assert!(!format!("{value:?}").contains(browser.secret()), "{key}");
    }
    let hash: Vec<(String, String)> = hash_of_session(&app).await;
    assert!(
        hash.iter()
            .all(|(_, value)| !value.contains(browser.secret()))
    );
    browser
        .delete(&app, &format!("{SESSIONS}/current"))
        .await
        .expect_status(204);
    let ended = app.postgres().await;
    let ended = ended.query_one("select count(*), max(e::text) from ended_sessions e", &[]);
    let ended = ended.await.expect("a row");
    assert_eq!(ended.get::<_, i64>(0), 1);
    assert!(!ended.get::<_, String>(1).contains(browser.secret()));
    assert!(!app.log().contains(browser.secret()));
}

async fn hash_of_session(app: &App) -> Vec<(String, String)> {
    use redis::AsyncCommands;
    let mut redis = app.redis().await;
    let keys: Vec<String> = redis.keys("session:*").await.expect("keys");
    redis.hgetall(&keys[0]).await.expect("a hash")
}

#[tokio::test]
async fn in_open_mode_a_session_is_of_the_user_whom_the_body_names() {
    let app = testkit::app().await;
    let user = unique_user();
    app.post(SESSIONS, json!({})).await.expect_status(400);
    let begun = app.post(SESSIONS, json!({"userId": user})).await;
    let begun = begun.expect_status(201);
    let cookie = begun.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("session="), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    let browser = Browser::of(&begun);
    let unread = |user| format!("/api/v1/messages/users/{user}/unread-count");
    browser.get(app, &unread(user)).await.expect_status(200);
    // With a session, the request's own ids do not say who calls.
    let other = unread(unique_user());
    browser.get(app, &other).await.expect_status(403);
    app.get(&other).await.expect_status(200);
    browser
        .delete(app, &format!("{SESSIONS}/current"))
        .await
        .expect_status(204);
    browser.get(app, &unread(user)).await.expect_status(401);
    // An old cookie does not keep its browser from signing in.
    let request = browser.request(app, Method::POST, SESSIONS);
    send(request.json(&json!({"userId": user})))
        .await
        .expect_status(201);
    assert_eq!(app.get(ANY).await.status(), 200);
}
