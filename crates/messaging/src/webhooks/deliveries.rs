//! Deliveries, as the API shows them.

use std::str::FromStr;

use platform::postgres::parameters::{number, optional_number, texts};
use platform::postgres::{Repeat, Row, query, query_one};
use serde::{Deserialize, Serialize};

use super::registrations::not_found;
use crate::ids::{ConversationId, Seq, WebhookId};
use crate::search::Time;
use crate::{Error, Result};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is to be tried for the first time.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It failed, and will be tried again.
    Failed,
    /// It failed for the last time.
    Dead,
    /// The receiver had gone.
    Disabled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Delivered,
        Self::Failed,
        Self::Dead,
        Self::Disabled,
    ];

    /// The name, on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for State {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let state = Self::ALL.into_iter().find(|state| state.name() == text);
        state.ok_or("must be pending, delivered, failed, dead or disabled")
    }
}

/// One event for one receiver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its place in the list.
    pub id: i64,
    /// What it is known by to the receiver: the header `webhook-id`.
    pub webhook_id: String,
    /// The type of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Where it happened.
    pub conversation_id: ConversationId,
    /// Its position there.
    pub seq: Seq,
    /// When it happened.
    pub timestamp: String,
    /// Where it stands.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; null if it is not, or behind an older one of its conversation.
    pub next_attempt_at: Option<String>,
    /// The status of the newest attempt; null if there was no response.
    pub status: Option<i64>,
    /// Why the newest attempt failed.
    pub error: Option<String>,
}

/// A page of deliveries, the newest first.
#[derive(Debug, Serialize)]
pub struct Deliveries {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A page of a receiver's deliveries behind a cursor, in one state or in all.
pub async fn list_deliveries(
    id: WebhookId,
    state: Option<State>,
    cursor: Option<i64>,
    limit: usize,
) -> Result<Deliveries> {
    const LIST: &str = "
        select d.id, d.type::text, d.conversation_id, d.seq, rfc3339(d.created_at), d.state,
            d.attempts::bigint, rfc3339(d.next_at::timestamptz(3)), d.status::bigint, d.error
        from webhooks w
        cross join unnest($2::text[]) as s (state)
        cross join lateral (
            select d.* from webhook_deliveries d
            where d.webhook_id = w.id and d.state = s.state and ($3::bigint is null or d.id < $3)
            order by d.id desc limit $4::bigint
        ) d
        where w.id = $1
        order by d.id desc limit $4::bigint";
    super::get(id).await?;
    let states = state.map_or(State::ALL.to_vec(), |state| vec![state]);
    let parameters = vec![
        number(id.get()),
        texts(states.iter().map(|state| state.name().into())),
        optional_number(cursor),
        // One more than the page has says that there is a next one.
        number(limit as i64 + 1),
    ];
    let rows = query(Repeat::Safe, LIST, parameters).await?;
    let has_more = rows.len() > limit;
    let deliveries = rows.into_iter().take(limit).map(|row| delivery(id, row));
    let deliveries: Vec<Delivery> = deliveries.collect::<Result<_>>()?;
    let last = deliveries.last().filter(|_| has_more);
    let next = last.map(|delivery| delivery.id.to_string());
    Ok(Deliveries { deliveries, next })
}

fn delivery(id: WebhookId, mut row: Row) -> Result<Delivery> {
    let (place, event_type) = (row.take()?, row.take()?);
    let (conversation_id, seq) = (row.take()?, row.take()?);
    Ok(Delivery {
        id: place,
        webhook_id: delivery_id(id, conversation_id, seq),
        event_type,
        conversation_id,
        seq,
        timestamp: row.take()?,
        state: row.take()?,
        attempts: row.take()?,
        next_attempt_at: row.take()?,
        status: row.take()?,
        error: row.take()?,
    })
}

/// By what a receiver knows a delivery, however often it is sent.
pub(super) fn delivery_id(id: WebhookId, conversation: ConversationId, seq: Seq) -> String {
    format!("msg_{id}_{conversation}_{seq}")
}

/// Sends again what happened at a time or later and is in one of these states; how many that are. A
/// receiver that was disabled is enabled.
pub async fn redeliver(id: WebhookId, after: Time, states: &[State]) -> Result<i64> {
    const REDELIVER: &str = "select redeliver($1, $2, $3)";
    let parameters = vec![
        number(id.get()),
        number(after.millis()),
        texts(states.iter().map(|state| state.name().into())),
    ];
    let row = query_one(Repeat::Safe, REDELIVER, parameters).await?;
    let count: Option<i64> = match row {
        Some(mut row) => row.take()?,
        None => None,
    };
    let count = count.ok_or_else(not_found)?;
    super::wake_up_if_due().await;
    Ok(count)
}

/// How many deliveries there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Those that were not delivered, by their state.
    pub undelivered: Vec<(State, i64)>,
    /// Those that were delivered to receivers that there still are.
    pub delivered: i64,
}

/// Counts the deliveries to all receivers.
pub async fn count() -> Result<Counts> {
    const COUNT: &str = "
        select s.state, coalesce(sum(d.count), 0)::bigint,
            (select coalesce(sum(w.delivered), 0)::bigint from webhooks w)
        from unnest($1::text[]) as s (state)
        left join webhooks w on true
        left join lateral (
            select count(*) as count from webhook_deliveries d
            where d.webhook_id = w.id and d.state = s.state
        ) d on true
        group by s.state";
    let undelivered = State::ALL
        .into_iter()
        .filter(|state| *state != State::Delivered);
    let states = texts(undelivered.map(|state| state.name().into()));
    let mut counts = Counts {
        undelivered: vec![],
        delivered: 0,
    };
    for mut row in query(Repeat::Safe, COUNT, vec![states]).await? {
        let (state, count): (String, i64) = (row.take()?, row.take()?);
        let state = state.parse().map_err(Error::internal)?;
        counts.undelivered.push((state, count));
        counts.delivered = row.take()?;
    }
    Ok(counts)
}
