//! Cookies that were stolen, planted, or sent by pages of other sites.

use messaging::api::{Access, Route};
use messaging::auth::Cookies;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use testkit::{App, send, unique_user};
use tests::token;
use tests::{Room, routes};

use super::{ANY, Browser, REVOKE, SESSIONS, app, begin};
use crate::access::world::World;

/// The status of a request with this header `Cookie`.
async fn with_cookie(app: &App, cookie: &str) -> u16 {
    let request = app.request(Method::GET, ANY).header("cookie", cookie);
    send(request).await.status()
}

#[tokio::test]
async fn what_a_thief_finds_in_redis_is_no_cookie() {
    let app = app().await;
    let user = unique_user();
    let browser = Browser::sign_in(app, user).await;
    let mut redis = app.redis().await;
    let index: Vec<(String, String)> = redis
        .hgetall(format!("sessions:user:{user}"))
        .await
        .expect("a hash");
    let (id, hash) = &index[0];
    assert_eq!(id, &browser.id.to_string());
    for stolen in [hash, id] {
        assert_eq!(
            with_cookie(app, &format!("__Host-session={stolen}")).await,
            401
        );
    }
    assert_eq!(browser.status(app).await, 200);
}

#[tokio::test]
async fn an_altered_cookie_proves_nothing() {
    let app = app().await;
    let browser = Browser::sign_in(app, unique_user()).await;
    let secret = browser.secret();
    let last = if secret.ends_with('0') { "1" } else { "0" };
    for altered in [
        format!("__Host-session={}{last}", &secret[..63]),
        format!("__Host-session={}", &secret[..63]),
        format!("__Host-session={secret}0"),
        format!(
            "__Host-session={}",
            secret
                .to_uppercase()
                .replace(|c: char| c.is_ascii_digit(), "A")
        ),
        format!("__Host-session=\"{secret}\""),
        // The name of another protection.
        format!("session={secret}"),
        format!("__Secure-session={secret}"),
        "__Host-session=".to_owned(),
    ] {
        assert_eq!(with_cookie(app, &altered).await, 401, "{altered}");
    }
    assert_eq!(
        with_cookie(app, &format!("a=b; {}", browser.cookie)).await,
        200
    );
}

#[tokio::test]
async fn a_planted_cookie_is_worth_nothing_after_its_victim_signed_in() {
    let app = app().await;
    let planted = format!("__Host-session={}", "5".repeat(64));
    assert_eq!(with_cookie(app, &planted).await, 401);
    let request = app
        .request(Method::POST, SESSIONS)
        .header("cookie", &planted);
    let request = request.header("authorization", token::user(unique_user()));
    let victim = Browser::of(&send(request).await.expect_status(201));
    assert_ne!(victim.cookie, planted);
    assert_eq!(with_cookie(app, &planted).await, 401);
    // Of two cookies one was planted: neither is believed.
    let both = format!("{planted}; {}", victim.cookie);
    assert_eq!(with_cookie(app, &both).await, 401);
    assert_eq!(victim.status(app).await, 200);
}

#[tokio::test]
async fn a_token_goes_before_a_cookie() {
    let app = app().await;
    let (user, other) = (unique_user(), unique_user());
    let browser = Browser::sign_in(app, user).await;
    let unread = |user| format!("/api/v1/messages/users/{user}/unread-count");
    for (whose, expected) in [(user, 403), (other, 200)] {
        let request = browser.request(app, Method::GET, &unread(whose));
        let request = request.header("authorization", token::user(other));
        send(request).await.expect_status(expected);
    }
    // One that is refused is not made good by a cookie.
    let request = browser.request(app, Method::GET, ANY);
    send(request.header("authorization", "Bearer x.y.z"))
        .await
        .expect_status(401);
}

