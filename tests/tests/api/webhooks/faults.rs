//! Workers, relays and stores that die in between.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use redis::AsyncCommands as _;
use testkit::{Answer, App, Receiver, wait_for};
use tests::{LossyProxy, Room};

use super::{SOON, Webhook, gets, lenient, prepared, seqs};

/// Longer than the leases of workers and relays.
const AFTER_A_LEASE: Duration = Duration::from_secs(60);

async fn logged(app: &App, text: &str) {
    let observe = async || app.log();
    wait_for(text, SOON, observe, |log| log.contains(text)).await;
}

/// Waits until a receiver got each of these seqs of a conversation, no matter how often.
async fn gets_all(receiver: &Receiver, conversation: i64, expected: &[i64]) {
    let expected: BTreeSet<i64> = expected.iter().copied().collect();
    let observe = async || {
        seqs(receiver, conversation)
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    let what = format!("the receiver has all of {expected:?}");
    wait_for(&what, AFTER_A_LEASE, observe, |found| *found == expected).await;
}

#[tokio::test]
async fn a_worker_killed_after_any_of_its_steps_loses_nothing() {
    let mut app = prepared().prepare().await.expect("stores");
    app.devhost().start().await.expect("a start");
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let mut rooms = Vec::new();
    for step in 1..=4 {
        let dying =
            lenient(App::builder().same_stores_as(&app)).variable("notifier_stop_after", step);
        let dying = dying.prepare().await.expect("another app");
        app.devhost().kill().await.expect("an end");
        dying.devhost().start().await.expect("a start");
        let room = Room::new(&dying, 2).await;
        room.say(&dying, room.users[0], "one").await;
        room.say(&dying, room.users[0], "two").await;
        if step == 1 {
            logged(&dying, "notifier stops after step 1").await;
        }
        rooms.push(room);
        app = dying;
    }
    let healed = lenient(App::builder().same_stores_as(&app)).spawn().await;
    app.devhost().kill().await.expect("an end");
    // Nothing but the ends of leases wakes the notifier.
    for room in &rooms {
        gets_all(&receiver, room.id, &[2, 3]).await;
        webhook
            .reaches(&healed, "delivered", room.id, &[2, 3])
            .await;
        let found = seqs(&receiver, room.id);
        let firsts: Vec<i64> = found.iter().copied().fold(vec![], |mut firsts, seq| {
            if !firsts.contains(&seq) {
                firsts.push(seq);
            }
            firsts
        });
        assert_eq!(firsts, [2, 3], "in order");
    }
}

#[tokio::test]
async fn a_relay_killed_after_any_of_its_steps_queues_everything_once() {
    let mut app = prepared().prepare().await.expect("stores");
    app.devhost().start().await.expect("a start");
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let mut rooms = Vec::new();
    for step in 1..=4 {
        let dying = lenient(App::builder().same_stores_as(&app)).variable("relay_stop_after", step);
        let dying = dying.prepare().await.expect("another app");
        app.devhost().kill().await.expect("an end");
        dying.devhost().start().await.expect("a start");
        let room = Room::new(&dying, 2).await;
        room.say(&dying, room.users[0], "one").await;
        logged(&dying, &format!("relay stops after step {step}")).await;
        room.say(&dying, room.users[0], "two").await;
        rooms.push(room);
        app = dying;
    }
    let healed = lenient(App::builder().same_stores_as(&app)).spawn().await;
    app.devhost().kill().await.expect("an end");
    for room in &rooms {
        room.say(&healed, room.users[0], "three").await;
    }
    for room in &rooms {
        webhook
            .reaches(&healed, "delivered", room.id, &[2, 3, 4])
            .await;
        gets(&receiver, room.id, &[2, 3, 4]).await;
    }
}

#[tokio::test]
async fn acknowledgements_that_get_lost_lose_and_repeat_nothing() {
    let owner = prepared().spawn().await;
    let proxy = LossyProxy::before_postgres(&owner, "").await;
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&owner, &receiver, &["new-message"]).await;
    let room = Room::new(&owner, 2).await;
    owner.devhost().kill().await.expect("an end");
    let app = lenient(proxy.route(App::builder().same_stores_as(&owner)))
        .spawn()
        .await;
    let post = format!(
        "select post_batch(array[{}], array[{}], array['text'], array[null], array[null]::bigint[],
            array[null], false)",
        room.id, room.users[0]
    );
    let (postgres, mut redis) = (app.postgres().await, app.redis().await);
    for n in 0..30 {
        // Past the proxy: what gets lost is the relay's and the notifier's.
        postgres.batch_execute(&post).await.expect("a post");
        if n % 5 == 4 {
            proxy.lose(2);
        }
        let () = redis
            .publish("messaging:events", "")
            .await
            .expect("a wake-up");
        tokio::task::yield_now().await;
    }
    let all: Vec<i64> = (2..=31).collect();
    gets_all(&receiver, room.id, &all).await;
    webhook.reaches(&app, "delivered", room.id, &all).await;
}

