//! `POST /api/v1/webhooks/:id/redeliver`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::search::Time;
use messaging::webhooks::{self, State};
use messaging::{Error, Result};
use platform::http::Response;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Body {
    after: String,
    states: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Answer {
    count: i64,
}

/// What is sent again if the request does not say.
const UNDELIVERED: [State; 3] = [State::Failed, State::Dead, State::Disabled];

pub async fn run(context: RequestContext) -> Result<Response> {
    let id = context.path_id("id")?;
    let body: Body = context.json().await?;
    let after: Time = body
        .after
        .parse()
        .map_err(|error| Error::invalid("after", error))?;
    let states = body.states.map(parse_states).transpose()?;
    let states = states.unwrap_or(UNDELIVERED.to_vec());
    let count = webhooks::redeliver(id, after, &states).await?;
    Ok(Response::json(StatusCode::OK, &Answer { count }))
}

/// What is pending is sent anyway.
fn parse_states(names: Vec<String>) -> Result<Vec<State>> {
    let state = |name: String| match name.parse() {
        Ok(State::Pending) | Err(_) => Err(Error::invalid(
            "states",
            "must be of delivered, failed, dead and disabled",
        )),
        Ok(state) => Ok(state),
    };
    names.into_iter().map(state).collect()
}
