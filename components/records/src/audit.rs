//! `GET /api/v1/records/audit?after=&limit=`

use std::str::FromStr;

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::{EntryId, InvalidId};
use messaging::{Result, records};
use platform::http::Response;

/// The most entries of one page.
const LIMIT: usize = 100;

/// The id of an entry, or 0.
#[derive(Default)]
struct After(i64);

impl FromStr for After {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "0" => Ok(Self(0)),
            _ => text.parse().map(|id: EntryId| Self(id.get())),
        }
    }
}

/// `next` is where the next request goes on.
pub async fn run(context: RequestContext) -> Result<Response> {
    context.must_have_records()?;
    let after: After = context.query("after")?.unwrap_or_default();
    let limit = context.query_number("limit", 1..=LIMIT)?.unwrap_or(LIMIT);
    let page = records::audit_page(after.0, limit).await?;
    let next = page.last.unwrap_or(after.0);
    let json = format!(
        r#"{{"entries":[{}],"next":{next}}}"#,
        page.entries.join(",")
    );
    Ok(Response::raw_json(StatusCode::OK, json))
}
