//! `POST /api/v1/conversations`

use messaging::api::{RequestContext, created};
use messaging::content::Title;
use messaging::conversations::{self, MAX_PARTICIPANTS};
use messaging::ids::UserId;
use messaging::{Error, Result};
use platform::http::Response;
use serde::Deserialize;

/// A conversation counts as one more request for each so many participants: each of them gets rows
/// and events of their own.
const PARTICIPANTS_PER_REQUEST: u64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    title: Option<String>,
    participant_ids: Vec<UserId>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let caller = context.caller_by_query()?;
    let key = context.caller_key()?;
    let rate = context.rate();
    let body: Body = context.json().await?;
    let participants = parse_participants(body.participant_ids)?;
    let title = body
        .title
        .map(Title::parse)
        .transpose()
        .map_err(|error| Error::invalid("title", error))?;
    if caller
        .user()
        .is_some_and(|user| !participants.contains(&user))
    {
        return Err(Error::Forbidden(
            "A user creates only conversations that they take part in.",
        ));
    }
    rate.charge(participants.len() as u64 / PARTICIPANTS_PER_REQUEST)
        .await?;
    let conversation = conversations::create(title, &participants, key).await?;
    let location = format!("/api/v1/conversations/{}", conversation.id);
    Ok(created(conversation.is_new, conversation.json, location))
}

fn parse_participants(mut ids: Vec<UserId>) -> Result<Vec<UserId>> {
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => Err(Error::invalid("participantIds", "must not be empty")),
        1..=MAX_PARTICIPANTS => Ok(ids),
        _ => Err(Error::invalid(
            "participantIds",
            format!("must be at most {MAX_PARTICIPANTS}"),
        )),
    }
}
