//! The sums behind the unread counts stay exact, whatever happens at once.

use dev_services::connect;
use futures::future::join_all;
use testkit::App;
use tests::derived;
use tokio_postgres::Client;

use crate::migrations::{create_database, drop_database};

/// Users 1 to 3 take part; the messages cross several blocks of 256 ordinals.
const START: &str = "
    select create_conversation('Sums', array[1, 2, 3]::bigint[], 'test', null, null, 100);
    select post_batch(array_agg(1::bigint), array_agg((1 + n % 3)::bigint), array_agg('text'::text), array_agg(null::text),
        array_agg(null::bigint), array_agg(null::text), false) from generate_series(1, 700) n";

async fn run(database: &Client, statement: &str) {
    let done = database.batch_execute(statement).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

fn read(user: i64, ordinal: i64) -> String {
    format!("select read_message(id, {user}) from messages where ordinal = {ordinal}")
}

fn delete(ordinal: i64) -> String {
    format!("select delete_message(id, null) from messages where ordinal = {ordinal}")
}

fn post(user: i64) -> String {
    format!(
        "select post_batch(array[1], array[{user}], array['text'], array[null], array[null]::bigint[],
            array[null], false)"
    )
}

#[tokio::test]
async fn counts_are_exact_at_the_edges_of_blocks() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let database = migrated(&url).await;
    run(&database, START).await;
    for ordinal in [1, 254, 255, 256, 257, 511, 512, 513, 700] {
        run(&database, &delete(ordinal)).await;
        derived::assert_exact(&database).await;
    }
    for ordinal in [1, 255, 256, 257, 300, 511, 512, 699, 700] {
        for user in 1..=3 {
            run(&database, &read(user, ordinal)).await;
        }
        derived::assert_exact(&database).await;
        run(&database, &post(1)).await;
    }
    for user in 1..=3 {
        let leave = format!("select leave_conversation(1, {user}, null, null)");
        run(&database, &leave).await;
        run(&database, &post(1 + user % 3)).await;
        let join = format!("select join_conversation(1, {user}, null, 500, 100)");
        run(&database, &join).await;
        derived::assert_exact(&database).await;
    }
    drop_database(&app, &url).await;
}

#[tokio::test]
async fn counts_are_exact_after_changes_at_the_same_time() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let database = migrated(&url).await;
    run(&database, START).await;
    let writers = (0..6).map(|writer| {
        let url = url.clone();
        async move {
            let session = connect(&url).await.expect("a session");
            let mut random = fastrand::Rng::with_seed(writer);
            for _ in 0..60 {
                run(&session, &change(&mut random)).await;
            }
        }
    });
    join_all(writers).await;
    derived::assert_exact(&database).await;
    run(&database, RELAYED).await;
    derived::assert_exact(&database).await;
    let unlisted = "select count(*) from conversations where unlisted";
    let unlisted: i64 = database
        .query_one(unlisted, &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(unlisted, 0);
    drop_database(&app, &url).await;
}

/// As the relay records that it has passed on everything.
const RELAYED: &str = "update conversations set relayed_seq = event_seq";

/// A random change; any of them may be refused, as for one who has left.
fn change(random: &mut fastrand::Rng) -> String {
    let (user, ordinal) = (random.i64(1..=3), random.i64(1..=700));
    match random.u8(0..12) {
        0..=3 => read(user, ordinal),
        4..=5 => delete(ordinal),
        6..=8 => post(user),
        9 => format!("select leave_conversation(1, {user}, null, null)"),
        10 => format!("select join_conversation(1, {user}, null, 500, 100)"),
        _ => RELAYED.into(),
    }
}

pub async fn migrated(url: &str) -> Client {
    let all = testkit::workspace_root().join("migrations");
    dev_services::migrate::migrate(url, &all)
        .await
        .expect("migrations");
    connect(url).await.expect("a session")
}
