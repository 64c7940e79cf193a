//! Receivers that fail, and those beside them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use testkit::{Answer, App, Received, Receiver, wait_for};
use tests::Room;

use super::{SOON, Webhook, gets, is_relayed, prepared, seqs};

async fn spawn(schedule: &str) -> App {
    prepared()
        .variable("webhook_retry_schedule", schedule)
        .spawn()
        .await
}

/// The first `count` requests get `answer`, the others 200.
fn at_first(count: usize, answer: Answer) -> impl Fn(&Received) -> Answer + Send + Sync {
    let requests = AtomicUsize::new(0);
    move |_| match requests.fetch_add(1, Ordering::Relaxed) {
        number if number < count => answer.clone(),
        _ => Answer::Status(200),
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_after_the_times_of_the_schedule_and_before_what_is_behind_it() {
    let app = spawn("1,2,1").await;
    let receiver = Receiver::start().await;
    receiver.answer(at_first(2, Answer::Status(500)));
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "first").await;
    room.say(&app, room.users[0], "second").await;
    gets(&receiver, room.id, &[2, 2, 2, 3]).await;
    webhook.reaches(&app, "delivered", room.id, &[2, 3]).await;
    let received = receiver.received();
    let pauses = [1, 2].map(|at: usize| (received[at].at - received[at - 1].at).as_secs_f64());
    assert!(pauses[0] >= 1.0 && pauses[1] >= 2.0, "{pauses:?}");
    let ids: Vec<&str> = received[..3]
        .iter()
        .map(|one| one.header("webhook-id"))
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn after_the_last_attempt_a_delivery_is_dead_kept_and_redeliverable() {
    let app = spawn("1").await;
    let receiver = Receiver::start().await;
    receiver.answer(at_first(2, Answer::Status(500)));
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "dies").await;
    room.say(&app, room.users[0], "goes on").await;
    webhook.reaches(&app, "dead", room.id, &[2]).await;
    webhook.reaches(&app, "delivered", room.id, &[3]).await;
    assert_eq!(seqs(&receiver, room.id), [2, 2, 3]);
    let path = webhook.path("/deliveries?state=dead");
    let dead = app.get(&path).await.expect_status(200).json()["deliveries"][0].clone();
    assert_eq!(
        (&dead["status"], &dead["attempts"]),
        (&json!(500), &json!(2))
    );
    assert_eq!(dead["error"], "status 500");
    let mut redis = app.redis().await;
    let letters: redis::streams::StreamRangeReply = redis::cmd("XRANGE")
        .arg(&["{messaging:webhooks}:dead", "-", "+"])
        .query_async(&mut redis)
        .await
        .expect("a stream");
    assert_eq!(letters.ids.len(), 1);
    assert_eq!(
        letters.ids[0].get::<String>("reason").as_deref(),
        Some("status 500")
    );

    let metrics = app.get("/api/v1/metrics").await.expect_status(200).text();
    for sample in [
        "messaging_webhook_deliveries{state=\"dead\"} 1",
        "messaging_webhook_deliveries{state=\"failed\"} 0",
        "messaging_webhook_delivered_total 1",
    ] {
        assert!(metrics.contains(sample), "{metrics}");
    }

    let later = json!({ "after": "2100-01-01T00:00:00Z" });
    assert_eq!(webhook.redeliver(&app, later).await, 0);
    let all = json!({ "after": "2020-01-01T00:00:00Z" });
    assert_eq!(webhook.redeliver(&app, all).await, 1);
    gets(&receiver, room.id, &[2, 2, 3, 2]).await;
    webhook.reaches(&app, "delivered", room.id, &[2, 3]).await;
    let delivered = json!({ "after": "2020-01-01T00:00:00Z", "states": ["delivered"] });
    assert_eq!(webhook.redeliver(&app, delivered).await, 2);
    gets(&receiver, room.id, &[2, 2, 3, 2, 2, 3]).await;
}

#[tokio::test]
async fn a_receiver_that_has_gone_is_disabled_and_a_redelivery_enables_it() {
    let app = spawn("60").await;
    let receiver = Receiver::start().await;
    receiver.answer(|_| Answer::Status(410));
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "gone").await;
    webhook.reaches(&app, "disabled", room.id, &[2]).await;
    let shown = app.get(&webhook.path("")).await.expect_status(200).json();
    assert!(shown["disabledAt"].is_string());
    room.say(&app, room.users[0], "not queued").await;
    is_relayed(&app, &room).await;
    receiver.answer(|_| Answer::Status(200));
    let all = json!({ "after": "2020-01-01T00:00:00Z" });
    assert_eq!(webhook.redeliver(&app, all).await, 1);
    gets(&receiver, room.id, &[2, 2]).await;
    room.say(&app, room.users[0], "queued again").await;
    gets(&receiver, room.id, &[2, 2, 4]).await;
}

