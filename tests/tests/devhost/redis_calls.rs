//! `spin:redis`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{guest, json};

#[tokio::test]
async fn every_call_answers_as_in_spin() {
    let answer = json(guest().await, "/redis/commands").await;
    assert_eq!(answer["added"], 2);
    assert_eq!(answer["incremented"], 2);
    assert_eq!(answer["value"], "2");
    assert_eq!(answer["absent"], Value::Null);
    assert_eq!(answer["members"], json!(["a", "b"]));
    assert_eq!(answer["removed"], 1);
    assert_eq!(
        answer["nested"],
        json!(["int 1", "binary a", "nil", "status OK"])
    );
    assert_eq!(answer["published"], true);
    for (refused, reason) in [
        (&answer["wrongType"], "WRONGTYPE"),
        (&answer["map"][0], "Map type is not supported"),
    ] {
        assert!(
            refused.as_str().is_some_and(|text| text.contains(reason)),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_command_may_block_without_a_timeout() {
    let start = Instant::now();
    assert_eq!(
        json(guest().await, "/redis/block?ms=1500").await,
        json!(["nil"])
    );
    assert!(start.elapsed() >= Duration::from_millis(1500));
}
