//! `PATCH /api/v1/conversations/:id`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::content::Title;
use messaging::conversations::{self, ConversationPatch};
use messaging::ids::ConversationId;
use messaging::records::MAX_DAYS;
use messaging::{Error, Result};
use platform::http::Response;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default, deserialize_with = "given")]
    title: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    retention_days: Option<Option<i64>>,
    revisions: Option<String>,
    assistant: Option<bool>,
}

/// Null is a value here, unlike a member that is missing.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Title and assistant are the participants' own; what is kept how long is for those who keep the
/// records.
pub async fn run(context: RequestContext) -> Result<Response> {
    let id: ConversationId = context.path_id("id")?;
    let (has_records, actor) = (context.has_records()?, context.actor()?);
    let caller = context.caller()?;
    let patch = parse(context.json().await?)?;
    if patch.changes_policies() && !has_records {
        return Err(Error::InsufficientScope(messaging::auth::RECORDS_SCOPE));
    }
    let viewer = caller.user().filter(|_| !has_records);
    let json = conversations::change(id, viewer, patch, &actor).await?;
    Ok(Response::raw_json(StatusCode::OK, json))
}

fn parse(body: Body) -> Result<ConversationPatch> {
    let title = body.title.map(|title| title.map(Title::parse).transpose());
    let title = title
        .transpose()
        .map_err(|error| Error::invalid("title", error))?;
    if let Some(Some(days)) = body.retention_days
        && !(0..=MAX_DAYS).contains(&days)
    {
        let range = format!("must be from 0 to {MAX_DAYS}");
        return Err(Error::invalid("retentionDays", range));
    }
    let keeps_revisions = match body.revisions.as_deref() {
        None => None,
        Some("keep") => Some(true),
        Some("erase") => Some(false),
        Some(_) => return Err(Error::invalid("revisions", "must be keep or erase")),
    };
    Ok(ConversationPatch {
        title,
        retention_days: body.retention_days,
        keeps_revisions,
        assistant: body.assistant,
    })
}
