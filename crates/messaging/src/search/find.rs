//! Finding messages. One statement decides what the caller may see and what matches, at one moment.

use platform::postgres::parameters::{flag, number, optional_number, text};
use platform::postgres::{ParameterValue, Repeat, Row, query};
use serde::Deserialize;

use super::cursor::{Cursor, Sort};
use super::matching::Highlight;
use super::query::Query;
use super::time::Time;
use crate::conversations;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::sealing::{self, Keys};
use crate::{Error, Result};

/// Where to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In all conversations of a user.
    OfUser(UserId),
    /// In a conversation, if the viewer takes part; a service sees all.
    Conversation(ConversationId, Option<UserId>),
}

/// Which messages are of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only those of this user.
    pub sender: Option<UserId>,
    /// Only those of this time or later.
    pub from: Option<Time>,
    /// Only those before this time.
    pub to: Option<Time>,
}

/// Results in their order.
#[derive(Debug)]
pub struct Page {
    /// Up to as many as were asked for. It may be fewer, also if there are more.
    pub results: Vec<Found>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A message that matches.
#[derive(Debug)]
pub struct Found {
    /// Its JSON.
    pub message: String,
    /// What of its content matches.
    pub highlights: Vec<Highlight>,
}

macro_rules! find_messages {
    ($conversations:literal) => {
        concat!(
            "select message, key, id from find_messages(",
            $conversations,
            ", $2::text::tsquery, $3::text::tsquery, $4, $5, $6, $7, $8, $9, $10)"
        )
    };
}

const OF_USER: &str =
    find_messages!("array(select p.conversation_id from participants p where p.user_id = $1)");
const IN_CONVERSATION: &str = find_messages!("array[$1::bigint]");
const IN_CONVERSATION_OF_USER: &str = find_messages!(
    "array(select p.conversation_id from participants p where p.conversation_id = $1 and p.user_id = $11)"
);

/// A page of what matches a query, behind a cursor if there is one.
pub async fn find(
    scope: Scope,
    searched: &Query,
    filter: Filter,
    sort: Sort,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page> {
    let keys = sealing::keys().await?;
    if keys.is_on() && searched.has_prefix() {
        return Err(Error::malformed(
            "q",
            "has a word with *, and contents that are sealed are found by whole words only",
        ));
    }
    let (statement, id, viewer) = match scope {
        Scope::OfUser(user) => (OF_USER, user.get(), None),
        Scope::Conversation(id, None) => (IN_CONVERSATION, id.get(), None),
        Scope::Conversation(id, viewer) => (IN_CONVERSATION_OF_USER, id.get(), viewer),
    };
    let mut parameters = vec![
        number(id),
        text(searched.has_all(&keys)),
        text(searched.tsquery(&keys)),
        flag(sort == Sort::Newest),
    ];
    parameters.extend(conditions(filter, cursor));
    // One more than the page has says that there is a next one.
    parameters.push(number(limit as i64 + 1));
    parameters.extend(viewer.map(|viewer| number(viewer.get())));
    let rows = query(Repeat::Safe, statement, parameters).await?;
    if let Scope::Conversation(id, viewer) = scope
        && rows.is_empty()
        && !conversations::is_visible(id, viewer).await?
    {
        return Err(conversations::not_found());
    }
    page(rows, searched, sort, limit, &keys)
}

fn conditions(filter: Filter, cursor: Option<Cursor>) -> [ParameterValue; 5] {
    [
        optional_number(filter.sender.map(UserId::get)),
        optional_number(filter.from.map(Time::millis)),
        optional_number(filter.to.map(Time::millis)),
        optional_number(cursor.map(|cursor| cursor.key)),
        optional_number(cursor.map(|cursor| cursor.id.get())),
    ]
}

/// A page of these rows; there may be one more than it has.
fn page(
    mut rows: Vec<Row>,
    searched: &Query,
    sort: Sort,
    limit: usize,
    keys: &Keys,
) -> Result<Page> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let mut last = None;
    let mut results = Vec::with_capacity(rows.len());
    for mut row in rows {
        let message = keys.open(row.take()?);
        let (key, id): (i64, MessageId) = (row.take()?, row.take()?);
        last = Some(Cursor { sort, key, id });
        let highlights = highlights(&message, searched)?;
        results.extend(highlights.map(|highlights| Found {
            message,
            highlights,
        }));
    }
    let next = last.filter(|_| has_more);
    Ok(Page { results, next })
}

/// What of a message matches; none if the index proposed it for positions that it does not hold.
fn highlights(message: &str, searched: &Query) -> Result<Option<Vec<Highlight>>> {
    #[derive(Deserialize)]
    struct Text {
        content: Option<String>,
    }
    let Text { content } = serde_json::from_str(message)
        .map_err(|error| Error::internal(format!("the JSON of a message: {error}")))?;
    Ok(content.and_then(|content| searched.highlights(&content)))
}
