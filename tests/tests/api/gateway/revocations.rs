//! Sockets and held streams end soon after what they rest on was revoked, though their clients send
//! nothing.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::json;
use testkit::{App, EventStream, Socket, send, socket_path, unique_user};
use tests::token::{self, bearer, claims, now};

/// Within this time they have to end.
const LIMIT: Duration = Duration::from_secs(15);

async fn app() -> App {
    let builder = token::closed().variable("rate_limit", 0).own_stores();
    builder.gateway().spawn().await
}

/// The connections of one right.
struct Connections {
    socket: Socket,
    stream: EventStream,
}

impl Connections {
    async fn open(app: &App, user: i64, header: (&'static str, String)) -> Self {
        let path = socket_path(user);
        // With a cookie only pages of the service open one.
        let origin = app.page_url("").trim_end_matches('/').to_owned();
        let headers = [header.clone(), ("origin", origin)];
        let mut socket = app.try_socket(&path, &headers).await.expect("a socket");
        socket.next_of("hello").await;
        let path = app.page_url(&format!("/api/v1/messages/users/{user}/events"));
        let request = Client::new().get(path).header(header.0, header.1);
        let mut stream = EventStream::open(request).await;
        assert_eq!(stream.status(), 200);
        stream.next_block().await.expect("an opening");
        Self { socket, stream }
    }

    async fn end(mut self) {
        let (code, ()) =
            futures::join!(self.socket.end_within(LIMIT), self.stream.end_within(LIMIT));
        assert_eq!(code, Some(4401));
    }

    async fn go_on(mut self) {
        let answer = self.socket.ask(json!({"type": "heartbeat"})).await;
        assert_eq!(answer["type"], "ok");
        let silence = tokio::time::timeout(Duration::from_secs(3), async {
            while self.stream.next_block().await.is_some() {}
        });
        assert!(silence.await.is_err(), "the stream ended");
    }
}

fn issued(user: i64, at: u64) -> (&'static str, String) {
    let mut claims = claims(user);
    claims["iat"] = at.into();
    ("authorization", bearer(&claims))
}

/// A session: its id, and its cookie.
async fn begin(app: &App, user: i64) -> (i64, (&'static str, String)) {
    let (name, value) = issued(user, now());
    let request = app
        .request(Method::POST, "/api/v1/sessions")
        .json(&json!({}));
    let begun = send(request.header(name, value)).await;
    let begun = begun.expect_status(201);
    let cookie = begun.header("set-cookie").expect("a cookie");
    let (cookie, _) = cookie.split_once(';').expect("attributes");
    let id = begun.json()["id"].as_i64().expect("an id");
    (id, ("cookie", cookie.to_owned()))
}

#[tokio::test]
async fn what_rests_on_a_revoked_token_ends() {
    let app = app().await;
    let (ann, bob) = (unique_user(), unique_user());
    let ended = Connections::open(&app, ann, issued(ann, now() - 5)).await;
    let other = Connections::open(&app, bob, issued(bob, now() - 5)).await;
    let request = app.request(Method::POST, "/api/v1/sessions/revoke");
    let request = request.header("authorization", token::service());
    send(request.json(&json!({"userId": ann})))
        .await
        .expect_status(204);
    ended.end().await;
    other.go_on().await;
}

#[tokio::test]
async fn what_rests_on_an_ended_session_ends_and_other_sessions_go_on() {
    let app = app().await;
    let ann = unique_user();
    let (first, cookie) = begin(&app, ann).await;
    let ended = Connections::open(&app, ann, cookie).await;
    let (_, cookie) = begin(&app, ann).await;
    let other = Connections::open(&app, ann, cookie.clone()).await;
    let path = format!("/api/v1/sessions/{first}");
    let request = app.request(Method::DELETE, &path);
    send(request.header("authorization", token::user(ann)))
        .await
        .expect_status(204);
    ended.end().await;
    other.go_on().await;
    let last = Connections::open(&app, ann, cookie).await;
    let request = app.request(Method::DELETE, "/api/v1/sessions");
    send(request.header("authorization", token::user(ann)))
        .await
        .expect_status(204);
    last.end().await;
}
