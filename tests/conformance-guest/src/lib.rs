//! A guest for the conformance tests of devhost. Its `spin.toml` has the routes.

mod body;
mod instance;
mod postgres;
mod redis;
mod subscriber;

use anyhow::{Context, Result, bail};
use http::HeaderMap;
use serde_json::{Value, json};
use spin_sdk::{
    http::{BoxBody, FullBody, IntoResponse, Request, box_body, get},
    http_service, variables,
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let _served = instance::begin_request();
    match answer(request).await {
        Ok(response) => response,
        Err(error) => json_body(500, &json!({ "error": format!("{error:#}") })),
    }
}

async fn answer(request: Request) -> Result<http::Response<BoxBody>> {
    let route = last(request.headers(), "spin-matched-route").context("no matched route")?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let value = match route {
        "/headers" | "/headers/exact" | "/headers/:first_name/..." => headers(request.headers()),
        "/instance" | "/neighbour/instance" => instance::describe(),
        "/panic" => instance::panic_after(&query).await?,
        "/sleep" => instance::sleep(&query).await?,
        "/spin" => instance::spin(&query)?,
        "/later" => instance::later(&query)?,
        "/stream" => return body::stream(&query, "text/plain"),
        "/feed" => return body::stream(&query, "text/event-stream"),
        "/echo" => return Ok(body::echo(request)),
        "/variable/:name" => variable(request.headers()).await?,
        "/fetch" => fetch(&query).await?,
        "/redis/open" => redis::open(&query).await?,
        "/redis/get" => return redis::get().await,
        "/redis/commands" => redis::commands().await?,
        "/redis/block" => redis::block(&query).await?,
        "/postgres/open" => postgres::open(&query).await?,
        "/postgres/query" | "/neighbour/postgres/query" => postgres::query(request).await?,
        "/postgres/one" => return postgres::one().await,
        "/postgres/values" => postgres::values().await?,
        "/postgres/parameters" => postgres::parameters().await?,
        other => bail!("no action for {other}"),
    };
    Ok(json_body(200, &value))
}

/// The last value of a header: Spin appends its own to those of the client.
fn last<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get_all(name).iter().next_back()?.to_str().ok()
}

fn headers(headers: &HeaderMap) -> Value {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect()
}

async fn variable(headers: &HeaderMap) -> Result<Value> {
    let name = last(headers, "spin-path-match-name").context("no name")?;
    Ok(match variables::get(name).await {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    })
}

async fn fetch(query: &str) -> Result<Value> {
    let url = parameter(query, "url").context("no url")?;
    Ok(match get(url).await {
        Ok(response) => json!({ "status": response.status().as_u16() }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    })
}

/// A query parameter as it is written. An address goes last: it may hold `&`.
fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    let (_, value) = query.split_once(&format!("{name}="))?;
    Some(if name == "address" || name == "url" {
        value
    } else {
        value.split('&').next()?
    })
}

fn number(query: &str, name: &str) -> Result<u64> {
    parameter(query, name)
        .unwrap_or("0")
        .parse()
        .with_context(|| format!("{name} is no number"))
}

fn json_body(status: u16, value: &Value) -> http::Response<BoxBody> {
    let text = value.to_string();
    let length = text.len();
    let mut response = http::Response::new(box_body(FullBody::new(bytes::Bytes::from(text))));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("application/json"),
    );
    response
        .headers_mut()
        .insert("content-length", length.into());
    response
}
