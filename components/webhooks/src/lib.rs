//! Webhooks: receivers of events outside of the service, and what became of their deliveries.

mod create;
mod deliveries;
mod manage;
mod redeliver;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/webhooks", Service => manage::list;
    POST "/api/v1/webhooks", Service => create::run;
    GET "/api/v1/webhooks/:id", Service => manage::get;
    DELETE "/api/v1/webhooks/:id", Service => manage::delete;
    POST "/api/v1/webhooks/:id/rotate", Service => manage::rotate;
    GET "/api/v1/webhooks/:id/deliveries", Service => deliveries::run;
    POST "/api/v1/webhooks/:id/redeliver", Service => redeliver::run;
};

http_component!(ROUTES);
