//! Records: revisions, holds, retention and the audit trail.

mod audit;
mod holds;
mod list_holds;
mod release;
mod retention;
mod revisions;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/messages/:id/revisions", ParticipantOrRecords => revisions::run;
    POST "/api/v1/conversations/:id/holds", Records => holds::run;
    GET "/api/v1/conversations/:id/holds", Records => list_holds::run;
    DELETE "/api/v1/conversations/:id/holds/:holdId", Records => release::run;
    POST "/api/v1/records/retention", Records => retention::run;
    GET "/api/v1/records/audit", Records => audit::run;
};

http_component!(ROUTES);
