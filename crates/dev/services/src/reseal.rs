//! Sealing anew, by the first key: what another key sealed, and what was plain.
//!
//! Rows are gone through in small ranges, each written by a statement of its own, so that a run that was
//! interrupted goes on where it was and the service goes on at the same time. A row that was changed in
//! between is left as that change made it, and is looked at again. Events are none of it: what a client
//! sees does not change.

use std::time::Duration;

use anyhow::{Context, Result};
use messaging::sealing::{Binding, Keys, Opened};
use messaging::search::tsvector;
use tokio_postgres::{Client, Row};

use crate::flush::flush_texts;
use crate::reindex::binding;

/// How many rows one look goes through.
const BATCH: i64 = 500;
/// How often rows are looked at that others change at the same time.
const ATTEMPTS: usize = 3;
/// Names the lock by which one run goes at a time.
const LOCK: i64 = 0x7265_7365_616c;
/// Longer than a request lasts: one that read a text as it was may still cache it.
const REQUEST: Duration = Duration::from_secs(15);

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Messages of which the content or the digest was sealed anew.
    pub messages: u64,
    /// Texts before edits and deletions that were.
    pub revisions: u64,
    /// Titles that were.
    pub titles: u64,
    /// Digests of idempotency keys that were.
    pub requests: u64,
    /// Texts that do not open by any of the keys. They are as they were.
    pub unreadable: u64,
}

/// Seals everything by the first key, and then deletes from Redis what was cached of it.
///
/// # Errors
///
/// When there are no keys, or a store does not answer.
pub async fn reseal(database_url: &str, redis_url: &str, keys: &Keys) -> Result<Resealed> {
    let resealed = reseal_database(database_url, keys).await?;
    flush_texts(redis_url).await?;
    tokio::time::sleep(REQUEST).await;
    flush_texts(redis_url).await?;
    Ok(resealed)
}

/// The part of it that is in the database.
///
/// # Errors
///
/// When there are no keys, or the database does not answer or is not migrated.
pub async fn reseal_database(database_url: &str, keys: &Keys) -> Result<Resealed> {
    let mark = keys.first_mark().context("there are no keys")?;
    let session = crate::connect(database_url).await?;
    let lock = session
        .execute("select pg_advisory_lock($1)", &[&LOCK])
        .await;
    lock.context("cannot lock")?;
    let mut run = Run {
        session: &session,
        keys,
        mark,
        done: Resealed::default(),
    };
    run.titles().await?;
    run.messages().await?;
    run.revisions().await?;
    run.requests().await?;
    Ok(run.done)
}

struct Run<'a> {
    session: &'a Client,
    keys: &'a Keys,
    /// What all begins with that needs nothing.
    mark: String,
    done: Resealed,
}

