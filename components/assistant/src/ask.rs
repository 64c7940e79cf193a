//! `POST /api/v1/messages/conversations/:id/assistant`

use http::StatusCode;
use messaging::api::{Rate, RequestContext};
use messaging::assistant::{self, Answer, Request, Task};
use messaging::{Error, Result};
use platform::config;
use platform::http::Response;
use serde::{Deserialize, Serialize};

/// Of how many messages, if the caller does not say, and at the most.
const MESSAGES: usize = 50;
const MOST_MESSAGES: usize = 100;
/// The longest question, in characters.
const LONGEST_QUESTION: usize = 2_000;

#[derive(Deserialize)]
struct Body {
    task: String,
    question: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Answered {
    #[serde(flatten)]
    answer: Answer,
    /// Whether it was known already.
    cached: bool,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let id = context.path_id("id")?;
    let viewer = context.caller_by_query()?.user();
    let rate = Rate::of_its_own(
        &context,
        config::number("ai_rate_limit").await?,
        "assistant",
    );
    let body: Body = context.json().await?;
    let question = parse(&body)?;
    let limit = body.limit.unwrap_or(MESSAGES);
    if !(1..=MOST_MESSAGES).contains(&limit) {
        let range = format!("must be from 1 to {MOST_MESSAGES}");
        return Err(Error::invalid("limit", range));
    }
    let (upstream, request) = Request::read(id, viewer, question, limit).await?;
    rate.charge(1).await?;
    let (answer, cached) = assistant::answer(&upstream, &request).await?;
    Ok(Response::json(StatusCode::OK, &Answered { answer, cached }))
}

fn parse(body: &Body) -> Result<(Task, Option<String>)> {
    let task = Task::from_name(&body.task);
    let task = task.ok_or_else(|| Error::invalid("task", "must be summary, reply or question"))?;
    let question = body.question.as_deref().map(str::trim);
    let question = question.filter(|question| !question.is_empty());
    match question {
        None if task == Task::Question => Err(Error::invalid("question", "is missing")),
        Some(question) if question.chars().count() > LONGEST_QUESTION => {
            let most = format!("must be at most {LONGEST_QUESTION} characters");
            Err(Error::invalid("question", most))
        }
        question => Ok((task, question.map(str::to_owned))),
    }
}
