//! Finding messages. One statement decides what the caller may see and what matches, at one moment.

use platform::postgres::parameters::{number, optional_number, text};
use platform::postgres::{ParameterValue, Repeat, Row, query};
use serde::Deserialize;

use super::cursor::{Cursor, Sort};
use super::matching::Highlight;
use super::query::Query;
use super::time::Time;
use crate::conversations::{self, Viewed};
use crate::ids::{ConversationId, MessageId, UserId};
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

// The parameters: the scope's id, the tsquery, how many rows, sender, from, to, and the key and the
// message of the cursor. The scope is a condition on `m.conversation_id`, and the key is the first of
// what the results are ordered by.
macro_rules! search {
    ($scope:literal, $key:literal, $end:literal) => {
        concat!(
            "
        select message_json(m), f.key, f.id
        from (
            select m.id, k.key from messages m cross join lateral (select ",
            $key,
            " as key) k
            where m.words @@ $2::text::tsquery and m.conversation_id = ",
            $scope,
            "
                and ($4::bigint is null or m.sender_id = $4)
                and ($5::bigint is null or m.created_at >= timestamptz 'epoch' + $5 * interval '1 millisecond')
                and ($6::bigint is null or m.created_at < timestamptz 'epoch' + $6 * interval '1 millisecond')
                and ($7::bigint is null or (k.key, m.id) < ($7, $8::bigint))",
            $end,
            "
            order by k.key desc, m.id desc limit $3::bigint
        ) f
        cross join lateral (select m.* from messages m where m.id = f.id limit 1) m
        order by f.key desc, f.id desc"
        )
    };
    ($key:literal) => {
        search!(
            "any (array(select p.conversation_id from participants p where p.user_id = $1))",
            $key,
            ""
        )
    };
}

macro_rules! search_in_conversation {
    ($key:literal) => {
        Viewed {
            service: search!("$1", $key, ""),
            user: search!("$1", $key, "
                and exists (select from participants p where p.conversation_id = $1 and p.user_id = $9)"),
        }
    };
}

macro_rules! rank {
    ($search:ident) => {
        $search!("(ts_rank(m.words, $2::text::tsquery, 1) * 1000000)::bigint")
    };
}

macro_rules! time {
    ($search:ident) => {
        $search!("(extract(epoch from m.created_at) * 1000)::bigint")
    };
}

/// The most relevant messages in a user's conversations.
pub(crate) const BY_RELEVANCE_OF_USER: &str = rank!(search);
/// The newest ones.
pub(crate) const NEWEST_OF_USER: &str = time!(search);
/// The most relevant messages in a conversation.
pub(crate) const BY_RELEVANCE_IN_CONVERSATION: Viewed = rank!(search_in_conversation);
/// The newest ones.
pub(crate) const NEWEST_IN_CONVERSATION: Viewed = time!(search_in_conversation);

/// A page of what matches a query, behind a cursor if there is one.
pub async fn find(
    scope: Scope,
    searched: &Query,
    filter: Filter,
    sort: Sort,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page> {
    let (statement, scope_id, viewer) = match (scope, sort) {
        (Scope::OfUser(user), Sort::Relevance) => (BY_RELEVANCE_OF_USER, user.get(), None),
        (Scope::OfUser(user), Sort::Newest) => (NEWEST_OF_USER, user.get(), None),
        (Scope::Conversation(id, viewer), sort) => {
            let viewed = match sort {
                Sort::Relevance => BY_RELEVANCE_IN_CONVERSATION,
                Sort::Newest => NEWEST_IN_CONVERSATION,
            };
            let statement = viewer.map_or(viewed.service, |_| viewed.user);
            (statement, id.get(), viewer)
        }
    };
    let mut parameters = vec![
        number(scope_id),
        text(searched.tsquery()),
        number(limit as i64 + 1),
    ];
    parameters.extend(conditions(filter, cursor));
    parameters.extend(viewer.map(|viewer| number(viewer.get())));
    let rows = query(Repeat::Safe, statement, parameters).await?;
    if let (true, Scope::Conversation(id, viewer)) = (rows.is_empty(), scope) {
        if !conversations::is_visible(id, viewer).await? {
            return Err(conversations::not_found());
        }
    }
    page(rows, searched, sort, limit)
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

/// One row more than fits says that there is a next page.
fn page(mut rows: Vec<Row>, searched: &Query, sort: Sort, limit: usize) -> Result<Page> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let mut last = None;
    let mut results = Vec::with_capacity(rows.len());
    for mut row in rows {
        let message: String = row.take()?;
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