#[tokio::test]
async fn a_session_opens_every_route_that_its_token_opens() {
    let app = app().await;
    // Without a gateway there is no socket, and without an endpoint no assistant.
    let answered = |rule: &&Route| {
        let needs_more = ["/socket", "/assistant"]
            .iter()
            .any(|end| rule.path.ends_with(end));
        !matches!(rule.access, Access::Public | Access::Proxy) && !needs_more
    };
    for rule in routes::api().filter(answered) {
        let world = World::signed_in(app).await;
        let bearer = match rule.access {
            Access::Service | Access::Records | Access::Metrics => token::with_all_scopes(),
            _ => token::user(world.owner),
        };
        let browser = Browser::of(&begin(app, &bearer, json!({})).await.expect_status(201));
        let request = world.request(app, rule, world.owner);
        let request = request.header("cookie", &browser.cookie);
        let place = format!("{} {}", rule.method, rule.path);
        if !rule.method.is_safe() {
            let other_site = request.try_clone().expect("no stream");
            let status = other_site
                .send()
                .await
                .expect("a response")
                .status()
                .as_u16();
            let expected = if rule.cookies == Cookies::Ignored {
                401
            } else {
                403
            };
            assert_eq!(status, expected, "{place} without an origin");
        }
        let request = request.header("sec-fetch-site", "same-origin");
        let status = request.send().await.expect("a response").status();
        match rule.cookies {
            Cookies::Ignored => assert_eq!(status, 401, "{place}"),
            Cookies::Accepted => assert!(status.is_success(), "{place}: {status}"),
        }
    }
}

#[tokio::test]
async fn a_post_of_another_site_has_no_effect() {
    let app = app().await;
    let room = world_of(app).await;
    let user = room.users[0];
    let browser = Browser::sign_in(app, user).await;
    let body = json!({"conversationId": room.id, "senderId": user, "content": "forged"});
    let evil = "https://evil.example";
    let own = format!("http://{}", app.address());
    for (site, origin) in [
        (None, None),
        (None, Some(evil)),
        (None, Some("null")),
        (None, Some("https://127.0.0.1")),
        (Some("cross-site"), Some(evil)),
        (Some("cross-site"), Some(&*own)),
        (Some("same-site"), Some("https://x.lexiflow.example")),
        (Some("none"), None),
    ] {
        let mut request = app.request(Method::POST, "/api/v1/messages");
        request = request.header("cookie", &browser.cookie).json(&body);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let refused = send(request).await;
        assert_eq!(refused.status(), 403, "{site:?} {origin:?}: {refused}");
    }
    let list = browser
        .get(app, &room.list(10))
        .await
        .expect_status(200)
        .json();
    assert_eq!(list, json!([]));
    let request = app.request(Method::POST, "/api/v1/messages").json(&body);
    let request = request
        .header("cookie", &browser.cookie)
        .header("origin", own);
    send(request).await.expect_status(201);
}

/// A conversation of two users, in an app that asks for tokens.
async fn world_of(app: &App) -> Room {
    let users = vec![unique_user(), unique_user()];
    let request = app.request(Method::POST, "/api/v1/conversations");
    let request = request.header("authorization", token::service());
    let created = send(request.json(&json!({"participantIds": users}))).await;
    let id = created.expect_status(201).json()["id"]
        .as_i64()
        .expect("an id");
    Room { id, users }
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_send_and_one_of_any_may_not() {
    let app = token::closed()
        .variable("cors_origins", "https://app.example, *")
        .spawn()
        .await;
    let browser = Browser::sign_in(&app, unique_user()).await;
    for (origin, expected) in [("https://app.example", 201), ("https://evil.example", 403)] {
        let request = app.request(Method::POST, "/api/v1/messages/stream-tickets");
        let request = request
            .header("cookie", &browser.cookie)
            .header("sec-fetch-site", "cross-site")
            .header("origin", origin);
        let response = send(request).await.expect_status(expected);
        let credentials = response.header("access-control-allow-credentials");
        assert_eq!(credentials.is_some(), expected == 201);
    }
}

#[tokio::test]
async fn a_user_revokes_nothing() {
    let app = app().await;
    let user = unique_user();
    let browser = Browser::sign_in(app, user).await;
    let request = browser.request(app, Method::POST, REVOKE);
    send(request.json(&json!({"userId": user})))
        .await
        .expect_status(403);
    assert_eq!(browser.status(app).await, 200);
}