#[tokio::test]
async fn redirects_are_not_followed_and_huge_answers_are_not_read() {
    let app = spawn("60").await;
    let (redirecting, endless, target) = (
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    let elsewhere = target.url("/elsewhere");
    redirecting.answer(move |_| Answer::Redirect(elsewhere.clone()));
    endless.answer(|_| Answer::Endless);
    let redirected = Webhook::register(&app, &redirecting, &["new-message"]).await;
    let huge = Webhook::register(&app, &endless, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "to both").await;
    redirected.reaches(&app, "failed", room.id, &[2]).await;
    huge.reaches(&app, "delivered", room.id, &[2]).await;
    assert_eq!(target.received().len(), 0);
}

#[tokio::test]
async fn ten_seconds_are_the_time_to_answer() {
    let app = spawn("60").await;
    let (quick, slow, trickling) = (
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    quick.answer(|_| Answer::Later(200, Duration::from_secs(8)));
    slow.answer(|_| Answer::Later(200, Duration::from_secs(12)));
    trickling.answer(|_| Answer::Slowly(Duration::from_millis(400)));
    let in_time = Webhook::register(&app, &quick, &["new-message"]).await;
    let too_late = Webhook::register(&app, &slow, &["new-message"]).await;
    let byte_by_byte = Webhook::register(&app, &trickling, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "to all three").await;
    in_time.reaches(&app, "delivered", room.id, &[2]).await;
    too_late.reaches(&app, "failed", room.id, &[2]).await;
    byte_by_byte.reaches(&app, "failed", room.id, &[2]).await;
}

/// Puts as many deliveries as that into the queue of a receiver, each in a conversation of its own.
async fn fill(app: &App, webhook: &Webhook, count: usize) {
    let fill = format!(
        "insert into webhook_deliveries (webhook_id, conversation_id, seq, type, created_at, next_at)
        select {id}, 1000000 + n, 1, 'new-message', now(), now() from generate_series(1, {count}) n;
        update webhooks set due_at = now() where id = {id}",
        id = webhook.id
    );
    app.postgres()
        .await
        .batch_execute(&fill)
        .await
        .expect("rows");
}

#[tokio::test]
async fn a_receiver_that_never_answers_and_has_ten_thousand_waiting_delays_no_other() {
    let app = spawn("1,60").await;
    let (dead, healthy) = (Receiver::start().await, Receiver::start().await);
    dead.answer(|_| Answer::Never);
    let hanging = Webhook::register(&app, &dead, &["new-message"]).await;
    Webhook::register(&app, &healthy, &["new-message"]).await;
    fill(&app, &hanging, 10_000).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "wakes the notifier").await;
    let observe = async || dead.received().len();
    wait_for("it hangs", SOON, observe, |count| *count > 0).await;
    for seq in 3..8 {
        let start = Instant::now();
        room.say(&app, room.users[0], "at once").await;
        let observe = async || seqs(&healthy, room.id).last().copied();
        wait_for("the healthy one has it", SOON, observe, |last| {
            *last == Some(seq)
        })
        .await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test]
async fn a_conversation_that_a_receiver_refuses_delays_no_other_conversation() {
    let app = spawn("60").await;
    let receiver = Receiver::start().await;
    let (poisoned, others) = (
        Room::new(&app, 2).await,
        join_all((0..4).map(|_| Room::new(&app, 2))).await,
    );
    let id = poisoned.id;
    receiver.answer(
        move |received| match received.json()["data"]["conversationId"] == id {
            true => Answer::Status(500),
            false => Answer::Status(200),
        },
    );
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    poisoned.say(&app, poisoned.users[0], "refused").await;
    webhook.reaches(&app, "failed", poisoned.id, &[2]).await;
    poisoned.say(&app, poisoned.users[0], "behind it").await;
    for room in &others {
        room.say(&app, room.users[0], "goes through").await;
        gets(&receiver, room.id, &[2]).await;
    }
    assert_eq!(webhook.in_state(&app, "pending", poisoned.id).await, [3]);
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_everything_in_order() {
    let app = spawn("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1").await;
    let receiver = Receiver::start().await;
    receiver.answer(|_| Answer::Closed);
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let rooms = join_all((0..6).map(|_| Room::new(&app, 2))).await;
    for room in &rooms {
        for _ in 0..3 {
            room.say(&app, room.users[0], "waits").await;
        }
    }
    let observe = async || {
        let postgres = app.postgres().await;
        let row = postgres
            .query_one("select failures from webhooks", &[])
            .await;
        row.expect("a row").get::<_, i32>(0)
    };
    wait_for(
        "the receiver counts as failing",
        SOON,
        observe,
        |failures| *failures > 1,
    )
    .await;
    let before = receiver.received().len();
    receiver.answer(|_| Answer::Status(200));
    for room in &rooms {
        webhook
            .reaches(&app, "delivered", room.id, &[2, 3, 4])
            .await;
    }
    let after = receiver.received().split_off(before);
    for room in &rooms {
        let of_room: Vec<i64> = after
            .iter()
            .filter(|one| one.json()["data"]["conversationId"] == room.id)
            .filter_map(|one| one.json()["data"]["seq"].as_i64())
            .collect();
        assert_eq!(of_room, [2, 3, 4]);
    }
}

#[tokio::test]
async fn an_address_that_was_taken_in_development_is_not_reached_in_production() {
    let lenient = prepared().spawn().await;
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&lenient, &receiver, &["new-message"]).await;
    let strict = App::builder()
        .same_stores_as(&lenient)
        .variable("webhook_host", "127.0.0.1:*");
    lenient.devhost().kill().await.expect("an end");
    let strict = strict.spawn().await;
    let room = Room::new(&strict, 2).await;
    room.say(&strict, room.users[0], "to nowhere").await;
    webhook.reaches(&strict, "failed", room.id, &[2]).await;
    assert_eq!(receiver.received().len(), 0);
}
