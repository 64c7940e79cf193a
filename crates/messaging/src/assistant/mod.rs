//! The assistant: what a language model says of a conversation's messages.
//!
//! - `request`: what is asked, and of which messages.
//! - `upstream`: the chat endpoint that the operator names (`ai_url`).
//! - `answers`: answers in Redis, and one question asked once.
//!
//! An answer is known by a keyed digest of all that it depends on, the newest change of the messages
//! among it. So after any change the question is a new one, and no conversation sees another's answers.

mod answers;
mod request;
mod upstream;

use std::time::Duration;

use platform::clock::{self, Instant};
use serde::{Deserialize, Serialize};

pub use request::{Request, Task};
pub use upstream::Upstream;

use crate::{Error, Result};
use answers::{Answers, Look};

/// How long a request may take altogether.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a request looks whether another one has the answer.
const LOOK: Duration = Duration::from_millis(150);

/// What the model said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Its text.
    pub text: String,
    /// The model, as its endpoint names it.
    pub model: String,
    /// Which messages it was told.
    pub based_on: BasedOn,
}

/// A range of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BasedOn {
    /// The first.
    pub from_ordinal: i64,
    /// The last.
    pub to_ordinal: i64,
}

/// The answer to a request, and whether it was known. However many ask at once, one asks the model.
pub async fn answer(upstream: &Upstream, request: &Request) -> Result<(Answer, bool)> {
    let end = Instant::now() + DEADLINE;
    let answers = Answers::to(request, upstream).await?;
    loop {
        match answers.look().await? {
            Look::Known(answer) => return Ok((answer, true)),
            Look::Ours => break,
            Look::Asked if Instant::now() >= end => return Err(Error::GatewayTimeout),
            Look::Asked => clock::sleep(LOOK).await,
        }
    }
    let left = end.saturating_duration_since(Instant::now());
    match answers.while_asking(upstream.ask(request, left)).await {
        Ok(answer) => {
            answers.keep(&answer).await;
            Ok((answer, false))
        }
        Err(error) => {
            answers.give_up().await;
            Err(error)
        }
    }
}
