//! `POST /api/v1/webhooks`

use http::{StatusCode, header};
use messaging::api::RequestContext;
use messaging::events::EventType;
use messaging::webhooks::{self, Address, Registration};
use messaging::{Error, Result};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    url: String,
    events: Vec<String>,
    #[serde(default)]
    contents: bool,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let body: Body = context.json().await?;
    let address = Address::parse_allowed(&body.url).await?;
    let registration = Registration {
        address,
        events: parse_events(&body.events)?,
        contents: body.contents,
    };
    let created = webhooks::create(registration).await?;
    let location = format!("/api/v1/webhooks/{}", created.webhook.id);
    Ok(Response::json(StatusCode::CREATED, &created).header(header::LOCATION, location))
}

fn parse_events(names: &[String]) -> Result<Vec<EventType>> {
    let refuse = |message: &str| Error::invalid("events", message);
    let mut events = Vec::new();
    for name in names {
        let event = EventType::from_name(name);
        let event = event.ok_or_else(|| refuse("names an event that there is not"))?;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    if events.is_empty() {
        return Err(refuse("must not be empty"));
    }
    Ok(events)
}
