//! The page at `/`, and 404 for everything else that no other component answers.
//!
//! # Layout
//!
//! - `assets/`: the page's files, served as they are; `assets/main.js` lists its modules
//! - [`assets`]: those files, compiled in, and their paths
//! - [`page`]: the answer to a request for one

mod assets;
mod page;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    page::run(&call)
}
