//! `GET /api/v1/messages/search?q=`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::auth::Caller;
use messaging::ids::UserId;
use messaging::search::{self, Cursor, Filter, Found, Highlight, Query, Scope, Sort};
use messaging::{Error, Result};
use platform::http::Response;
use serde::Serialize;
use serde_json::value::RawValue;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

#[derive(Serialize)]
struct Answer {
    results: Vec<Entry>,
    next: Option<String>,
}

/// The message is PostgreSQL's JSON as it is.
#[derive(Serialize)]
struct Entry {
    message: Box<RawValue>,
    highlights: Vec<Highlight>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let scope = scope(&context)?;
    let query: Query = context.required_query("q")?;
    let filter = Filter {
        sender: context.query("senderId")?,
        from: context.query("from")?,
        to: context.query("to")?,
    };
    let sort = context.query("sort")?.unwrap_or_default();
    let limit = context.query_number("limit", 1..=MAX_LIMIT)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let cursor = cursor(&context, sort)?;
    let page = search::find(scope, &query, filter, sort, cursor, limit).await?;
    let answer = Answer {
        results: page.results.into_iter().map(entry).collect::<Result<_>>()?,
        next: page.next.map(|cursor| cursor.to_string()),
    };
    Ok(Response::json(StatusCode::OK, &answer))
}

/// Of a user all of their conversations, or one of them; a service names one or a user, or both.
fn scope(context: &RequestContext) -> Result<Scope> {
    let caller = context.caller_by_query()?;
    let named: Option<UserId> = context.query("userId")?;
    if let Some(named) = named {
        caller.must_be(named)?;
    }
    let viewer = match caller {
        Caller::User(user) => Some(user),
        Caller::Service => named,
    };
    match (context.query("conversationId")?, viewer) {
        (Some(conversation), viewer) => Ok(Scope::Conversation(conversation, viewer)),
        (None, Some(user)) => Ok(Scope::OfUser(user)),
        (None, None) => Err(Error::malformed(
            "conversationId",
            "is missing, and so is userId",
        )),
    }
}

fn cursor(context: &RequestContext, sort: Sort) -> Result<Option<Cursor>> {
    let cursor: Option<Cursor> = context.query("cursor")?;
    if cursor.is_some_and(|cursor| cursor.sort != sort) {
        return Err(Error::malformed("cursor", "is of another order"));
    }
    Ok(cursor)
}

fn entry(found: Found) -> Result<Entry> {
    let message = RawValue::from_string(found.message)
        .map_err(|error| Error::internal(format!("the JSON of a message: {error}")))?;
    Ok(Entry {
        message,
        highlights: found.highlights,
    })
}
