//! A user's conversations, most recently active first.

use platform::postgres::parameters::{number, optional_number};
use platform::postgres::{Repeat, Row, query};

use crate::Result;
use crate::ids::{ConversationId, UserId};

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

/// A page of a user's conversations as JSON, most recently active first, and
/// the cursor of the next page if there is one.
pub async fn of_user(
    user: UserId,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<String>, Option<Cursor>)> {
    const OF_USER: &str = r#"
        select left(conversation_json(c), -1)
                || ',"lastActivityAt":"' || rfc3339(c.last_activity_at)
                || '","lastMessage":' || coalesce((
                    select message_json(m) from messages m
                    where m.conversation_id = c.id and m.ordinal = c.message_count), 'null')
                || ',"unreadCount":' || u.count || '}',
            (extract(epoch from c.last_activity_at) * 1000)::bigint, c.id
        from unread u join conversations c on c.id = u.conversation_id
        where u.user_id = $1 and ($2::bigint is null
            or (c.last_activity_at, c.id) < (timestamptz 'epoch' + $2 * interval '1 millisecond', $3::bigint))
        order by c.last_activity_at desc, c.id desc
        limit $4::bigint"#;
    let parameters = vec![
        number(user.get()),
        optional_number(after.map(|cursor| cursor.last_activity_ms)),
        optional_number(after.map(|cursor| cursor.id.get())),
        number(limit as i64 + 1),
    ];
    let rows = query(Repeat::Safe, OF_USER, parameters).await?;
    let mut page = rows.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|(_, cursor)| *cursor);
    Ok((page.into_iter().map(|(json, _)| json).collect(), next))
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
