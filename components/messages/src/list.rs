//! `GET /api/v1/messages?conversationId=`

use futures::join;
use http::{StatusCode, header};
use messaging::api::{RequestContext, X_CACHE};
use messaging::cache::{Epoch, trust};
use messaging::ids::{ConversationId, MessageId, UserId};
use messaging::messages::list_cache::{self, LIST_MAX, PAGE};
use messaging::messages::{self, MessageHead, PageAnchor};
use messaging::{Error, RedisService, Result, conversations, relay, sealing};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let conversation = context.required_query("conversationId")?;
    let limit = context.query_number("limit", 1..=LIST_MAX)?;
    let limit = limit.unwrap_or(PAGE);
    let viewer = context.caller()?.user();
    let (page, cache) = match anchor(&context)? {
        Some(anchor) => (
            messages::page(conversation, viewer, anchor, limit)
                .await?
                .into(),
            "miss",
        ),
        None => newest(conversation, viewer, limit).await?,
    };
    let link = first(&page)
        .filter(|first| first.ordinal.get() > 1)
        .map(|first| previous(conversation, limit, first.id, &context));
    let page = sealing::open_bytes(page).await?;
    let response = Response::raw_json(StatusCode::OK, page).header(X_CACHE, cache);
    Ok(match link {
        Some(link) => response.header(header::LINK, link),
        None => response,
    })
}

fn anchor(context: &RequestContext) -> Result<Option<PageAnchor>> {
    match (context.query("before")?, context.query("after")?) {
        (Some(_), Some(_)) => Err(Error::malformed("after", "does not go with before")),
        (Some(before), None) => Ok(Some(PageAnchor::Before(before))),
        (None, Some(after)) => Ok(Some(PageAnchor::After(after))),
        (None, None) => Ok(None),
    }
}

/// The newest messages: from the cache in one round trip, else from the
/// database, and then cached for the next reader.
async fn newest(
    conversation: ConversationId,
    viewer: Option<UserId>,
    limit: usize,
) -> Result<(Vec<u8>, &'static str)> {
    if let Some(page) = cached(conversation, viewer, limit).await {
        return Ok((page, "hit"));
    }
    let found = messages::newest(conversation, viewer).await?;
    // Redis may be away; the next reader fills it.
    let _ = join!(
        messages::fill_list(conversation, &found),
        remember_participants(conversation, viewer),
        relay::wake_up_if(found.unrelayed),
    );
    let newest = &found.messages[found.messages.len().saturating_sub(limit)..];
    Ok((join_json(newest), "miss"))
}

/// The cached page, if it is there and the cache also says that the viewer may see it.
async fn cached(
    conversation: ConversationId,
    viewer: Option<UserId>,
    limit: usize,
) -> Option<Vec<u8>> {
    let redis = RedisService::optional();
    let epoch = trust::trusted().await?;
    let (page, visible) = join!(
        cached_page(redis, &epoch, conversation, limit),
        cached_visibility(&epoch, conversation, viewer),
    );
    page.filter(|_| visible && epoch.is_current())
}

async fn cached_page(
    redis: RedisService,
    epoch: &Epoch,
    conversation: ConversationId,
    limit: usize,
) -> Option<Vec<u8>> {
    if limit == PAGE {
        let page = list_cache::newest_page(redis, epoch, conversation).await;
        return page.ok().flatten();
    }
    let page = redis.get_conversation_messages(epoch, conversation, limit);
    let page = page.await.ok()?;
    let whole = page.len() == limit || MessageHead::parse(page.first()?)?.ordinal.get() == 1;
    whole.then(|| join_json(&page))
}

/// A page as one JSON array.
fn join_json<M: AsRef<[u8]>>(messages: &[M]) -> Vec<u8> {
    let length = messages
        .iter()
        .map(|message| message.as_ref().len() + 1)
        .sum::<usize>();
    let mut json = Vec::with_capacity(length + 1);
    for message in messages {
        json.push(if json.is_empty() { b'[' } else { b',' });
        json.extend_from_slice(message.as_ref());
    }
    if json.is_empty() {
        json.push(b'[');
    }
    json.push(b']');
    json
}

async fn cached_visibility(
    epoch: &Epoch,
    conversation: ConversationId,
    viewer: Option<UserId>,
) -> bool {
    viewer.is_none()
        || matches!(conversations::cached(conversation, epoch).await, Ok(Some(found)) if found.is_visible_to(viewer))
}

async fn remember_participants(conversation: ConversationId, viewer: Option<UserId>) {
    if viewer.is_some() {
        let _ = conversations::visible(conversation, viewer).await;
    }
}

/// The first message of a JSON array.
fn first(page: &[u8]) -> Option<MessageHead> {
    MessageHead::parse(page.get(1..)?)
}

fn previous(
    conversation: ConversationId,
    limit: usize,
    first: MessageId,
    context: &RequestContext,
) -> String {
    let mut link =
        format!("</api/v1/messages?conversationId={conversation}&limit={limit}&before={first}");
    if let Some(user) = context.query_text("userId") {
        link.push_str("&userId=");
        link.push_str(&user);
    }
    link.push_str(">; rel=\"prev\"");
    link
}
