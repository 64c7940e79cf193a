//! An open socket is a heartbeat.

use std::time::Duration;

use serde_json::json;
use testkit::{App, unique_user, wait_for};
use tests::Room;

use super::app;

async fn is_online(app: &App, user: i64) -> bool {
    let path = format!("/api/v1/messages/users/{user}/online-status");
    app.get(&path).await.expect_status(200).json()["online"] == true
}

async fn until(app: &App, user: i64, online: bool, limit: u64) {
    let limit = Duration::from_secs(limit);
    let observe = async || is_online(app, user).await;
    wait_for("the presence is as expected", limit, observe, |found| {
        *found == online
    })
    .await;
}

#[tokio::test]
async fn a_user_is_online_while_a_socket_is_open_and_offline_after_the_last_goodbye() {
    let app = app().await;
    let user = unique_user();
    assert!(!is_online(app, user).await);
    let (mut desk, mut phone) = (app.socket(user).await, app.socket(user).await);
    desk.next_of("hello").await;
    phone.next_of("hello").await;
    assert!(is_online(app, user).await);
    desk.close().await;
    assert!(is_online(app, user).await, "the phone is still there");
    phone.close().await;
    until(app, user, false, 5).await;
}

#[tokio::test]
async fn others_hear_of_it_by_their_sockets() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut of_ann = app.socket(ann).await;
    of_ann.next_of("hello").await;
    let of_bob = app.socket(bob).await;
    assert_eq!(of_ann.next_of("online").await["userId"], bob);
    of_bob.close().await;
    assert_eq!(of_ann.next_of("offline").await["userId"], bob);
}

#[tokio::test]
async fn a_heartbeat_by_http_counts_beside_a_socket() {
    let app = app().await;
    let user = unique_user();
    let socket = app.socket(user).await;
    let path = format!("/api/v1/messages/users/{user}/online");
    app.post(&path, json!({"deviceId": "phone"}))
        .await
        .expect_status(200);
    socket.close().await;
    assert!(is_online(app, user).await);
}

#[tokio::test]
async fn an_idle_socket_is_renewed_by_the_proxy_and_a_lost_one_expires() {
    let app = App::builder()
        .gateway()
        .variable("presence_ttl", 30)
        .spawn()
        .await;
    let (idle, lost) = (unique_user(), unique_user());
    let mut socket = app.socket(idle).await;
    socket.next_of("hello").await;
    let mut cut = app.socket(lost).await;
    cut.next_of("hello").await;
    // Without a goodbye.
    drop(cut);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(is_online(&app, lost).await, "the client may come back");
    until(&app, lost, false, 40).await;
    assert!(is_online(&app, idle).await, "the proxy's requests renew it");
    drop(socket);
}