impl Run<'_> {
    async fn messages(&mut self) -> Result<()> {
        let mut last = 0;
        while let Some(end) = self.end_of_range("messages", last).await? {
            // What was changed while it was sealed is looked at again.
            for _ in 0..ATTEMPTS {
                let rows = self.messages_between(last, end).await?;
                let batch = self.seal_messages(&rows)?;
                if batch.ids.is_empty() {
                    let is_text = |row: &&Row| self.is_to_do(row.get(3));
                    self.done.unreadable += rows.iter().filter(is_text).count() as u64;
                    break;
                }
                self.done.messages += self.write_messages(&batch).await?;
            }
            last = end;
        }
        Ok(())
    }

    /// The greatest id of the next rows, if there are any.
    async fn end_of_range(&self, table: &str, last: i64) -> Result<Option<i64>> {
        let end = format!(
            "select max(r.id) from (select id from {table} where id > $1 order by id limit $2) r"
        );
        let row = self.session.query_one(&end, &[&last, &BATCH]).await;
        Ok(row.with_context(|| format!("cannot read {table}"))?.get(0))
    }

    async fn messages_between(&self, last: i64, end: i64) -> Result<Vec<Row>> {
        const MESSAGES: &str = "
            select m.id, m.conversation_id, m.sender_id, m.content, m.client_digest from messages m
            where m.id > $1 and m.id <= $2 and (
                not starts_with(m.content, $3)
                or substr(m.client_digest, 1, length($4::bytea)) <> $4::bytea)
            order by m.id";
        let mark = self.mark.as_bytes();
        let rows = self
            .session
            .query(MESSAGES, &[&last, &end, &self.mark, &mark])
            .await;
        rows.context("cannot read messages")
    }

    fn seal_messages(&self, rows: &[Row]) -> Result<Batch> {
        let mut batch = Batch::default();
        for row in rows {
            let (content, digest): (Option<String>, Option<Vec<u8>>) = (row.get(3), row.get(4));
            let binding = binding(row.get(1), row.get(2))?;
            let sealed = content
                .as_ref()
                .and_then(|content| self.seal_content(content, binding));
            let new_digest = digest.as_ref().and_then(|digest| self.seal_digest(digest));
            if sealed.is_none() && new_digest.is_none() {
                continue;
            }
            let (new_content, words) = sealed.unzip();
            batch.ids.push(row.get(0));
            batch
                .new_contents
                .push(new_content.or_else(|| content.clone()));
            batch.contents.push(content);
            batch.words.push(words);
            batch.digests.push(new_digest.or(digest));
        }
        Ok(batch)
    }

    /// A content sealed by the first key, and its words; `None` if it is already, or does not open.
    fn seal_content(&self, content: &str, binding: Binding) -> Option<(String, String)> {
        let text = self.text(content, binding)?;
        let words = tsvector(&text, self.keys);
        Some((self.keys.seal(text, binding), words))
    }

    fn text(&self, stored: &str, binding: Binding) -> Option<String> {
        if stored.starts_with(&self.mark) {
            return None;
        }
        match self.keys.open_text(stored, binding) {
            Opened::Plain => Some(stored.to_owned()),
            Opened::Text(text) => Some(text),
            Opened::Unreadable(_) => None,
        }
    }

    fn seal_digest(&self, digest: &[u8]) -> Option<Vec<u8>> {
        if digest.starts_with(self.mark.as_bytes()) {
            return None;
        }
        let sealed = self.keys.seal_digest(self.keys.open_digest(digest)?);
        sealed.map(String::into_bytes)
    }

    async fn write_messages(&self, batch: &Batch) -> Result<u64> {
        const WRITE: &str = "
            update messages m
            set content = w.new_content, words = coalesce(w.words::tsvector, m.words), client_digest = w.digest
            from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[])
                w (id, content, new_content, words, digest)
            where m.id = w.id and m.content is not distinct from w.content";
        let Batch {
            ids,
            contents,
            new_contents,
            words,
            digests,
        } = batch;
        let written = self
            .session
            .execute(WRITE, &[ids, contents, new_contents, words, digests])
            .await;
        written.context("cannot write messages")
    }

    fn is_to_do(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| !text.starts_with(&self.mark))
    }

    /// Texts before edits and deletions. They do not change; they may be erased.
    async fn revisions(&mut self) -> Result<()> {
        const REVISIONS: &str = "
            select r.message_id, r.revision, r.content, r.conversation_id, m.sender_id
            from revisions r join messages m on m.id = r.message_id
            where (r.message_id, r.revision) > ($1, $2) and not starts_with(r.content, $3)
            order by r.message_id, r.revision limit $4";
        const WRITE: &str = "
            update revisions r set content = w.content
            from unnest($1::bigint[], $2::integer[], $3::text[]) w (message_id, revision, content)
            where r.message_id = w.message_id and r.revision = w.revision";
        let (mut message, mut revision) = (0_i64, 0_i32);
        loop {
            let rows = self
                .session
                .query(REVISIONS, &[&message, &revision, &self.mark, &BATCH])
                .await
                .context("cannot read revisions")?;
            let Some(newest) = rows.last() else {
                return Ok(());
            };
            (message, revision) = (newest.get(0), newest.get(1));
            let (mut messages, mut revisions, mut contents) = (vec![], vec![], vec![]);
            for row in &rows {
                let binding = binding(row.get(3), row.get(4))?;
                let Some(text) = self.text(row.get(2), binding) else {
                    self.done.unreadable += 1;
                    continue;
                };
                messages.push(row.get::<_, i64>(0));
                revisions.push(row.get::<_, i32>(1));
                contents.push(self.keys.seal(text, binding));
            }
            let written = self
                .session
                .execute(WRITE, &[&messages, &revisions, &contents])
                .await;
            self.done.revisions += written.context("cannot write revisions")?;
        }
    }

    async fn titles(&mut self) -> Result<()> {
        const TITLES: &str = "
            select id, title from conversations
            where id > $1 and id <= $2 and not starts_with(title, $3) order by id";
        const WRITE: &str = "update conversations set title = $3 where id = $1 and title = $2";
        let mut last = 0;
        while let Some(end) = self.end_of_range("conversations", last).await? {
            let rows = self.session.query(TITLES, &[&last, &end, &self.mark]).await;
            for row in rows.context("cannot read conversations")? {
                let (id, title): (i64, String) = (row.get(0), row.get(1));
                let binding = Binding::Title(id.try_into()?);
                let Some(text) = self.text(&title, binding) else {
                    self.done.unreadable += 1;
                    continue;
                };
                // One at a time: who posts to several conversations locks them in their order.
                let sealed = self.keys.seal(text, binding);
                let written = self.session.execute(WRITE, &[&id, &title, &sealed]).await;
                self.done.titles += written.context("cannot write conversations")?;
            }
            last = end;
        }
        Ok(())
    }

    /// The digests of idempotency keys. Those that count no more are deleted.
    async fn requests(&mut self) -> Result<()> {
        const EXPIRED: &str =
            "delete from idempotency_keys where created_at < now() - interval '24 hours'";
        const REQUESTS: &str = "
            select caller, route, key, digest from idempotency_keys
            where (caller, route, key) > ($1, $2, $3) and substr(digest, 1, length($4::bytea)) <> $4::bytea
            order by caller, route, key limit $5";
        const WRITE: &str = "
            update idempotency_keys set digest = $5
            where caller = $1 and route = $2 and key = $3 and digest = $4";
        self.session.execute(EXPIRED, &[]).await?;
        let mark = self.mark.as_bytes();
        let mut last = (String::new(), String::new(), String::new());
        loop {
            let (caller, route, key) = &last;
            let rows = self
                .session
                .query(REQUESTS, &[caller, route, key, &mark, &BATCH])
                .await;
            let rows = rows.context("cannot read idempotency keys")?;
            let Some(newest) = rows.last() else {
                return Ok(());
            };
            for row in &rows {
                let (caller, route, key): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
                let digest: Vec<u8> = row.get(3);
                if let Some(sealed) = self.seal_digest(&digest) {
                    let written = self
                        .session
                        .execute(WRITE, &[&caller, &route, &key, &digest, &sealed])
                        .await;
                    self.done.requests += written.context("cannot write idempotency keys")?;
                }
            }
            last = (newest.get(0), newest.get(1), newest.get(2));
        }
    }
}

/// Columns of messages that are written together.
#[derive(Default)]
struct Batch {
    ids: Vec<i64>,
    contents: Vec<Option<String>>,
    new_contents: Vec<Option<String>>,
    words: Vec<Option<String>>,
    digests: Vec<Option<Vec<u8>>>,
}
