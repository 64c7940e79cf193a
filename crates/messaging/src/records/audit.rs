//! The audit trail.

use std::rc::Rc;

use platform::postgres::parameters::{number, text};
use platform::postgres::{ParameterValue, Repeat, query_one};

use crate::{Error, Result};

/// Who does something, and with which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `user:7`, `service:billing`, `service`, or `system` for what the service does by itself.
    pub name: String,
    /// The request's `X-Request-Id`.
    pub request_id: Rc<str>,
}

impl Actor {
    /// The service itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            name: "system".into(),
            request_id: "".into(),
        }
    }

    /// Its two parameters of a statement.
    pub(crate) fn parameters(&self) -> [ParameterValue; 2] {
        [text(self.name.clone()), text(self.request_id.to_string())]
    }
}

/// Entries of the audit trail, the oldest first.
#[derive(Debug)]
pub struct AuditPage {
    /// The entries, each as JSON.
    pub entries: Vec<String>,
    /// The id of the last one; `None` if there is none.
    pub last: Option<i64>,
}

/// The entries that were committed after the one with the id `after`, at most `limit`.
///
/// Entries come in the order of their commits, and only once every transaction that began before them
/// is over: a reader who goes on after the last one misses none.
pub async fn audit_page(after: i64, limit: usize) -> Result<AuditPage> {
    const PAGE: &str = "
        select coalesce(array_agg(json_build_object(
                'id', a.id, 'at', rfc3339(a.at), 'actor', a.actor, 'action', a.action,
                'subject', a.subject, 'requestId', a.request_id, 'detail', a.detail)::text
                order by a.xact, a.id), '{}'),
            (array_agg(a.id order by a.xact desc, a.id desc))[1]
        from (
            select a.* from audit a
            where a.xact < pg_snapshot_xmin(pg_current_snapshot()) and ($1::bigint = 0
                or (a.xact, a.id) > ((select b.xact from audit b where b.id = $1::bigint), $1::bigint))
            order by a.xact, a.id limit $2::bigint
        ) a";
    const KNOWN: &str = "select exists (select from audit a where a.id = $1)";
    if after != 0 {
        let known = query_one(Repeat::Safe, KNOWN, vec![number(after)]).await?;
        if !known.map_or(Ok(false), |mut row| row.take())? {
            return Err(Error::malformed("after", "is the id of no entry"));
        }
    }
    let parameters = vec![number(after), number(limit as i64)];
    let row = query_one(Repeat::Safe, PAGE, parameters).await?;
    let mut row = row.ok_or_else(|| Error::internal("no page of the audit trail"))?;
    Ok(AuditPage {
        entries: row.take()?,
        last: row.take()?,
    })
}