#[tokio::test]
async fn two_hosts_share_the_work_and_send_nothing_twice() {
    let first = prepared().spawn().await;
    let second = lenient(App::builder().same_stores_as(&first)).spawn().await;
    let receivers = join_all((0..6).map(|_| Receiver::start())).await;
    for receiver in &receivers {
        receiver.answer(|_| Answer::Later(200, Duration::from_millis(5)));
        Webhook::register(&first, receiver, &["new-message"]).await;
    }
    let rooms = join_all((0..4).map(|_| Room::new(&first, 2))).await;
    for n in 0..20 {
        let app = [&first, &second][n % 2];
        join_all(
            rooms
                .iter()
                .map(|room| room.say(app, room.users[n % 2], "shared")),
        )
        .await;
    }
    for receiver in &receivers {
        for room in &rooms {
            gets(receiver, room.id, &(2..=21).collect::<Vec<_>>()).await;
        }
    }
}

#[tokio::test]
async fn a_redis_that_lost_everything_is_filled_again() {
    let app = prepared()
        .variable("webhook_retry_schedule", "3,3,3,3,3,3,3,3")
        .spawn()
        .await;
    let receiver = Receiver::start().await;
    receiver.answer(|_| Answer::Status(503));
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let rooms = join_all((0..3).map(|_| Room::new(&app, 2))).await;
    for room in &rooms {
        room.say(&app, room.users[0], "waits").await;
        webhook.reaches(&app, "failed", room.id, &[2]).await;
    }
    let mut redis = app.redis().await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .expect("a flush");
    receiver.answer(|_| Answer::Status(200));
    // The key whose expiry would have woken the notifier is gone, too. A probe looks at the database.
    let observe = async || {
        app.get("/api/v1/health/ready").await;
        let delivered = join_all(
            rooms
                .iter()
                .map(|room| webhook.in_state(&app, "delivered", room.id)),
        );
        delivered.await.concat()
    };
    wait_for("all is delivered", AFTER_A_LEASE, observe, |found| {
        *found == [2, 2, 2]
    })
    .await;
}

#[tokio::test]
async fn without_redis_everything_is_queued_and_sent_once_it_is_back() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    app.stop_redis().await;
    room.say(&app, room.users[0], "while Redis is away").await;
    app.start_redis().await;
    room.say(&app, room.users[0], "once it is back").await;
    gets(&receiver, room.id, &[2, 3]).await;
    webhook.reaches(&app, "delivered", room.id, &[2, 3]).await;
}

#[tokio::test]
async fn what_another_program_wrote_into_the_queue_is_set_aside() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    Webhook::register(&app, &receiver, &["new-message"]).await;
    let mut redis = app.redis().await;
    let () = redis::cmd("XADD")
        .arg(&["messaging:webhooks", "*", "poison", "x"])
        .query_async(&mut redis)
        .await
        .expect("an entry");
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "goes through").await;
    gets(&receiver, room.id, &[2]).await;
    let observe = async || {
        let mut redis = app.redis().await;
        let key = "{messaging:webhooks}:dead";
        let length: i64 = redis::cmd("XLEN")
            .arg(key)
            .query_async(&mut redis)
            .await
            .expect("a length");
        length
    };
    wait_for("it is among the dead letters", SOON, observe, |length| {
        *length == 1
    })
    .await;
    for key in ["messaging:webhooks", "{messaging:webhooks}:queued"] {
        tests::replace_with_hash(&app, key).await;
    }
    room.say(&app, room.users[0], "goes through foreign keys")
        .await;
    gets(&receiver, room.id, &[2, 3]).await;
}
