//! What the API shows of receivers, and which addresses it takes.

use serde_json::json;
use testkit::{App, Receiver, app};

use super::{Webhook, prepared};

#[tokio::test]
async fn a_receiver_is_registered_shown_without_its_secret_and_removed() {
    let app = prepared().spawn().await;
    let body = json!({ "url": "https://hooks.example.com/a?b=c", "events": ["new-message", "new-message"] });
    let created = app.post("/api/v1/webhooks", body).await.expect_status(201);
    let path = created.header("location").expect("a location").to_owned();
    let created = created.json();
    assert!(
        created["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whsec_"))
    );
    let shown = app.get(&path).await.expect_status(200).json();
    let expected = json!({
        "id": created["id"], "url": "https://hooks.example.com/a?b=c", "events": ["new-message"],
        "contents": false, "createdAt": created["createdAt"], "disabledAt": null,
    });
    assert_eq!(shown, expected);
    assert_eq!(
        app.get("/api/v1/webhooks").await.expect_status(200).json(),
        json!([expected])
    );
    app.delete(&path).await.expect_status(204);
    app.get(&path).await.expect_status(404);
    for missing in ["", "/deliveries"] {
        app.get(&format!("{path}{missing}"))
            .await
            .expect_status(404);
    }
    app.post(&format!("{path}/rotate"), json!({}))
        .await
        .expect_status(404);
    let redeliver = json!({ "after": "2026-01-01T00:00:00Z" });
    app.post(&format!("{path}/redeliver"), redeliver)
        .await
        .expect_status(404);
    app.delete(&path).await.expect_status(404);
}

#[tokio::test]
async fn an_address_that_is_not_public_and_an_event_that_is_unknown_are_refused() {
    let app = app().await;
    for url in [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://user:pw@hooks.example.com/",
    ] {
        let body = json!({ "url": url, "events": ["new-message"] });
        let refused = app
            .post("/api/v1/webhooks", body)
            .await
            .expect_status(422)
            .json();
        assert_eq!(refused["errors"][0]["field"], "url", "{url}");
    }
    for events in [
        json!([]),
        json!(["typing-start"]),
        json!(["new-message", "x"]),
    ] {
        let body = json!({ "url": "https://hooks.example.com/", "events": events });
        let refused = app
            .post("/api/v1/webhooks", body)
            .await
            .expect_status(422)
            .json();
        assert_eq!(refused["errors"][0]["field"], "events");
    }
}

#[tokio::test]
async fn there_are_so_many_receivers_at_the_most() {
    let app = App::builder().own_stores().spawn().await;
    let many = "
        insert into webhooks (url, events, contents, secret, disabled_at)
        select 'https://hooks.example.com/', '{new-message}', false, '\\x00', case when n > 100 then now() end
        from generate_series(1, 150) n";
    app.postgres()
        .await
        .batch_execute(many)
        .await
        .expect("rows");
    let body = json!({ "url": "https://hooks.example.com/", "events": ["new-message"] });
    let refused = app
        .post("/api/v1/webhooks", body)
        .await
        .expect_status(422)
        .json();
    assert_eq!(
        refused["errors"][0]["message"],
        "would be one more than 100"
    );
}

#[tokio::test]
async fn deliveries_are_shown_in_pages() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let fill = format!(
        "insert into webhook_deliveries (webhook_id, conversation_id, seq, type, created_at, state)
        select {}, 1, n, 'new-message', now(), case n % 2 when 0 then 'dead' else 'delivered' end
        from generate_series(1, 7) n",
        webhook.id
    );
    app.postgres()
        .await
        .batch_execute(&fill)
        .await
        .expect("rows");
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let path = webhook.path(&format!("/deliveries?limit=2{cursor}"));
        let page = app.get(&path).await.expect_status(200).json();
        let deliveries = page["deliveries"].as_array().expect("an array");
        found.extend(deliveries.iter().map(|delivery| delivery["seq"].as_i64()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, (1..=7).rev().map(Some).collect::<Vec<_>>());
    assert_eq!(webhook.in_state(&app, "dead", 1).await, [2, 4, 6]);
    for query in ["state=lost", "limit=101", "cursor=x"] {
        app.get(&webhook.path(&format!("/deliveries?{query}")))
            .await
            .expect_status(400);
    }
}
