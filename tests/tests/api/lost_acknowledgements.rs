//! A change whose acknowledgement is lost ends as it would have with it: the same response, one
//! event, and nothing out of date in the cache.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use testkit::{App, Response, send, unique_user};
use tests::{LossyProxy, Room, path_of};

/// An app whose results from PostgreSQL come through a proxy.
async fn lossy() -> (App, LossyProxy) {
    let shared = testkit::app().await;
    // Every change of ours returns its outcome.
    let proxy = LossyProxy::before_postgres(shared, "done").await;
    let app = proxy.route(App::builder().same_stores_as(shared));
    (app.spawn().await, proxy)
}

async fn lost(proxy: &LossyProxy, request: RequestBuilder) -> Response {
    proxy.lose_next();
    let response = send(request).await;
    assert!(proxy.has_lost(), "no acknowledgement was lost");
    response
}

async fn event_types(room: &Room) -> Vec<String> {
    let events = "select type::text from events where conversation_id = $1 order by seq";
    let postgres = testkit::app().await.postgres().await;
    let rows = postgres.query(events, &[&room.id]).await.expect("events");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_made_once_and_shared() {
    let (app, proxy) = lossy().await;
    let room = Room::new(&app, 2).await;
    let (host, guest) = (room.users[0], room.users[1]);
    let list = |user: i64| format!("/api/v1/messages?conversationId={}&userId={user}", room.id);
    let message = room.say(&app, host, "PRIVILEGED").await;
    for user in [host, guest] {
        app.get(&list(user)).await.expect_status(200);
    }

    let path = format!("{}?userId={host}", path_of(&message));
    let edit = app
        .request(Method::PATCH, &path)
        .json(&json!({"content": "SECRET"}));
    lost(&proxy, edit).await.expect_status(200);
    assert!(app.get(&list(guest)).await.text().contains("SECRET"));

    lost(&proxy, app.request(Method::DELETE, &path))
        .await
        .expect_status(204);
    assert!(!app.get(&list(guest)).await.text().contains("SECRET"));

    let body = json!({"conversationId": room.id, "senderId": host, "content": "once",
        "clientMessageId": "lost"});
    let post = app.request(Method::POST, "/api/v1/messages").json(&body);
    let posted = lost(&proxy, post).await;
    assert!([200, 201].contains(&posted.status()), "{}", posted.text());

    let notice = format!("/api/v1/messages/conversations/{}/system-message", room.id);
    let notice = app
        .request(Method::POST, &notice)
        .json(&json!({"content": "notice"}));
    let posted = lost(&proxy, notice).await;
    assert!([200, 201].contains(&posted.status()), "{}", posted.text());

    let newcomer = unique_user();
    let participants = format!("/api/v1/conversations/{}/participants", room.id);
    let join = app
        .request(Method::POST, &participants)
        .json(&json!({"userId": newcomer}));
    let joined = lost(&proxy, join).await;
    assert!([200, 201].contains(&joined.status()), "{}", joined.text());
    app.get(&list(newcomer)).await.expect_status(200);

    let leave = format!("{participants}/{guest}");
    lost(&proxy, app.request(Method::DELETE, &leave))
        .await
        .expect_status(204);
    app.get(&list(guest)).await.expect_status(404);

    assert_eq!(
        event_types(&room).await,
        [
            "conversation-created",
            "new-message",
            "message-edited",
            "message-deleted",
            "new-message",
            "new-message",
            "participant-joined",
            "participant-left"
        ]
    );
}
