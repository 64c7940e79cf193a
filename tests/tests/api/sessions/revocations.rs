//! Revocations reach every host at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, EventStream, send, unique_user};
use tests::token::{self, now};

use super::{
    ANY, Browser, REVOKE, app, begin, by_service, issued, revoke, sessions_of, with_token,
};

async fn second(app: &App) -> App {
    token::closed()
        .variable("rate_limit", 0)
        .same_stores_as(app)
        .spawn()
        .await
}

#[tokio::test]
async fn a_revocation_ends_sessions_and_refuses_earlier_tokens_on_all_hosts() {
    let one = app().await;
    let two = second(one).await;
    let (user, other) = (unique_user(), unique_user());
    let earlier = issued(user, now() - 60);
    let undated = token::user(user);
    let theirs = token::user(other);
    let (browser, bystander) = (
        Browser::sign_in(one, user).await,
        Browser::sign_in(one, other).await,
    );
    for app in [one, &two] {
        for token in [&earlier, &undated, &theirs] {
            assert_eq!(with_token(app, token).await, 200);
        }
        assert_eq!(browser.status(app).await, 200);
    }
    revoke(one, user).await;
    for app in [&two, one] {
        for token in [&earlier, &undated] {
            assert_eq!(with_token(app, token).await, 401);
            begin(app, token, json!({})).await.expect_status(401);
        }
        assert_eq!(browser.status(app).await, 401);
        assert_eq!(with_token(app, &issued(user, now() + 1)).await, 200);
        assert_eq!(with_token(app, &theirs).await, 200);
        assert_eq!(bystander.status(app).await, 200);
    }
    assert_eq!(sessions_of(&two, user).await, Vec::<Value>::new());
    let again = begin(&two, &issued(user, now() + 1), json!({})).await;
    assert_eq!(
        Browser::of(&again.expect_status(201)).status(one).await,
        200
    );
}

#[tokio::test]
async fn tokens_are_refused_by_the_time_that_the_service_names_and_no_revocation_undoes_another() {
    let app = app().await;
    let user = unique_user();
    let tokens: Vec<String> = [300, 200, 100]
        .map(|ago| issued(user, now() - ago))
        .to_vec();
    let statuses = async || {
        let statuses = tokens.iter().map(|token| with_token(app, token));
        join_all(statuses).await
    };
    let revoke = async |ago: u64| {
        let before = chrono_like(now() - ago);
        let body = json!({"userId": user, "tokensIssuedBefore": before});
        let revoked = by_service(app, Method::POST, REVOKE, Some(body)).await;
        revoked.expect_status(204);
    };
    assert_eq!(statuses().await, [200, 200, 200]);
    revoke(250).await;
    assert_eq!(statuses().await, [401, 200, 200]);
    revoke(150).await;
    assert_eq!(statuses().await, [401, 401, 200]);
    revoke(290).await;
    assert_eq!(statuses().await, [401, 401, 200]);
}

/// A Unix time as RFC 3339.
fn chrono_like(at: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "times are below 2^53")]
    let at = (at * 1000) as f64;
    platform::clock::rfc3339_of_unix_ms(at).expect("a time")
}

#[tokio::test]
async fn a_time_to_come_would_lock_the_user_out() {
    let app = app().await;
    let user = unique_user();
    for (before, expected) in [
        (json!(chrono_like(now() + 3600)), 422),
        (json!("9999-12-31T23:59:59Z"), 422),
        (json!("yesterday"), 400),
        (json!("infinity"), 400),
        (json!(17), 400),
    ] {
        let body = json!({"userId": user, "tokensIssuedBefore": before});
        let refused = by_service(app, Method::POST, REVOKE, Some(body)).await;
        refused.expect_status(expected);
    }
    assert_eq!(with_token(app, &token::user(user)).await, 200);
}

#[tokio::test]
async fn a_revoked_token_takes_nothing_from_its_users_rate() {
    let app = token::closed().variable("rate_limit", 5).spawn().await;
    let user = unique_user();
    let stolen = token::user(user);
    revoke(&app, user).await;
    for _ in 0..20 {
        assert_eq!(with_token(&app, &stolen).await, 401);
    }
    assert_eq!(with_token(&app, &issued(user, now() + 1)).await, 200);
}

