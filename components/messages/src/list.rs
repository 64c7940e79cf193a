//! `GET /api/v1/messages?conversationId=`

use futures::join;
use http::{HeaderName, StatusCode, header};
use messaging::http::{Call, Reply};
use messaging::ids::{ConversationId, MessageId, UserId};
use messaging::messages::{self, Beside};
use messaging::redis::RedisService;
use messaging::redis::keys::LIST_MAX;
use messaging::{Error, Result, cache, conversations, relay};
use serde::Deserialize;

const DEFAULT_LIMIT: usize = 50;
const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

pub async fn run(call: Call) -> Result<Reply> {
    let conversation = call.required_query("conversationId")?;
    let limit = limit(&call)?;
    let viewer = call.caller()?.user();
    let (page, cache) = match beside(&call)? {
        Some(beside) => (
            messages::page(conversation, viewer, beside, limit).await?,
            "miss",
        ),
        None => newest(conversation, viewer, limit).await?,
    };
    let mut reply = Reply::raw_json(StatusCode::OK, join_json(&page)).header(X_CACHE, cache);
    if let Some(first) = head(page.first()).filter(|first| first.ordinal > 1) {
        reply = reply.header(header::LINK, previous(conversation, limit, first.id, &call));
    }
    Ok(reply)
}

fn limit(call: &Call) -> Result<usize> {
    match call.query("limit")?.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=LIST_MAX => Ok(limit),
        _ => Err(Error::malformed(
            "limit",
            format!("must be from 1 to {LIST_MAX}"),
        )),
    }
}

fn beside(call: &Call) -> Result<Option<Beside>> {
    match (call.query("before")?, call.query("after")?) {
        (Some(_), Some(_)) => Err(Error::malformed("after", "does not go with before")),
        (Some(before), None) => Ok(Some(Beside::Before(before))),
        (None, Some(after)) => Ok(Some(Beside::After(after))),
        (None, None) => Ok(None),
    }
}

/// The newest messages: from the cache in one round trip, else from the
/// database, and then cached for the next reader.
async fn newest(
    conversation: ConversationId,
    viewer: Option<UserId>,
    limit: usize,
) -> Result<(Vec<String>, &'static str)> {
    if let Some(page) = cached(conversation, viewer, limit).await {
        return Ok((page, "hit"));
    }
    let mut found = messages::newest(conversation, viewer).await?;
    // Redis may be away; the next reader fills it.
    let _ = join!(
        cache::fill_list(conversation, found.list_seq, &found.messages),
        remember_participants(conversation, viewer),
        relay::ring_if(found.unrelayed),
    );
    let newest = found
        .messages
        .split_off(found.messages.len().saturating_sub(limit));
    Ok((newest, "miss"))
}

/// The cached page, if the list is there, reaches far enough back, and the
/// cache also says that the viewer may see it.
async fn cached(
    conversation: ConversationId,
    viewer: Option<UserId>,
    limit: usize,
) -> Option<Vec<String>> {
    let redis = RedisService::optional();
    let (list, visible) = join!(
        redis.get_conversation_messages(conversation, limit),
        cached_visibility(conversation, viewer),
    );
    let page: Vec<String> = list
        .ok()?
        .into_iter()
        .map(String::from_utf8)
        .collect::<Result<_, _>>()
        .ok()?;
    let whole = page.len() == limit || head(page.first())?.ordinal == 1;
    (visible && whole).then_some(page)
}

async fn cached_visibility(conversation: ConversationId, viewer: Option<UserId>) -> bool {
    viewer.is_none()
        || matches!(conversations::cached(conversation).await, Ok(Some(found)) if found.is_visible_to(viewer))
}

async fn remember_participants(conversation: ConversationId, viewer: Option<UserId>) {
    if viewer.is_some() {
        let _ = conversations::visible(conversation, viewer).await;
    }
}

/// What paging needs of a message.
#[derive(Deserialize)]
struct Head {
    id: MessageId,
    ordinal: i64,
}

fn head(message: Option<&String>) -> Option<Head> {
    serde_json::from_str(message?).ok()
}

fn join_json(messages: &[String]) -> String {
    format!("[{}]", messages.join(","))
}

fn previous(conversation: ConversationId, limit: usize, first: MessageId, call: &Call) -> String {
    let mut link =
        format!("</api/v1/messages?conversationId={conversation}&limit={limit}&before={first}");
    if let Some(user) = call.query_text("userId") {
        link.push_str("&userId=");
        link.push_str(&user);
    }
    link.push_str(">; rel=\"prev\"");
    link
}
