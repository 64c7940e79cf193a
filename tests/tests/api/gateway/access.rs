//! Who may open a socket, and when the right to it ends.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{App, Builder, send, socket_path, unique_user};
use tests::{Room, token};
use tokio::sync::OnceCell;

use super::app;

/// An app that requires access tokens.
async fn closed() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    let builder = || token::closed().variable("rate_limit", 0).gateway();
    APP.get_or_init(|| builder().spawn()).await
}

async fn status(app: &App, path: &str, headers: &[(&'static str, String)]) -> u16 {
    match app.try_socket(path, headers).await {
        Ok(_) => 101,
        Err(refused) => refused.status,
    }
}

fn bearer(user: i64) -> [(&'static str, String); 1] {
    [("authorization", token::user(user))]
}

#[tokio::test]
async fn a_user_opens_a_socket_of_their_own_only() {
    let app = closed().await;
    let (ann, bob) = (unique_user(), unique_user());
    let path = socket_path(ann);
    assert_eq!(status(app, &path, &bearer(ann)).await, 101);
    assert_eq!(
        status(app, &path, &[("authorization", token::service())]).await,
        101
    );
    assert_eq!(status(app, &path, &bearer(bob)).await, 403);
    assert_eq!(status(app, &path, &[]).await, 401);
    assert_eq!(
        status(app, &path, &[("authorization", "Bearer x".into())]).await,
        401
    );
}

async fn ticket(app: &App, user: i64) -> String {
    let request = app.request(Method::POST, "/api/v1/messages/stream-tickets");
    let ticket = send(request.header("authorization", token::user(user))).await;
    ticket.expect_status(201).json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned()
}

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let app = closed().await;
    let (ann, bob) = (unique_user(), unique_user());
    let ticket_of_ann = ticket(app, ann).await;
    let path = format!("{}?ticket={ticket_of_ann}", socket_path(ann));
    let mut socket = app.try_socket(&path, &[]).await.expect("a socket");
    // Later requests of the proxy show the ticket too.
    let answer = socket.ask(json!({"type": "heartbeat"})).await;
    assert_eq!(answer["type"], "ok", "{answer}");
    assert_eq!(status(app, &path, &[]).await, 401);
    let path = format!("{}?ticket={}", socket_path(bob), ticket(app, ann).await);
    assert_eq!(status(app, &path, &[]).await, 403);
}

#[tokio::test]
async fn a_socket_ends_when_its_token_does() {
    let app = closed().await;
    let mut claims = token::claims(unique_user());
    // Tokens are taken for 30 s more.
    claims["exp"] = (token::now() - 28).into();
    let path = socket_path(
        claims["sub"]
            .as_str()
            .expect("text")
            .parse()
            .expect("a user"),
    );
    let headers = [("authorization", token::bearer(&claims))];
    let mut socket = app.try_socket(&path, &headers).await.expect("a socket");
    socket.next_of("hello").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    socket.send(json!({"type": "heartbeat"})).await;
    assert_eq!(socket.end_within(Duration::from_secs(10)).await, Some(4401));
}

#[tokio::test]
async fn an_idle_socket_ends_within_a_minute_of_its_token() {
    let app = closed().await;
    let mut claims = token::claims(unique_user());
    claims["exp"] = (token::now() - 25).into();
    let path = socket_path(
        claims["sub"]
            .as_str()
            .expect("text")
            .parse()
            .expect("a user"),
    );
    let headers = [("authorization", token::bearer(&claims))];
    let mut socket = app.try_socket(&path, &headers).await.expect("a socket");
    socket.next_of("hello").await;
    assert_eq!(socket.end_within(Duration::from_secs(60)).await, Some(4401));
}

/// A request past the proxy, in the proxy's form.
fn imitation(app: &App, user: i64, headers: &[(&str, &str)]) -> RequestBuilder {
    let mut request = app
        .request(Method::POST, &socket_path(user))
        .header("content-type", "application/websocket-events")
        .header("connection-id", "c")
        .body("OPEN\r\n");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
}

#[tokio::test]
async fn a_request_that_claims_to_be_the_proxys_is_refused() {
    let app = app().await;
    let user = unique_user();
    let claims = json!({"iss": "pushpin", "exp": token::now() + 3600});
    let forged = jwt_signer::hs256(b"a key of as many bytes as the right one has", &claims);
    send(imitation(app, user, &[])).await.expect_status(403);
    for signature in ["", "x", &forged] {
        let imitation = imitation(app, user, &[("grip-sig", signature)]);
        send(imitation).await.expect_status(403);
    }
    let key = app.gateway().key().to_owned();
    let genuine = jwt_signer::hs256(key.as_bytes(), &claims);
    let opened = send(imitation(app, user, &[("grip-sig", &genuine)])).await;
    assert!(
        opened
            .expect_status(200)
            .text()
            .starts_with("OPEN\r\nTEXT ")
    );
    let old = json!({"iss": "pushpin", "exp": token::now() - 60});
    let old = jwt_signer::hs256(key.as_bytes(), &old);
    send(imitation(app, user, &[("grip-sig", &old)]))
        .await
        .expect_status(403);
    let both = [("grip-sig", genuine.as_str()), ("grip-sig", &forged)];
    send(imitation(app, user, &both)).await.expect_status(403);
}

/// Pushpin passes on no request in its own form; another proxy may.
#[tokio::test]
async fn a_client_that_imitates_the_proxy_claims_no_socket() {
    let app = closed().await;
    let url = format!("http://{}{}", app.gateway().listen(), socket_path(1));
    let direct = reqwest::Client::new().post(&url).body("OPEN\r\n");
    let direct = direct.header("content-type", "application/websocket-events");
    send(direct).await.expect_status(403);
    let key = app.gateway().key().to_owned();
    let claims = json!({"exp": token::now() + 3600});
    let signature = jwt_signer::hs256(key.as_bytes(), &claims);
    let signed = |user: i64, connection: &str, state: &str| {
        app.request(Method::POST, &socket_path(user))
            .header("content-type", "application/websocket-events")
            .header("grip-sig", &signature)
            .header("connection-id", connection)
            .header("meta-socket", state)
    };
    let (ann, bob) = (unique_user(), unique_user());
    let state = jwt_signer::encode(json!({"user": ann, "connection": "c"}).to_string());
    for state in ["", &format!("{state}."), &format!("{state}.{state}")] {
        let frames = signed(ann, "c", state).body("TEXT 2\r\n{}\r\n");
        send(frames).await.expect_status(401);
    }
    // A state of one's own socket is that of no other user's, and of no other connection.
    let open = signed(ann, "c", "").header("authorization", token::user(ann));
    let opened = send(open.body("OPEN\r\n")).await.expect_status(200);
    let state = opened.header("set-meta-socket").expect("a state");
    send(signed(ann, "c", state)).await.expect_status(200);
    send(signed(bob, "c", state)).await.expect_status(403);
    send(signed(ann, "d", state)).await.expect_status(401);
}

#[tokio::test]
async fn a_request_past_the_proxy_is_no_socket() {
    let app = app().await;
    let path = socket_path(unique_user());
    app.get(&path).await.expect_status(426);
    let straight = testkit::app().await;
    straight.get(&path).await.expect_status(404);
    send(imitation(straight, unique_user(), &[]))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn a_short_key_leaves_the_gateway_off() {
    let builder: Builder = App::builder().gateway();
    let app = builder.variable("grip_key", "changeme").spawn().await;
    let user = unique_user();
    assert_eq!(status(&app, &socket_path(user), &[]).await, 404);
    assert!(app.log().contains("grip_key needs 32 bytes"));
}

#[tokio::test]
async fn pages_of_other_sites_open_no_socket_where_nothing_proves_who_calls() {
    let app = app().await;
    let path = socket_path(unique_user());
    let own = format!("http://{}", app.gateway().listen());
    assert_eq!(status(app, &path, &[("origin", own)]).await, 101);
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        assert_eq!(
            status(app, &path, &[("origin", origin.into())]).await,
            403,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_user_who_leaves_hears_that_and_nothing_of_later() {
    let app = app().await;
    let room = Room::new(app, 3).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut socket = app.socket(bob).await;
    socket.next_of("hello").await;
    let path = format!("/api/v1/conversations/{}/participants/{bob}", room.id);
    app.delete(&path).await.expect_status(204);
    let left = socket.next_of("participant-left").await;
    assert_eq!(left["userId"], bob);
    room.say(app, ann, "Without Bob").await;
    let other = Room::of(app, vec![ann, bob]).await;
    other.say(app, ann, "With Bob").await;
    loop {
        let event: Value = socket.next().await.expect("a frame");
        if event["type"] == "new-message" {
            assert_eq!(event["message"]["content"], "With Bob");
            break;
        }
    }
    let answer = socket
        .ask(json!({"type": "post", "conversationId": room.id, "content": "Hello"}))
        .await;
    assert_eq!(answer["problem"]["status"], 404);
}

#[tokio::test]
async fn frames_count_against_the_rate_and_sockets_against_their_limit() {
    let builder = token::closed().variable("rate_limit", 5).gateway();
    let app = builder.variable("max_streams_per_user", 2).spawn().await;
    let user = unique_user();
    let path = socket_path(user);
    let mut first = app
        .try_socket(&path, &bearer(user))
        .await
        .expect("a socket");
    let second = app
        .try_socket(&path, &bearer(user))
        .await
        .expect("a socket");
    assert_eq!(status(&app, &path, &bearer(user)).await, 429);
    second.close().await;
    assert_eq!(first.ask(json!({"type": "heartbeat"})).await["type"], "ok");
    let third = app
        .try_socket(&path, &bearer(user))
        .await
        .expect("a socket");
    drop(third);
    let refused = first.ask(json!({"type": "heartbeat"})).await;
    assert_eq!(refused["problem"]["status"], 429, "{refused}");
}