#[tokio::test]
async fn open_streams_of_a_revoked_user_end_within_fifteen_seconds() {
    let one = app().await;
    let two = second(one).await;
    let (user, other) = (unique_user(), unique_user());
    let conversation = json!({"participantIds": [user, other]});
    let created = by_service(
        one,
        Method::POST,
        "/api/v1/conversations",
        Some(conversation),
    )
    .await;
    let conversation = created.expect_status(201).json()["id"].clone();
    let of_conversation = format!("/api/v1/messages/conversations/{conversation}/events");
    let of_user = |user| format!("/api/v1/messages/users/{user}/events");
    let browser = Browser::sign_in(one, user).await;
    let ticket = ticket(one, &browser).await;
    let with = |path: &str, user| {
        let request = two.request(Method::GET, path);
        request.header("authorization", token::user(user))
    };
    let mut ending = vec![
        EventStream::open(with(&of_user(user), user)).await,
        EventStream::open(with(&of_conversation, user)).await,
        EventStream::open(browser.request(&two, Method::GET, &of_user(user))).await,
        two.events(&format!("{of_conversation}?ticket={ticket}"))
            .await,
    ];
    let mut staying = EventStream::open(with(&of_conversation, other)).await;
    for stream in ending.iter().chain([&staying]) {
        assert_eq!(stream.status(), 200);
    }
    revoke(one, user).await;
    let limit = tokio::time::Instant::now() + Duration::from_secs(15);
    for stream in &mut ending {
        stream.end_within(limit - tokio::time::Instant::now()).await;
    }
    let body = json!({"content": "The stream of the other user goes on."});
    let path = format!("/api/v1/messages/conversations/{conversation}/system-message");
    by_service(one, Method::POST, &path, Some(body))
        .await
        .expect_status(201);
    staying.next_of("new-message").await;
}

async fn ticket(app: &App, browser: &Browser) -> String {
    let request = browser.request(app, Method::POST, "/api/v1/messages/stream-tickets");
    let ticket = send(request).await.expect_status(201).json();
    ticket["ticket"].as_str().expect("a ticket").to_owned()
}

#[tokio::test]
async fn a_ticket_of_before_opens_no_stream_after() {
    let app = app().await;
    let user = unique_user();
    let browser = Browser::sign_in(app, user).await;
    let ticket = ticket(app, &browser).await;
    revoke(app, user).await;
    let path = format!("/api/v1/messages/users/{user}/events?ticket={ticket}");
    app.get(&path).await.expect_status(401);
}

/// Requests and sign-ins run on two hosts while the user is revoked. What begins after the response to
/// the revocation is refused, and no session that began with an earlier token survives it.
#[tokio::test]
async fn no_request_that_begins_after_a_revocation_passes_it() {
    let one = app().await;
    let two = second(one).await;
    for _ in 0..5 {
        race(&[one, &two]).await;
    }
}

async fn race(apps: &[&App]) {
    let user = unique_user();
    let stolen = issued(user, now() - 1);
    let browser = Browser::sign_in(apps[0], user).await;
    let revoked = AtomicBool::new(false);
    let requests = apps.iter().flat_map(|app| {
        let (revoked, browser, stolen) = (&revoked, &browser, &stolen);
        [
            futures::future::FutureExt::boxed(async move {
                let mut begun = Vec::new();
                for _ in 0..40 {
                    let after = revoked.load(Ordering::SeqCst);
                    let response = begin(app, stolen, json!({})).await;
                    assert!(!after || response.status() == 401, "{response}");
                    if response.status() == 201 {
                        begun.push(Browser::of(&response));
                    }
                }
                begun
            }),
            futures::future::FutureExt::boxed(async move {
                for _ in 0..80 {
                    let after = revoked.load(Ordering::SeqCst);
                    let statuses = [browser.status(app).await, with_token(app, stolen).await];
                    assert!(!after || statuses == [401, 401], "{statuses:?}");
                }
                Vec::new()
            }),
        ]
    });
    let revocation = async {
        for _ in 0..10 {
            send(apps[0].request(Method::GET, ANY)).await;
        }
        revoke(apps[1], user).await;
        revoked.store(true, Ordering::SeqCst);
    };
    let (begun, ()) = tokio::join!(join_all(requests), revocation);
    for browser in begun.iter().flatten() {
        for app in apps {
            assert_eq!(browser.status(app).await, 401);
        }
    }
    assert_eq!(sessions_of(apps[0], user).await, Vec::<Value>::new());
}
