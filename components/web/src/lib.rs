//! The page at `/`, the API's description, and 404 for everything else that no other component answers.
//!
//! # Layout
//!
//! - `assets/`: the page's files, served as they are; `assets/main.js` lists its modules
//! - [`assets`]: those files and `docs/openapi.json`, compiled in, and their paths
//! - [`page`]: the answer to a request for one

mod assets;
mod page;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/", Public => page::run;
    GET "/assets/:file", Public => page::run;
    GET "/api/v1/openapi.json", Public => page::run;
};

http_component!(ROUTES);
