//! The words of messages that were written without: by a component of a version before search.

use anyhow::{Context, Result};
use tokio_postgres::Client;

/// How many messages are read and written at a time.
const BATCH: i64 = 500;

/// Gives every message that is not in the index its words, as `cut` makes them of a content (in the form
/// of a `tsvector`); with `all` every message, after the rules of cutting changed. Returns how many.
///
/// Each batch is a transaction of its own, so that a run that was interrupted goes on where it was. What
/// is edited or deleted at the same time is left as that change made it.
///
/// # Errors
///
/// When the database cannot be reached or is not migrated.
pub async fn reindex(database_url: &str, all: bool, cut: fn(&str) -> String) -> Result<u64> {
    let session = crate::connect(database_url).await?;
    let (mut last, mut written) = (0, 0);
    loop {
        let contents = contents_after(&session, last, all).await?;
        let Some((newest, _)) = contents.last() else {
            return Ok(written);
        };
        last = *newest;
        written += write(&session, &contents, cut).await?;
    }
}

async fn contents_after(session: &Client, last: i64, all: bool) -> Result<Vec<(i64, String)>> {
    const CONTENTS: &str = "
        select m.id, m.content from messages m
        where m.id > $1 and m.content is not null and ($2 or m.words is null)
        order by m.id limit $3";
    let rows = session.query(CONTENTS, &[&last, &all, &BATCH]).await;
    let rows = rows.context("cannot read messages")?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn write(
    session: &Client,
    contents: &[(i64, String)],
    cut: fn(&str) -> String,
) -> Result<u64> {
    const WRITE: &str = "
        update messages m set words = w.words::tsvector
        from unnest($1::bigint[], $2::text[], $3::text[]) w (id, content, words)
        where m.id = w.id and m.content = w.content";
    let ids: Vec<i64> = contents.iter().map(|(id, _)| *id).collect();
    let texts: Vec<&str> = contents.iter().map(|(_, text)| text.as_str()).collect();
    let words: Vec<String> = texts.iter().map(|text| cut(text)).collect();
    let written = session.execute(WRITE, &[&ids, &texts, &words]).await;
    written.context("cannot write the words of messages")
}
