//! Calls of `spin:postgres`.

use std::{cell::RefCell, rc::Rc};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use serde_json::{Value, json};
use spin_sdk::{
    http::{BoxBody, FullBody, Request, body::IncomingBodyExt as _, box_body},
    pg::{
        Connection, Error, Interval, ParameterValue, PgError, QueryError, QueryResult,
        RangeBoundKind::{Exclusive, Inclusive},
    },
    variables,
};

use crate::parameter;

/// One value of every type that has a case of its own, one that has none, and
/// a NULL.
const VALUES: &str = "select true, 2::int2, 3::int4, 4::int8, 1.5::float4, 2.5::float8, \
    'text'::text, 'varchar'::varchar, 'bp'::char(2), '\\x0102'::bytea, date '2024-02-29', \
    time '23:59:58.123456', timestamp '2024-02-29 12:34:56.789', \
    '67e55044-10b1-426f-9247-bb680e5fe0c8'::uuid, '{\"b\": [1], \"a\": null}'::jsonb, 12.340::numeric, \
    interval '1 month 2 days 3 seconds', '[1,5)'::int4range, '(,7]'::int8range, '(1.5,2.5]'::numrange, \
    '{1,NULL}'::int4[], '{2,NULL}'::int8[], '{1.5,NULL}'::numeric[], '{a,NULL}'::text[], \
    '(1,2)'::point, null::int4";

/// Opens a connection to `address` and reports the result.
pub async fn open(query: &str) -> Result<Value> {
    let address = parameter(query, "address").context("no address")?;
    Ok(match Connection::open(address).await {
        Ok(_) => json!("open"),
        Err(error) => json!(format!("{error:?}")),
    })
}

/// Runs the statement in the request's body.
pub async fn query(request: Request) -> Result<Value> {
    let statement = request.into_body().bytes().await?;
    let statement = String::from_utf8(statement.to_vec())?;
    let result = match shared().await?.query(statement, []).await {
        Ok(result) => answer(result).await,
        Err(error) => Err(error),
    };
    Ok(result.unwrap_or_else(|error| describe(&error)))
}

/// One row on the connection of the instance; for benchmarks.
pub async fn one() -> Result<http::Response<BoxBody>> {
    let rows = shared()
        .await?
        .query("select 'one'::text", [])
        .await?
        .collect()
        .await?;
    let text = rows
        .first()
        .and_then(|row| row.get::<String>("text"))
        .context("no row")?;
    let length = text.len();
    let mut response = http::Response::new(box_body(FullBody::new(Bytes::from(text))));
    response
        .headers_mut()
        .insert("content-length", length.into());
    Ok(response)
}

/// The values of [`VALUES`], by the asynchronous and by the synchronous call.
pub async fn values() -> Result<Value> {
    let connection = shared().await?;
    let streamed = answer(connection.query(VALUES, []).await?).await?;
    let address = variables::get("database_url")
        .await
        .map_err(|error| anyhow!("{error:?}"))?;
    let connection = Connection::open(address).await?.into_inner();
    let set = connection.query(VALUES, &[]).map_err(Error::PgError)?;
    let rows: Vec<_> = set.rows.iter().map(|row| shown(row)).collect();
    Ok(json!({ "streamed": streamed, "columns": shown(&set.columns), "rows": rows }))
}

/// Sends a parameter of every type and returns them as PostgreSQL prints them.
pub async fn parameters() -> Result<Value> {
    let parameters = every_parameter();
    let list: Vec<_> = parameters
        .iter()
        .enumerate()
        .map(|(index, (sql, _))| format!("(${}::{sql})::text", index + 1))
        .collect();
    let statement = format!("select array[{}]", list.join(", "));
    let values: Vec<_> = parameters.into_iter().map(|(_, value)| value).collect();
    let mut result = shared().await?.query(statement, values).await?;
    let row = result.rows().next().await.context("no row")?;
    let spin_sdk::pg::DbValue::ArrayStr(texts) = &row[0] else {
        return Err(anyhow!("{row:?}"));
    };
    Ok(json!(texts))
}

fn every_parameter() -> Vec<(&'static str, ParameterValue)> {
    use ParameterValue as P;
    vec![
        ("bool", P::Boolean(true)),
        ("\"char\"", P::Int8(65)),
        ("int2", P::Int16(2)),
        ("int4", P::Int32(3)),
        ("int8", P::Int64(4)),
        ("float4", P::Floating32(1.5)),
        ("float8", P::Floating64(2.5)),
        ("text", P::Str("text".to_owned())),
        ("bytea", P::Binary(vec![1, 2])),
        ("date", P::Date((2024, 2, 29))),
        ("time", P::Time((23, 59, 58, 123_456_000))),
        ("timestamp", P::Datetime((2024, 2, 29, 12, 34, 56, 0))),
        ("timestamptz", P::Timestamp(0)),
        (
            "uuid",
            P::Uuid("67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned()),
        ),
        ("jsonb", P::Jsonb(b"{\"a\":1}".to_vec())),
        ("numeric", P::Decimal("12.340".to_owned())),
        (
            "interval",
            P::Interval(Interval {
                micros: 3_000_000,
                days: 2,
                months: 1,
            }),
        ),
        (
            "int4range",
            P::RangeInt32((Some((1, Inclusive)), Some((5, Exclusive)))),
        ),
        ("int8range", P::RangeInt64((None, Some((8, Exclusive))))),
        (
            "numrange",
            P::RangeDecimal((
                Some(("1.5".to_owned(), Exclusive)),
                Some(("2.5".to_owned(), Inclusive)),
            )),
        ),
        ("int4[]", P::ArrayInt32(vec![Some(1), None])),
        ("int8[]", P::ArrayInt64(vec![Some(2), None])),
        (
            "numeric[]",
            P::ArrayDecimal(vec![Some("1.5".to_owned()), None]),
        ),
        ("text[]", P::ArrayStr(vec![Some("a".to_owned()), None])),
        ("int4", P::DbNull),
    ]
}

async fn answer(mut result: QueryResult) -> Result<Value, Error> {
    let columns = shown(result.columns());
    let mut rows = Vec::new();
    while let Some(row) = result.rows().next().await {
        rows.push(shown(&row));
    }
    result.result().await?;
    Ok(json!({ "columns": columns, "rows": rows }))
}

fn shown(values: &[impl std::fmt::Debug]) -> Vec<String> {
    values.iter().map(|value| format!("{value:?}")).collect()
}

fn describe(error: &Error) -> Value {
    match error {
        Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => json!({
            "code": error.code,
            "severity": error.severity,
            "message": error.message,
            "extras": error.extras,
        }),
        other => json!({ "error": format!("{other:?}") }),
    }
}

/// The connection of the instance, opened by its first request.
async fn shared() -> Result<Rc<Connection>> {
    thread_local! {
        static SHARED: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    }
    if let Some(connection) = SHARED.with_borrow(Clone::clone) {
        return Ok(connection);
    }
    let address = variables::get("database_url")
        .await
        .map_err(|error| anyhow!("{error:?}"))?;
    let connection = Rc::new(Connection::open(address).await?);
    SHARED.set(Some(connection.clone()));
    Ok(connection)
}
