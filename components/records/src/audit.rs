//! `GET /api/v1/records/audit?after=&limit=`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, records};
use platform::http::Response;

/// The most entries of one page.
const LIMIT: usize = 100;

/// `next` is where the next request goes on.
pub async fn run(context: RequestContext) -> Result<Response> {
    context.must_have_records()?;
    let after = context.query_number("after", 0..=usize::MAX)?.unwrap_or(0);
    let limit = context.query_number("limit", 1..=LIMIT)?.unwrap_or(LIMIT);
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let page = records::audit_page(after, limit).await?;
    let next = page.last.unwrap_or(after);
    let json = format!(
        r#"{{"entries":[{}],"next":{next}}}"#,
        page.entries.join(",")
    );
    Ok(Response::raw_json(StatusCode::OK, json))
}
