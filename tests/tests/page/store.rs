//! The page's own state, in the browser that runs it.

use serde_json::json;
use testkit::app;

use crate::browser::{Browser, Screen};

#[tokio::test]
async fn whatever_the_order_of_events_a_conversation_ends_up_the_same() {
    let app = app().await;
    let Some(page) = Browser::start(Screen::Desktop).await else {
        return;
    };
    page.visit(&app.url("/assets/favicon.svg")).await;
    let script = format!(
        "const done = arguments[arguments.length - 1];
         (async () => {{ {} }})().then(done, (error) => done([String(error)]));",
        include_str!("store.js")
    );
    assert_eq!(page.run_async(&script).await, json!([]));
}
