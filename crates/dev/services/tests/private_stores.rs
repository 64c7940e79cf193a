//! Private servers: what survives what.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use dev_services::{Durability, Options, Stores, TemporaryDirectory};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::{Client, NoTls};

async fn start(home: &TemporaryDirectory, durability: Durability) -> Stores {
    let lock = dev_services::DirectoryLock::take(home.path()).unwrap();
    Stores::start(Options::private(durability), lock)
        .await
        .unwrap()
}

async fn session(stores: &Stores) -> Client {
    let (client, connection) = tokio_postgres::connect(stores.database_url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// Sends one Redis command, as a line, and returns the reply as it came.
async fn redis(stores: &Stores, command: &str) -> String {
    let url = stores.redis_url();
    let (password, address) = url
        .strip_prefix("redis://default:")
        .unwrap()
        .split_once('@')
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("AUTH {password}\r\n{command}\r\nQUIT\r\n").as_bytes())
        .await
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
        .strip_prefix("+OK\r\n")
        .unwrap()
        .strip_suffix("+OK\r\n")
        .unwrap()
        .trim_end()
        .into()
}

#[tokio::test]
async fn data_survives_a_stop_and_a_new_start() {
    let home = TemporaryDirectory::create().unwrap();
    let first = start(&home, Durability::Kept).await;
    session(&first)
        .await
        .batch_execute("create table kept (n int); insert into kept values (7)")
        .await
        .unwrap();
    assert_eq!(redis(&first, "SET kept 7").await, "+OK");
    let (redis_url, database_url) = (
        first.redis_url().to_string(),
        first.database_url().to_string(),
    );
    first.stop().await.unwrap();
    drop(first);

    let second = start(&home, Durability::Kept).await;
    assert_eq!(
        (second.redis_url(), second.database_url()),
        (&*redis_url, &*database_url)
    );
    let row = session(&second)
        .await
        .query_one("select n from kept", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
    assert_eq!(redis(&second, "GET kept").await, "$1\r\n7");
    assert_eq!(
        redis(&second, "CONFIG GET notify-keyspace-events").await,
        "*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxE"
    );
    assert_eq!(
        redis(&second, "CONFIG GET maxmemory-policy").await,
        "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction"
    );
    let encoding = session(&second)
        .await
        .query_one("show server_encoding", &[])
        .await
        .unwrap();
    assert_eq!(encoding.get::<_, &str>(0), "UTF8");
}

#[tokio::test]
async fn killed_servers_start_again_on_the_same_port_with_the_same_data() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Kept).await;
    session(&stores)
        .await
        .batch_execute("create table kept (n int)")
        .await
        .unwrap();
    redis(&stores, "SET kept 7").await;
    // Redis writes its log once a second, so what is younger may be lost in a crash.
    redis(&stores, "WAITAOF 0 0 0").await;
    stores.redis().unwrap().stop().await.unwrap();
    stores.postgres().unwrap().kill().await.unwrap();

    stores.redis().unwrap().start().await.unwrap();
    stores.postgres().unwrap().start().await.unwrap();
    assert_eq!(redis(&stores, "GET kept").await, "$1\r\n7");
    session(&stores)
        .await
        .query("select from kept", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_paused_server_answers_once_it_is_resumed() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Throwaway).await;
    let client = session(&stores).await;
    stores.postgres().unwrap().pause().await;
    let blocked = tokio::time::timeout(
        std::time::Duration::from_millis(200),
        client.query_one("select 1", &[]),
    )
    .await;
    assert!(blocked.is_err());
    stores.postgres().unwrap().resume().await;
    client.query_one("select 1", &[]).await.unwrap();
}

#[tokio::test]
async fn servers_that_a_killed_run_left_behind_do_not_stop_the_next_one() {
    let home = TemporaryDirectory::create().unwrap();
    let first = start(&home, Durability::Kept).await;
    let (redis, postgres) = (
        first.redis().unwrap().pid().await.unwrap(),
        first.postgres().unwrap().pid().await.unwrap(),
    );
    // A second process that never knew of the first: the lock file is gone with the first's lock.
    std::fs::remove_file(home.path().join("lock")).unwrap();
    let second = start(&home, Durability::Kept).await;
    assert_ne!(second.redis().unwrap().pid().await, Some(redis));
    assert_ne!(second.postgres().unwrap().pid().await, Some(postgres));
    session(&second)
        .await
        .query_one("select 1", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn two_that_migrate_at_once_apply_each_migration_once() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Throwaway).await;
    let files = home.path().join("migrations");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(
        files.join("V1__one.sql"),
        "create table one (n int); select pg_sleep(0.2);",
    )
    .unwrap();
    std::fs::write(
        files.join("V2__two.sql"),
        "create table two (n int); insert into two values (1);",
    )
    .unwrap();
    let migrate = || dev_services::migrate::migrate(stores.database_url(), &files);
    let (a, b, c) = tokio::try_join!(migrate(), migrate(), migrate()).unwrap();
    assert_eq!(a.len() + b.len() + c.len(), 2);
    let rows = session(&stores)
        .await
        .query_one("select count(*) from two", &[])
        .await
        .unwrap();
    assert_eq!(rows.get::<_, i64>(0), 1);
}
