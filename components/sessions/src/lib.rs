//! Sessions: what a browser has instead of a token.

mod begin;
mod end;
mod end_all;
mod list;
mod revoke;
mod sign_out;
mod whose;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    POST "/api/v1/sessions", Identified but by_token => begin::run;
    GET "/api/v1/sessions", Oneself => list::run;
    DELETE "/api/v1/sessions", Oneself => end_all::run;
    DELETE "/api/v1/sessions/:id", Oneself => end::run;
    DELETE "/api/v1/sessions/current", Identified => sign_out::run;
    POST "/api/v1/sessions/revoke", Service => revoke::run;
};

http_component!(ROUTES);
