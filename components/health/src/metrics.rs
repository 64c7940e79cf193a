//! `GET /api/v1/metrics`: what monitoring watches, in the form of
//! [OpenMetrics 1.0](https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md).
//! What cannot be known, because its store is away, is left out.

use std::fmt::{Display, Write};

use futures::join;
use http::StatusCode;
use messaging::api::RequestContext;
use messaging::webhooks::Counts;
use messaging::{Result, messages, presence, webhooks};
use platform::http::Response;

use crate::{Status, postgres, redis};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub async fn run(_: RequestContext) -> Result<Response> {
    let (redis, postgres) = join!(redis::check(), postgres::check());
    let (online, written, deliveries) = join!(
        presence::count_online(),
        messages::count_written(),
        webhooks::count()
    );
    let mut page = Page::default();
    let stores = [
        ("redis", redis.status, redis.latency_ms),
        ("postgres", postgres.status, postgres.latency_ms),
    ];
    page.family("messaging_store_up", "gauge", "Whether a store answers.");
    for (store, status, _) in stores {
        let is_up = u8::from(status == Status::Connected);
        page.sample("messaging_store_up", Some(("store", store)), is_up);
    }
    let latency = "messaging_store_latency_seconds";
    page.family(latency, "gauge", "How long a store takes to answer.");
    for (store, _, milliseconds) in stores {
        if let Some(milliseconds) = milliseconds {
            page.sample(latency, Some(("store", store)), milliseconds / 1e3);
        }
    }
    if let Some(relay) = postgres.relay {
        let backlog = "Events that are not delivered yet.";
        page.gauge("messaging_relay_backlog_events", backlog, relay.backlog);
        let oldest = "The age of the oldest event that is not delivered yet.";
        page.gauge(
            "messaging_relay_oldest_seconds",
            oldest,
            relay.oldest_seconds,
        );
        let set_aside = "Conversations that are set aside after many failed deliveries.";
        page.gauge(
            "messaging_relay_set_aside_conversations",
            set_aside,
            relay.set_aside,
        );
    }
    if let Ok(online) = online {
        page.gauge("messaging_users_online", "Users who are online.", online);
    }
    if let Ok(written) = written {
        let help = "Messages that were written, deleted ones included.";
        page.family("messaging_messages", "counter", help);
        page.sample("messaging_messages_total", None, written);
    }
    if let Ok(deliveries) = deliveries {
        page.deliveries(&deliveries);
    }
    Ok(Response::whole(StatusCode::OK, CONTENT_TYPE, page.end()))
}

/// The text under construction.
#[derive(Default)]
struct Page(String);

impl Page {
    // Writing to a String cannot fail.

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}\n# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, label: Option<(&str, &str)>, value: impl Display) {
        let _ = match label {
            Some((label, text)) => writeln!(self.0, "{name}{{{label}=\"{text}\"}} {value}"),
            None => writeln!(self.0, "{name} {value}"),
        };
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, None, value);
    }

    fn deliveries(&mut self, deliveries: &Counts) {
        let waiting = "messaging_webhook_deliveries";
        self.family(waiting, "gauge", "Deliveries that receivers did not get.");
        for (state, count) in &deliveries.undelivered {
            self.sample(waiting, Some(("state", state.name())), count);
        }
        let help = "Deliveries that receivers got.";
        self.family("messaging_webhook_delivered", "counter", help);
        self.sample(
            "messaging_webhook_delivered_total",
            None,
            deliveries.delivered,
        );
    }

    fn end(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_its_type_its_help_and_its_samples() {
        let mut page = Page::default();
        page.family("up", "gauge", "Whether.");
        page.sample("up", Some(("store", "redis")), 1);
        page.gauge("late_seconds", "How late.", 0.5);
        assert_eq!(
            page.end(),
            "# TYPE up gauge\n# HELP up Whether.\nup{store=\"redis\"} 1\n\
             # TYPE late_seconds gauge\n# HELP late_seconds How late.\nlate_seconds 0.5\n# EOF\n"
        );
    }
}
