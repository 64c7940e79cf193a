//! What the database holds when all has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, Row};

use super::world::number_of;

/// A change, as the audit recorded it or as an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: String,
    pub message: Option<i64>,
    pub user: Option<i64>,
}

/// A change with what only the audit knows.
#[derive(Debug, Clone)]
pub struct Audited {
    pub change: Change,
    pub text: Option<u32>,
    /// When it was made, in microseconds of Unix time: a little before its commit.
    pub at: i64,
}

/// A row of `messages`.
#[derive(Debug, Clone)]
pub struct MessageRow {
    pub id: i64,
    pub ordinal: i64,
    pub sender: Option<i64>,
    pub is_deleted: bool,
    pub json: String,
}

/// A row of `participants` or `former_participants`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub read: i64,
    pub sent_after: i64,
    pub deleted_after: i64,
}

/// Everything of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    pub id: i64,
    pub title: Option<u32>,
    pub json: String,
    pub message_count: i64,
    pub event_seq: i64,
    pub list_seq: i64,
    /// The first participants.
    pub initial: BTreeSet<i64>,
    /// Without those of the first participants.
    pub audit: Vec<Audited>,
    /// The events with their seqs.
    pub events: Vec<(i64, Change)>,
    pub messages: Vec<MessageRow>,
    pub participants: BTreeMap<i64, Cursor>,
    /// The participants who have ever been seen.
    pub seen: BTreeSet<i64>,
    /// Who left: their cursor, and the seq of their leaving.
    pub former: BTreeMap<i64, (Cursor, i64)>,
    pub unread: BTreeMap<i64, i64>,
    pub reads: BTreeSet<(i64, i64)>,
}

pub type Truth = BTreeMap<i64, Conversation>;

/// Reads it all.
pub async fn read(postgres: &Client) -> Truth {
    let mut truth = Truth::new();
    for row in rows(postgres, CONVERSATIONS).await {
        let title: Option<String> = row.get(1);
        let conversation = Conversation {
            id: row.get(0),
            title: title.as_deref().and_then(number_of),
            json: row.get(2),
            message_count: row.get(3),
            event_seq: row.get(4),
            list_seq: row.get(5),
            ..Conversation::default()
        };
        truth.insert(conversation.id, conversation);
    }
    for (sql, take) in PARTS {
        for row in rows(postgres, sql).await {
            let id: i64 = row.get(0);
            take(truth.get_mut(&id).expect("a conversation"), &row);
        }
    }
    truth
}

async fn rows(postgres: &Client, sql: &str) -> Vec<Row> {
    postgres.query(sql, &[]).await.expect("rows")
}

const CONVERSATIONS: &str = "
    select c.id, c.title, conversation_json(c), c.message_count, c.event_seq, c.list_seq
    from conversations c";

type Take = fn(&mut Conversation, &Row);

/// The other tables, each with what becomes of a row.
const PARTS: [(&str, Take); 7] = [
    (
        "select conversation_id, kind, message_id, user_id, content,
            (extract(epoch from at) * 1000000)::bigint from torture_audit order by id",
        take_audit,
    ),
    (
        "select conversation_id, type::text, message_id, user_id, seq from events
         order by conversation_id, seq",
        |to, row| to.events.push((row.get(4), change(row))),
    ),
    (
        "select m.conversation_id, m.id, m.ordinal, m.sender_id, m.deleted_at is not null,
            message_json(m) from messages m order by m.conversation_id, m.ordinal",
        take_message,
    ),
    (
        "select conversation_id, user_id, last_read_ordinal, sent_after_read, deleted_after_read,
            seen from participants",
        |to, row| {
            to.participants.insert(row.get(1), cursor(row));
            if row.get(5) {
                to.seen.insert(row.get(1));
            }
        },
    ),
    (
        "select conversation_id, user_id, last_read_ordinal, sent_after_read, 0::bigint, left_seq
         from former_participants",
        |to, row| {
            to.former.insert(row.get(1), (cursor(row), row.get(5)));
        },
    ),
    (
        "select conversation_id, user_id, count from unread",
        |to, row| {
            to.unread.insert(row.get(1), row.get(2));
        },
    ),
    (
        "select conversation_id, user_id, ordinal from reads",
        |to, row| {
            to.reads.insert((row.get(1), row.get(2)));
        },
    ),
];

fn take_audit(to: &mut Conversation, row: &Row) {
    let change = change(row);
    if change.kind == "participant" {
        to.initial.extend(change.user);
        return;
    }
    let text: Option<String> = row.get(4);
    let text = text.as_deref().and_then(number_of);
    to.audit.push(Audited {
        change,
        text,
        at: row.get(5),
    });
}

fn take_message(to: &mut Conversation, row: &Row) {
    to.messages.push(MessageRow {
        id: row.get(1),
        ordinal: row.get(2),
        sender: row.get(3),
        is_deleted: row.get(4),
        json: row.get(5),
    });
}

fn change(row: &Row) -> Change {
    Change {
        kind: row.get(1),
        message: row.get(2),
        user: row.get(3),
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        read: row.get(2),
        sent_after: row.get(3),
        deleted_after: row.get(4),
    }
}
