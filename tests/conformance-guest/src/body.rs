//! Streamed bodies.

use anyhow::Result;
use futures::SinkExt as _;
use http::{HeaderValue, header::CONTENT_TYPE};
use spin_sdk::{
    http::{BoxBody, Request, body, box_body},
    wasip3::spawn,
};

use crate::{instance::pause, number};

/// Sends `chunks` numbered lines, one every `ms` milliseconds, and prints how
/// many the client took.
pub fn stream(query: &str, content_type: &'static str) -> Result<http::Response<BoxBody>> {
    let (chunks, interval) = (number(query, "chunks")?, number(query, "ms")?);
    let (mut lines, body) = body::stream::<String>();
    spawn(async move {
        for index in 0..chunks {
            if lines.send(format!("data: {index}\n\n")).await.is_err() {
                eprintln!("the client left a stream of {chunks} after {index}");
                return;
            }
            pause(interval).await;
        }
        eprintln!("a stream of {chunks} is complete");
    });
    let mut response = http::Response::new(box_body(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

/// Echoes each piece of the request's body as soon as it arrives.
pub fn echo(request: Request) -> http::Response<BoxBody> {
    http::Response::new(box_body(request.into_body()))
}
