//! A user's conversations, most recently active first.

use platform::postgres::parameters::number;
use platform::postgres::{Repeat, Row, query};

use crate::ids::{ConversationId, UserId};
use crate::{Result, sealing};

/// Where a page of a user's conversations begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    last_activity_ms: i64,
    id: ConversationId,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.last_activity_ms, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (ms, id) = text.split_once('-')?;
            let last_activity_ms = ms
                .parse()
                .ok()
                .filter(|ms| (0..=crate::ids::MAX_ID).contains(ms))?;
            Some(Self {
                last_activity_ms,
                id: id.parse().ok()?,
            })
        };
        parse().ok_or("is not a cursor of this list")
    }
}

/// A page of a user's conversations: of those that are listed in the order of their activity as many
/// as a page has, and those that the relay has not listed yet. The condition of a page's start is an
/// argument.
macro_rules! page {
    ($listed:literal, $active:literal) => {
        concat!(
            r#"
        select left(conversation_json(c), -1)
                || ',"lastActivityAt":"' || rfc3339(c.last_activity_at)
                || '","lastMessage":' || coalesce((
                    select message_json(m) from messages m
                    where m.conversation_id = c.id and m.ordinal = c.message_count), 'null')
                || ',"unreadCount":' || (c.message_count - p.last_read_ordinal
                    - p.sent_after_read - p.deleted_after_read) || '}',
            (extract(epoch from c.last_activity_at) * 1000)::bigint, c.id
        from (
            (select c.id, c.last_activity_at
            from listings l join conversations c on c.id = l.conversation_id
            where l.user_id = $1 and not c.unlisted "#,
            $listed,
            "
            order by l.active_at desc, l.conversation_id desc limit $2::bigint)
            union all
            (select c.id, c.last_activity_at
            from unlisted_conversations($1) u (id) join conversations c on c.id = u.id
            where true ",
            $active,
            "
            order by c.last_activity_at desc, c.id desc limit $2::bigint)
            order by last_activity_at desc, id desc limit $2::bigint
        ) l
        join conversations c on c.id = l.id
        cross join lateral (
            select p.last_read_ordinal, p.sent_after_read, p.deleted_after_read from participants p
            where p.conversation_id = l.id and p.user_id = $1 limit 1
        ) p
        order by c.last_activity_at desc, c.id desc"
        )
    };
}

/// The first page of a user's conversations.
pub(crate) const FIRST_PAGE: &str = page!("", "");
/// The page after a cursor.
pub(crate) const NEXT_PAGE: &str = page!(
    "and (l.active_at, l.conversation_id) < (timestamptz 'epoch' + $3::bigint * interval '1 millisecond', $4::bigint)",
    "and (c.last_activity_at, c.id) < (timestamptz 'epoch' + $3::bigint * interval '1 millisecond', $4::bigint)"
);

/// A page of a user's conversations as JSON, most recently active first, and
/// the cursor of the next page if there is one.
pub async fn of_user(
    user: UserId,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<String>, Option<Cursor>)> {
    let mut parameters = vec![number(user.get()), number(limit as i64 + 1)];
    let statement = match after {
        None => FIRST_PAGE,
        Some(cursor) => {
            parameters.push(number(cursor.last_activity_ms));
            parameters.push(number(cursor.id.get()));
            NEXT_PAGE
        }
    };
    let rows = query(Repeat::Safe, statement, parameters).await?;
    let mut page = rows.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|(_, cursor)| *cursor);
    let keys = sealing::keys().await?;
    let page = page.into_iter().map(|(json, _)| keys.open(json));
    Ok((page.collect(), next))
}

fn entry(mut row: Row) -> Result<(String, Cursor)> {
    let json = row.take()?;
    let cursor = Cursor {
        last_activity_ms: row.take()?,
        id: row.take()?,
    };
    Ok((json, cursor))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(ms in 0..=crate::ids::MAX_ID, id in 1..=crate::ids::MAX_ID) {
            let cursor = Cursor { last_activity_ms: ms, id: ConversationId::try_from(id).unwrap() };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in "\\PC*") {
            let _ = text.parse::<Cursor>();
        }
    }
}
