//! The stores of a test binary. The app itself is not started here.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use redis::AsyncCommands;
use testkit::App;

async fn conversation(app: &App) -> i64 {
    let insert = "insert into conversations (title) values ('a matter') returning id";
    app.postgres()
        .await
        .query_one(insert, &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn ids_start_at_random_so_that_keys_in_a_shared_redis_do_not_collide() {
    let app = App::builder().prepare().await.unwrap();
    let id = conversation(&app).await;
    assert!((1 << 32..1 << 41).contains(&id), "{id}");
    assert_eq!(conversation(&app).await, id + 1);
}

#[tokio::test]
async fn apps_of_a_binary_share_their_stores() {
    let (one, two) = tokio::join!(App::builder().prepare(), App::builder().prepare());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.data().database_url(), two.data().database_url());
    assert_ne!(one.address(), two.address());
}

#[tokio::test]
async fn own_stores_may_be_stopped_and_come_back_with_their_data() {
    let app = App::builder().own_stores().prepare().await.unwrap();
    conversation(&app).await;
    let () = app.redis().await.set("kept", 7).await.unwrap();
    tokio::join!(app.stop_redis(), app.kill_postgres());
    tokio::join!(app.start_redis(), app.start_postgres());
    assert_eq!(app.redis().await.get::<_, i64>("kept").await.unwrap(), 7);
    let rows = app
        .postgres()
        .await
        .query("select from conversations", &[])
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
#[should_panic = "a test that stops a store needs stores of its own"]
async fn shared_stores_may_not_be_stopped() {
    App::builder().prepare().await.unwrap().stop_redis().await;
}

#[tokio::test]
async fn a_redis_restored_from_a_snapshot_has_what_it_had_then() {
    let app = App::builder().own_stores().prepare().await.unwrap();
    let () = app.redis().await.set("key", "then").await.unwrap();
    let snapshot = app.snapshot_redis().await;
    let () = app.redis().await.set("key", "later").await.unwrap();
    app.kill_redis().await;
    app.restore_redis(&snapshot);
    app.start_redis().await;
    let found: String = app.redis().await.get("key").await.unwrap();
    assert_eq!(found, "then");
}
