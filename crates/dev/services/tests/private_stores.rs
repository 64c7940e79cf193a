//! Private servers, and which faults their data survives.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use dev_services::{DirectoryLock, Durability, Options, Stores, Template, TemporaryDirectory};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, FromRedisValue};
use tokio_postgres::Client;

async fn start_with(home: &TemporaryDirectory, options: Options) -> Stores {
    let lock = DirectoryLock::take(home.path()).unwrap();
    Stores::start(options, lock).await.unwrap()
}

/// Private stores; their cluster is copied, since `initdb` takes seconds.
async fn start(home: &TemporaryDirectory, durability: Durability) -> Stores {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty-cluster");
    let migrations = cache.join("migrations");
    std::fs::create_dir_all(&migrations).unwrap();
    let template = Template::load_or_create(&cache.join("template"), &migrations).await;
    start_with(home, from_template(template.unwrap(), durability)).await
}

fn from_template(template: Template, durability: Durability) -> Options {
    Options {
        template: Some(template),
        ..Options::private(durability)
    }
}

async fn session(stores: &Stores) -> Client {
    dev_services::connect(stores.database_url()).await.unwrap()
}

async fn number(stores: &Stores, query: &str) -> i64 {
    let row = session(stores).await.query_one(query, &[]).await.unwrap();
    row.get(0)
}

async fn redis(stores: &Stores) -> MultiplexedConnection {
    let client = redis::Client::open(stores.redis_url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn command<T: FromRedisValue>(stores: &Stores, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut redis(stores).await).await.unwrap()
}

#[tokio::test]
async fn durable_data_and_ports_survive_a_stop_and_a_new_start() {
    let home = TemporaryDirectory::create().unwrap();
    let first = start_with(&home, Options::private(Durability::Durable)).await;
    session(&first)
        .await
        .batch_execute("create table kept (n bigint); insert into kept values (7)")
        .await
        .unwrap();
    let () = redis(&first).await.set("kept", 7).await.unwrap();
    let urls = (
        first.redis_url().to_owned(),
        first.database_url().to_owned(),
    );
    first.stop().await.unwrap();
    drop(first);

    let second = start(&home, Durability::Durable).await;
    assert_eq!(
        (second.redis_url(), second.database_url()),
        (&*urls.0, &*urls.1)
    );
    assert_eq!(number(&second, "select n from kept").await, 7);
    assert_eq!(command::<i64>(&second, &["GET", "kept"]).await, 7);
}

#[tokio::test]
async fn servers_have_the_settings_that_the_service_needs() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Ephemeral).await;
    for (setting, value) in [
        ("notify-keyspace-events", "xE"),
        ("maxmemory-policy", "noeviction"),
    ] {
        let found: Vec<String> = command(&stores, &["CONFIG", "GET", setting]).await;
        assert_eq!(found, [setting, value]);
    }
    let session = session(&stores).await;
    let encoding = session
        .query_one("show server_encoding", &[])
        .await
        .unwrap();
    assert_eq!(encoding.get::<_, &str>(0), "UTF8");
}

#[tokio::test]
async fn killed_servers_start_again_on_the_same_port_with_the_same_data() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Durable).await;
    session(&stores)
        .await
        .batch_execute("create table kept (n int)")
        .await
        .unwrap();
    let () = redis(&stores).await.set("kept", 7).await.unwrap();
    stores.redis().unwrap().kill().await.unwrap();
    stores.postgres().unwrap().kill().await.unwrap();

    stores.redis().unwrap().start().await.unwrap();
    stores.postgres().unwrap().start().await.unwrap();
    assert_eq!(command::<i64>(&stores, &["GET", "kept"]).await, 7);
    assert_eq!(number(&stores, "select count(*) from kept").await, 0);
}

#[tokio::test]
async fn a_paused_server_answers_once_it_is_resumed() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Ephemeral).await;
    let client = session(&stores).await;
    stores.postgres().unwrap().pause();
    let query = client.query_one("select 1", &[]);
    let blocked = tokio::time::timeout(Duration::from_millis(200), query).await;
    assert!(blocked.is_err());
    stores.postgres().unwrap().resume();
    client.query_one("select 1", &[]).await.unwrap();
}

#[tokio::test]
async fn stale_servers_do_not_block_the_next_run() {
    let home = TemporaryDirectory::create().unwrap();
    let first = start(&home, Durability::Durable).await;
    let pids = |stores: &Stores| {
        (
            stores.redis().unwrap().pid().unwrap(),
            stores.postgres().unwrap().pid().unwrap(),
        )
    };
    let stale = pids(&first);
    // As if the first process had been killed: its lock is gone, its servers still run.
    std::fs::remove_file(home.path().join("lock")).unwrap();
    let second = start(&home, Durability::Durable).await;
    assert_ne!(pids(&second).0, stale.0);
    assert_ne!(pids(&second).1, stale.1);
    assert_eq!(number(&second, "select 1::bigint").await, 1);
}

/// A directory with two migrations.
fn migrations(home: &TemporaryDirectory) -> PathBuf {
    let directory = home.path().join("migrations");
    std::fs::create_dir(&directory).unwrap();
    let write = |name: &str, sql: &str| std::fs::write(directory.join(name), sql).unwrap();
    write(
        "V1__one.sql",
        "create table one (n int); select pg_sleep(0.2);",
    );
    write(
        "V2__two.sql",
        "create table two (n int); insert into two values (1);",
    );
    directory
}

#[tokio::test]
async fn concurrent_migrations_apply_each_file_once() {
    let home = TemporaryDirectory::create().unwrap();
    let stores = start(&home, Durability::Ephemeral).await;
    let files = migrations(&home);
    let migrate = || dev_services::migrate::migrate(stores.database_url(), &files);
    let (a, b, c) = tokio::try_join!(migrate(), migrate(), migrate()).unwrap();
    assert_eq!(a.len() + b.len() + c.len(), 2);
    assert_eq!(number(&stores, "select count(*) from two").await, 1);
}

#[tokio::test]
async fn a_template_is_created_once_and_its_copies_are_independent() {
    let home = TemporaryDirectory::create().unwrap();
    let (cache, files) = (home.path().join("templates"), migrations(&home));
    let load = || Template::load_or_create(&cache, &files);
    let (one, two) = tokio::try_join!(load(), load()).unwrap();
    let directories = std::fs::read_dir(&cache).unwrap().flatten();
    assert_eq!(directories.filter(|entry| entry.path().is_dir()).count(), 1);

    let (first, second) = (
        TemporaryDirectory::create().unwrap(),
        TemporaryDirectory::create().unwrap(),
    );
    let with = |template| from_template(template, Durability::Ephemeral);
    let first = start_with(&first, with(one)).await;
    let second = start_with(&second, with(two)).await;
    let insert = session(&first).await;
    insert
        .batch_execute("insert into two values (2)")
        .await
        .unwrap();
    assert_eq!(number(&first, "select count(*) from two").await, 2);
    assert_eq!(number(&second, "select count(*) from two").await, 1);

    std::fs::write(files.join("V3__three.sql"), "create table three (n int);").unwrap();
    let newer = load().await.unwrap();
    let home = TemporaryDirectory::create().unwrap();
    let third = start_with(&home, with(newer)).await;
    assert_eq!(number(&third, "select count(*) from three").await, 0);
}
