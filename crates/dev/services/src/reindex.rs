//! The words of messages that were written without: by a component of a version before search.

use anyhow::{Context, Result};
use messaging::sealing::{Binding, Keys, Opened};
use messaging::search::tsvector;
use tokio_postgres::{Client, Row};

/// How many messages are read and written at a time.
const BATCH: i64 = 500;

/// Gives every message that is not in the index its words; with `all` every message, after the rules of
/// cutting changed. Returns how many. Contents that do not open by these keys are left out.
///
/// Each batch is a transaction of its own, so that a run that was interrupted goes on where it was. What
/// is edited or deleted at the same time is left as that change made it.
///
/// # Errors
///
/// When the database cannot be reached or is not migrated.
pub async fn reindex(database_url: &str, all: bool, keys: &Keys) -> Result<u64> {
    let session = crate::connect(database_url).await?;
    let (mut last, mut written) = (0, 0);
    loop {
        let messages = messages_after(&session, last, all).await?;
        let Some(newest) = messages.last() else {
            return Ok(written);
        };
        last = newest.id;
        written += write(&session, &messages, keys).await?;
    }
}

/// A message and its content as it is stored.
struct Stored {
    id: i64,
    content: String,
    binding: Binding,
}

async fn messages_after(session: &Client, last: i64, all: bool) -> Result<Vec<Stored>> {
    const CONTENTS: &str = "
        select m.id, m.content, m.conversation_id, m.sender_id from messages m
        where m.id > $1 and m.content is not null and ($2 or m.words is null)
        order by m.id limit $3";
    let rows = session.query(CONTENTS, &[&last, &all, &BATCH]).await;
    let rows = rows.context("cannot read messages")?;
    rows.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<Stored> {
    Ok(Stored {
        id: row.get(0),
        content: row.get(1),
        binding: binding(row.get(2), row.get(3))?,
    })
}

/// What the content of a message belongs to.
pub(crate) fn binding(conversation: i64, sender: Option<i64>) -> Result<Binding> {
    let sender = sender.map(TryInto::try_into).transpose()?;
    Ok(Binding::Content(conversation.try_into()?, sender))
}

async fn write(session: &Client, messages: &[Stored], keys: &Keys) -> Result<u64> {
    const WRITE: &str = "
        update messages m set words = w.words::tsvector
        from unnest($1::bigint[], $2::text[], $3::text[]) w (id, content, words)
        where m.id = w.id and m.content = w.content";
    let (mut ids, mut contents, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for message in messages {
        let text = match keys.open_text(&message.content, message.binding) {
            Opened::Plain => message.content.clone(),
            Opened::Text(text) => text,
            Opened::Unreadable(_) => continue,
        };
        ids.push(message.id);
        contents.push(&*message.content);
        words.push(tsvector(&text, keys));
    }
    let written = session.execute(WRITE, &[&ids, &contents, &words]).await;
    written.context("cannot write the words of messages")
}
