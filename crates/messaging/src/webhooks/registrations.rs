//! Receivers, as the API shows and changes them.

use platform::postgres::parameters::{bytes, flag, number, text, texts};
use platform::postgres::{Repeat, Row, query, query_one};
use serde::Serialize;

use super::{Address, Secret};
use crate::events::EventType;
use crate::ids::WebhookId;
use crate::{Error, Result};

/// The most receivers that are not disabled. Each event is queued for each of them.
pub const MAX_WEBHOOKS: usize = 100;

/// What a receiver wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Where it is.
    pub address: Address,
    /// What it gets.
    pub events: Vec<EventType>,
    /// Whether it gets the texts of messages, too.
    pub contents: bool,
}

/// A receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Which one.
    pub id: WebhookId,
    /// Where it is.
    pub url: String,
    /// The types of events that it gets.
    pub events: Vec<String>,
    /// Whether it gets the texts of messages, too.
    pub contents: bool,
    /// When it was registered.
    pub created_at: String,
    /// When it was disabled, for it had gone.
    pub disabled_at: Option<String>,
}

/// A receiver that was registered just now.
#[derive(Serialize)]
pub struct Created {
    /// The receiver.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What it checks signatures with. It is not shown again.
    pub secret: String,
}

/// A secret that replaces another one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotated {
    /// Whose.
    pub id: WebhookId,
    /// What it checks signatures with. It is not shown again.
    pub secret: String,
    /// Until when requests are signed with the one before, too.
    pub previous_until: String,
}

macro_rules! columns {
    () => {
        "w.id, w.url, w.events, w.contents, rfc3339(w.created_at), rfc3339(w.disabled_at)"
    };
}

/// Registers a receiver.
pub async fn create(registration: Registration) -> Result<Created> {
    const CREATE: &str = concat!(
        "insert into webhooks as w (url, events, contents, secret)
        select $1::text, $2::text[], $3::boolean, $4::bytea
        where (select count(*) from webhooks where disabled_at is null) < $5
        returning ",
        columns!()
    );
    let secret = Secret::generate();
    let names = registration
        .events
        .iter()
        .map(|kind| kind.name().to_owned());
    let parameters = vec![
        text(registration.address.to_string()),
        texts(names),
        flag(registration.contents),
        bytes(secret.to_row()),
        number(MAX_WEBHOOKS as i64),
    ];
    let Some(row) = query_one(Repeat::Unsafe, CREATE, parameters).await? else {
        let message = format!("would be one more than {MAX_WEBHOOKS}");
        return Err(Error::invalid("url", message));
    };
    let (webhook, secret) = (webhook(row)?, secret.reveal());
    Ok(Created { webhook, secret })
}

/// All receivers, the oldest first.
pub async fn list() -> Result<Vec<Webhook>> {
    const LIST: &str = concat!("select ", columns!(), " from webhooks w order by w.id");
    let rows = query(Repeat::Safe, LIST, vec![]).await?;
    rows.into_iter().map(webhook).collect()
}

/// A receiver.
pub async fn get(id: WebhookId) -> Result<Webhook> {
    const GET: &str = concat!("select ", columns!(), " from webhooks w where w.id = $1");
    let row = query_one(Repeat::Safe, GET, vec![number(id.get())]).await?;
    webhook(row.ok_or_else(not_found)?)
}

/// Removes a receiver, and what waits for it.
pub async fn delete(id: WebhookId) -> Result<()> {
    const DELETE: &str = "
        with deleted as (delete from webhooks where id = $1 returning id)
        select exists (select from deleted)";
    let row = query_one(Repeat::Safe, DELETE, vec![number(id.get())]).await?;
    let mut row = row.ok_or_else(not_found)?;
    let refusal = row.refusal(not_found());
    if row.take()? { Ok(()) } else { Err(refusal) }
}

/// Gives a receiver a new secret. For a day requests are signed with both.
pub async fn rotate(id: WebhookId) -> Result<Rotated> {
    const ROTATE: &str = "
        update webhooks w
        set previous_secret = w.secret, previous_until = now() + interval '24 hours', secret = $2
        where w.id = $1 returning rfc3339(w.previous_until)";
    let secret = Secret::generate();
    let parameters = vec![number(id.get()), bytes(secret.to_row())];
    let row = query_one(Repeat::Unsafe, ROTATE, parameters).await?;
    Ok(Rotated {
        id,
        secret: secret.reveal(),
        previous_until: row.ok_or_else(not_found)?.take()?,
    })
}

/// 404 for a receiver that there is not.
pub(super) fn not_found() -> Error {
    Error::NotFound("There is no such webhook.")
}

fn webhook(mut row: Row) -> Result<Webhook> {
    Ok(Webhook {
        id: row.take()?,
        url: row.take()?,
        events: row.take()?,
        contents: row.take()?,
        created_at: row.take()?,
        disabled_at: row.take()?,
    })
}
